"""What the training commands have in common: priority, the bar, how a run is stopped, and what it tells."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import click
from typer import Option

from semc_core.cli.shared.options import COUNT, NEW_FILE, POSITIVE, SEED, Groups, Of
from semc_core.errors import SaveError, SemcError, UsageError
from semc_core.model.comparison import run_folder
from semc_core.model.presets import PRESET_NAMES
from training.config import PRECISIONS

if TYPE_CHECKING:
    from training.schedule import Budget
    from training.trainer.loggers import Progress
    from training.trainer.trainer import Trainer

Row = dict[str, float]

_END = "When it ends; only one of these"

INTERRUPTED = 130
"""Exit code after Ctrl+C or a termination, when the run can go on later."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of a run.

    Attributes:
        title: Beside the bar.
        opening: Before the first step.
        line: A validation in words.
    """

    title: str
    opening: str
    line: Callable[[Row], str]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What every training command can be asked for; without a value it is as the recipe says."""

    out: Path
    preset: str | None = None
    augment: str | None = None
    ultrasound: Annotated[
        str | None,
        Option("--ultrasound", metavar="A,B", help="further changes: gain, time-gain, speckle, shadow, haze"),
    ] = None
    data: Annotated[
        list[str],
        Option(
            "--data",
            metavar="DIR",
            help='folder of a data set, or "simulated:20" for simulated patients; give it again for more',
        ),
    ]
    groups: Groups = ""
    of: Of = ""
    minutes: Annotated[
        float | None, Option("--minutes", click_type=POSITIVE, help="train this long", rich_help_panel=_END)
    ] = None
    steps: Annotated[
        int | None,
        Option(
            "--steps", click_type=COUNT, help="train this many steps; repeats exactly", rich_help_panel=_END
        ),
    ] = None
    epochs: Annotated[
        float | None,
        Option(
            "--epochs",
            click_type=POSITIVE,
            help="see every frame this often; repeats exactly",
            rich_help_panel=_END,
        ),
    ] = None
    batch: Annotated[
        int | None, Option("--batch", click_type=COUNT, help="frames per step, of all processes together")
    ] = None
    precision: Annotated[
        str | None,
        Option(
            "--precision",
            click_type=click.Choice(PRECISIONS),
            help="32 bits, or half",
            show_default="32",
        ),
    ] = None
    rate: Annotated[float | None, Option("--rate", click_type=POSITIVE, help="greatest learning rate")] = None
    validations: Annotated[
        int | None, Option("--validations", click_type=COUNT, help="how often to validate")
    ] = None
    patience: Annotated[
        int | None,
        Option("--patience", click_type=COUNT, help="end after so many validations without a better result"),
    ] = None
    seed: Annotated[int, Option("--seed", click_type=SEED, help="decides chance")] = 1
    threads: Annotated[int, Option("--threads", click_type=COUNT, help="CPU threads of a process")] = 2
    nice: Annotated[int, Option("--nice", metavar="N", help="lower priority, 0-19")] = 0
    resume: Annotated[bool, Option("--resume", help="go on from the checkpoint of the same --out")] = False

    def __post_init__(self) -> None:
        """Raises UsageError where more than one end is named."""
        ends = [name for name in ("minutes", "steps", "epochs") if getattr(self, name) is not None]
        if len(ends) > 1:
            raise UsageError(f"--{ends[0]} is not allowed with --{ends[1]}; choose one of them.")


def out_option(written: str) -> Any:
    """`--out`, of the file that is `written`."""
    return Option("--out", click_type=NEW_FILE, metavar="FILE", help=f"{written} to write (.safetensors)")


def preset_option(default: str) -> Any:
    """`--preset`, with its default in words."""
    return Option("--preset", metavar="NAME", help=f"one of {', '.join(PRESET_NAMES)}", show_default=default)


def prepare(args: TrainingOptions) -> None:
    """Set the priority, and what PyTorch reads when it is loaded.

    Raises:
        UsageError: The file to write or the priority is none.
    """
    if args.out.suffix != ".safetensors":
        raise UsageError(f"{args.out} must end in .safetensors; choose another name.")
    if not 0 <= args.nice <= 19:
        raise UsageError("--nice must lie between 0 and 19.")
    # Threads that wait by spinning make training several times slower as soon as anything else runs on the
    # machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _lower_priority(args.nice)


def _lower_priority(by: int) -> None:
    if by == 0:
        return
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(by)


def budget_of(args: TrainingOptions, frames: int, batch: int, default: Budget) -> Budget:
    """When to end: as the user says, or `default`."""
    from training.schedule import Budget

    if args.epochs is not None:
        return Budget(steps=max(1, round(args.epochs * frames / batch)))
    if args.steps is None and args.minutes is None:
        return default
    return Budget(args.steps, args.minutes)


def given(args: TrainingOptions, *names: str) -> dict[str, Any]:
    """Those of the named arguments that the user gave."""
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def given_options(args: TrainingOptions, *names: str) -> dict[str, Any]:
    """As options: what the user gave of the arguments that every training command has, and of the named."""
    found = given(args, "preset", "batch", "precision", "rate", "validations", "patience", *names)
    if args.augment is not None:
        found["recipe"] = args.augment
    if args.ultrasound is not None:
        found["ultrasound"] = tuple(args.ultrasound.split(","))
    return found | {"seed": args.seed, "threads": args.threads}


def carry_out(
    trainer: Trainer[Any],
    args: TrainingOptions,
    progress: Progress | None,
    say: Saying,
    finish: Callable[[Progress], float],
) -> int:
    """Begin or go on, run with a bar, and finish, unless a signal or another program stops it.

    Args:
        trainer: What is run.
        args: Of the command.
        progress: Where to tell of what comes after the steps; None in a process that does not speak.
        say: Words for people.
        finish: Writes what the command is for; returns the loss to tell with the end, NaN for none.

    Returns:
        The exit code.
    """
    from training.trainer.distributed import carried_out, leave

    if trainer.is_global_zero:
        print(say.opening)
        if args.precision is not None and carried_out(args.precision) != args.precision:
            print(
                f"This training runs on the processor, where half precision is bfloat16: --precision "
                f"{args.precision} is carried out as {carried_out(args.precision)}."
            )
    if args.resume:
        goes_on = trainer.resume()
        if trainer.is_global_zero:
            print(
                f"Goes on at step {trainer.step}." if goes_on else "No checkpoint is there; it begins anew."
            )
    with stopping_on_signals(run_folder(args.out)) as signals:
        ended = fit_with_bar(trainer, say.title, say.line)
    leave()
    if progress is None:
        return 0
    if not ended:
        print(f"Stopped at step {trainer.step}; --resume goes on from there.")
        return INTERRUPTED if signals else 0
    progress.tell("finished", loss=finish(progress), step=trainer.step, progress=1.0, eta_s=0.0)
    return 0


@contextmanager
def reading_bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for reading pictures; is told how many are done, of how many."""
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task(words, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def fit_with_bar(trainer: Trainer[Any], words: str, line: Callable[[Row], str]) -> bool:
    """Fit with a bar that shows the time left, and one line per validation. Returns whether it ended."""
    if not trainer.is_global_zero:
        return trainer.fit()
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from training.trainer.callbacks import Callback, FitState

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task(words, total=1.0)

        class Bar(Callback):
            def on_train_batch_end(self, state: FitState, metrics: Row) -> None:
                said = f"{words}, loss {metrics['loss']:.3f}"
                bar.update(task, completed=state.progress, description=said)

            def on_validation_end(self, state: FitState, row: Row) -> None:
                bar.console.print(line(row), soft_wrap=True)

        return trainer.fit([Bar()])


@contextmanager
def stopping_on_signals(folder: Path) -> Iterator[list[int]]:
    """In here Ctrl+C or a termination asks the run in `folder` to stop after its step; a second one ends it.

    Yields:
        The signals that came.
    """
    from training.trainer.loggers import ask_to_stop

    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def heard(number: int, frame: FrameType | None) -> None:
        came.append(number)
        ask_to_stop(folder)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, heard)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def telling_failure(folder: Path) -> Iterator[Progress | None]:
    """In here a fault is also told to who reads the progress of the run in `folder`, which no other has.

    Wishes to stop from before are forgotten; from here on they count, also while the pictures are read.

    Yields:
        Where to tell of what comes after the steps; None in a process that does not speak.

    Raises:
        UsageError: Another command is running there.
        SaveError: The folder cannot be written to.
    """
    from training.data.enough import TooLittleData
    from training.run_folder import writing_alone
    from training.trainer.loggers import Progress

    if os.environ.get("RANK", "0") != "0":
        yield None
        return
    with writing_alone(folder):
        progress = Progress(folder)
        progress.stop_heard()
        try:
            yield progress
        except Exception as error:
            known = isinstance(error, SemcError)
            words = str(error) if known else f"It ended with {type(error).__name__}; see its output."
            with suppress(SaveError):  # A full disk may be the very fault; it is raised below.
                lacking = error.as_json() if isinstance(error, TooLittleData) else None
                progress.tell("failed", words, lacking=lacking)
            raise
