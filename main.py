"""SEMC Live: start the window or a headless command; nothing else."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from semc_core.cli.shared.entry import Entry
from semc_core.errors import SemcError, UsageError, told_of_system
from semc_core.extras import needed
from semc_core.io.log import is_untold, log_file
from semc_core.paths import log_folder
from semc_core.text import readable

if TYPE_CHECKING:
    from semc_core.cli.shared.tree import LazyGroup

_SCAN, _SESSIONS, _MODELS, _TRAINING = "Scans", "What was found", "Models", "Training"
_PROGRAM = "The program"

# A command's module imports what is slow when it runs, and Typer, which the window does without.
COMMANDS: Final = {
    "live": Entry("app.cli:command", _SCAN, "Open the window (or run unseen where there is no display)."),
    "analyse": Entry(
        "semc_core.cli.analyse:app",
        _SCAN,
        "Find the standard planes in recorded scans: videos, DICOM loops, folders of images.",
    ),
    "classify": Entry(
        "semc_core.cli.classify:app",
        _SCAN,
        "Name the standard plane of each picture: stills, folders of them, frames of loops; as a CSV.",
    ),
    "measure": Entry(
        "semc_core.cli.measure:app", _SCAN, "Measure the fetal head in pictures, and write a table."
    ),
    "inspect": Entry(
        "semc_core.cli.inspect:app",
        _SCAN,
        "Show what a file holds and how it is read: frames, times, colours, what was left out.",
    ),
    "tap": Entry(
        "semc_core.cli.tap:app",
        _SCAN,
        "Save what a card or a stream sends, undecoded, to send it to who helps.",
    ),
    "devices": Entry(
        "semc_core.cli.devices:app", _SCAN, "List the cameras and capture cards of this machine."
    ),
    "protocols": Entry(
        "semc_core.cli.protocols:app",
        _SCAN,
        "List scanning protocols, check a protocol file, or show a session's checklist.",
    ),
    "phantom": Entry(
        "training.cli.phantom:app",
        _SCAN,
        "Make recordings of simulated patients, and sets of pictures to train on.",
    ),
    "session": Entry(
        "semc_core.cli.session:app",
        _SESSIONS,
        "List, show and verify sessions: what was found, corrected and exported.",
    ),
    "replay": Entry(
        "semc_core.cli.replay:app",
        _SESSIONS,
        "Find the planes of a session again, from its log and its recording, and compare.",
    ),
    "export": Entry(
        "semc_core.cli.export:app",
        _SESSIONS,
        "Export a session: pictures, tables, clips, report, DICOM. De-identified unless told otherwise.",
    ),
    "dataset": Entry(
        "semc_core.cli.dataset:app",
        _SESSIONS,
        "Write planes of sessions as a data set for other programs: COCO, YOLO, MONAI, Hugging Face.",
    ),
    "pacs": Entry(
        "semc_core.cli.pacs:app", _SESSIONS, "Send exports to a PACS: servers, and the queue of what is sent."
    ),
    "serve": Entry(
        "semc_core.cli.serve:app",
        _SESSIONS,
        "Receive ultrasound by DICOM, analyse it unattended, and send back what was found.",
    ),
    "http": Entry(
        "semc_core.cli.http:app",
        _SESSIONS,
        "Answer other programs on this machine by HTTP: a loop in, its planes as JSON out.",
    ),
    "model": Entry(
        "semc_core.cli.model:app", _MODELS, "Show, verify and import models; choose the one in use."
    ),
    "bench": Entry(
        "app.quick.command:app",
        _MODELS,
        "Measure speed and memory: of the networks, of a live scan, or of the window.",
    ),
    "data": Entry(
        "training.cli.data:app",
        _TRAINING,
        "Check data sets, deal them to training, validation and test, and download public ones.",
    ),
    "train": Entry(
        "training.cli.train:app",
        _TRAINING,
        "Train a model on simulated patients, folders of images, or corrected sessions.",
    ),
    "pretrain": Entry(
        "training.cli.pretrain:app",
        _TRAINING,
        "Pretrain an encoder by SimCLR or AWCL, on frames with few labels or none "
        "(in a folder `unlabelled`).",
    ),
    "search": Entry(
        "training.cli.search:app",
        _TRAINING,
        "Search for the choices of a training that validation patients like best.",
    ),
    "eval": Entry(
        "training.cli.evaluate:app",
        _TRAINING,
        "Measure a model on labelled frames or simulated patients: scores, calibration, false alarms, "
        "a report.",
    ),
    "calibrate": Entry(
        "training.cli.calibrate:app",
        _TRAINING,
        "Fit a model's temperature, and thresholds for a stated precision, on validation pictures.",
    ),
    "label-next": Entry(
        "training.cli.label_next:app",
        _TRAINING,
        "Rank frames without a label by what they would teach the model, with the reason of each.",
    ),
    "ablate": Entry(
        "training.cli.ablate:app",
        _TRAINING,
        "Train the network with and without its parts, and say which of them help.",
    ),
    "compare": Entry(
        "training.cli.compare:app",
        _TRAINING,
        "Train several methods alike, over several seeds, and say which of them is better.",
    ),
    "plugins": Entry(
        "semc_core.cli.plugins:app",
        _PROGRAM,
        "List what other packages add: sources, exporters and runtimes.",
    ),
    "update": Entry(
        "semc_core.cli.update:app",
        _PROGRAM,
        "Say whether there is a newer version, and how to install it. Asks pip, and only when called.",
    ),
    "trim": Entry(
        "semc_core.cli.trim:app",
        _PROGRAM,
        "Free disk: take out of the libraries what the program never loads.",
    ),
}
# What may stand before a command; everything else that begins with a dash is the window's.
_OWN_OPTIONS: Final = ("-h", "--help", "--version", "--install-completion", "--show-completion")
_COMPLETING: Final = "_SEMC_COMPLETE"
"""By this variable a shell asks what could stand next."""


def command_line() -> LazyGroup:
    """All commands, none of them loaded yet."""
    from semc_core.cli.shared.program import program

    return program(COMMANDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code.

    0 done, 1 could not, 2 wrong usage, 130 interrupted, 141 nobody reads what is printed, 143 terminated.

    Raises:
        SystemExit: The same codes, after `--help` and where the command line cannot be read.
    """
    try:
        with _terminated_as_interrupted():
            code = _run(list(sys.argv[1:] if arguments is None else arguments))
            sys.stdout.flush()
            return code
    except _Terminated:
        return 143
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who reads what is printed, such as `head`, has enough; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """In here SIGTERM ends the program as Ctrl+C does: what was begun is cleared away on the way out.

    Where it is ignored it stays so. The window, and a training, have ways of their own.
    """

    def heard(_number: int, _frame: FrameType | None) -> None:
        raise _Terminated

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run(given: list[str]) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold what the terminal cannot write; it must not end the program.
        sys.stdout.reconfigure(errors="backslashreplace")
    terminal = logging.StreamHandler()
    terminal.addFilter(is_untold)
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", handlers=[terminal]
    )
    if os.environ.get(_COMPLETING):
        command_line().main(prog_name="semc")
    if not given or (given[0].startswith("-") and given[0] not in _OWN_OPTIONS):
        given.insert(0, "live")
    try:
        return _window(given[1:]) if given[0] == "live" else _command(given)
    except SemcError as error:
        print(f"semc: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        raise
    except OSError as error:
        if not (sentence := told_of_system(error)):
            raise
        print(f"semc: {readable(sentence)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if not (sentence := needed(error.name)):
            raise
        print(f"semc: {sentence}", file=sys.stderr)
        return 1


def _window(given: list[str]) -> int:
    """`semc live`, without Typer unless there is something to explain."""
    from app import cli

    args = cli.parse(given)
    if args is None:
        return _command(["live", *given])
    with log_file(log_folder()):
        return cli.run(args)


def _command(given: list[str]) -> int:
    from semc_core.cli.shared.tree import invoke

    return invoke(command_line(), given, "semc", lambda: log_file(log_folder()))


if __name__ == "__main__":
    sys.exit(main())
