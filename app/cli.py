"""`semc live`: the window. Without a display it runs unseen for 20 s, or to the end of the source."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

from semc_core.cli.shared.arguments import model_file, positive
from semc_core.errors import SaveError, SemcError, UsageError
from semc_core.labels import short_name
from semc_core.language import in_english
from semc_core.picture_options import PICTURE_HELP, choices, picture_options
from semc_core.runtime.load import DEVICES
from semc_core.text import counted

if TYPE_CHECKING:
    from click import Command

    from app.main_window import MainWindow
    from semc_core.picture_options import PictureOptions
    from semc_core.pipeline.sink import RecordingState
    from semc_core.pipeline.state import Statistics
    from semc_core.session.examination import Examination
    from semc_core.types import SourceInfo

_UNSEEN_SECONDS: Final = 20.0


def parser() -> argparse.ArgumentParser:
    """What the command takes. By argparse, not Typer: it is read before the window is painted."""
    given = _Refusing(prog="semc live", add_help=False)
    given.add_argument(
        "source",
        nargs="?",
        help="simulated, simulated:SEED, camera:0, camera:simulated, an address (rtsp://, udp://, http://, "
        "igtl://), "
        "pipe:, a file, or a folder of images; without it the window asks",
    )
    given.add_argument("--device", choices=DEVICES, help="where the model runs")
    given.add_argument(
        "--model",
        metavar="FILE",
        help="a model's name, or its file, instead of the one in use (semc model list)",
    )
    given.add_argument("--out", type=Path, help="folder for saved planes")
    given.add_argument(
        "--record",
        nargs="?",
        const="compact",
        choices=("compact", "lossless"),
        help="record the whole scan into its session (compact unless lossless is said)",
    )
    given.add_argument("--no-clips", action="store_true", help="save no clip of the scan with each plane")
    given.add_argument(
        "--protocol", metavar="ID", help="follow this protocol's checklist (semc protocols lists them)"
    )
    given.add_argument(
        "--examination",
        type=Path,
        metavar="FILE",
        help="that the scan belongs to: one of semc pacs worklist --json, as a file",
    )
    given.add_argument(
        "--images",
        choices=("auto", "stills", "loop"),
        default="auto",
        help="what a folder of images is: a loop, or stills that are judged one by one; auto goes by their "
        "names and sizes",
    )
    given.add_argument(
        "--mode",
        type=_mode,
        metavar="1920x1080@60,mjpg",
        help="ask a camera for this size, rate and format, or some of them; without it for the best it has "
        "(semc devices --modes)",
    )
    given.add_argument(
        "--tap",
        action="store_true",
        help="keep the newest 10 s of what a camera or stream sends, undecoded; Ctrl+R saves them",
    )
    for name, text in PICTURE_HELP.items():
        given.add_argument(f"--{name}", choices=choices(name), help=text)
    given.add_argument("--seconds", type=_seconds, help="close after so many seconds")
    given.add_argument(
        "--screenshot", type=Path, metavar="PNG", help="write a picture of the window at the end"
    )
    given.add_argument("--size", default="1280x800", help=argparse.SUPPRESS)
    given.add_argument("--offscreen", action="store_true", help="run without a display")
    given.add_argument(
        "--json", action="store_true", help="unseen or with --seconds: print what was found as JSON"
    )
    given.add_argument("--painted", action="store_true", help=argparse.SUPPRESS)
    given.add_argument("--measure", type=Path, metavar="JSON", help=argparse.SUPPRESS)
    return given


class _Refusing(argparse.ArgumentParser):
    """A parser that does not end the program."""

    def error(self, message: str) -> NoReturn:
        """Say by `_Refused` that there is an error; it is told elsewhere."""
        raise _Refused(message)


class _Refused(Exception):
    """What was typed is no use of the command."""


def parse(arguments: Sequence[str]) -> argparse.Namespace | None:
    """What was typed; None where that is wrong, or asks for help: see `command`."""
    try:
        return parser().parse_args(arguments)
    except _Refused:
        return None


def command() -> Command:
    """The same command as Typer's commands are, which explains itself and what was wrong."""
    from semc_core.cli.shared.from_argparse import command_of

    return command_of(parser(), run)


def _seconds(text: str) -> float:
    try:
        return positive(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _mode(text: str) -> str:
    from semc_core.sources.devices.modes import parse_wish

    try:
        return parse_wish(text).text
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def no_display() -> bool:
    """Whether this machine has nothing to show a window on."""
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform.startswith("linux") and not shown


def run(args: argparse.Namespace) -> int:
    """Open the window and wait until it is closed. Returns 0.

    Raises:
        SemcError: Unseen, or with `--seconds`: the scan could not be done, or a plane was not written.
    """
    model = None if args.model is None else model_file(args.model)
    examination = _examination(args.examination)
    if args.protocol is not None:
        _tell_what_is_unknown(args.protocol, model, sys.stderr if args.json else sys.stdout)
    _check_mode(args.source, args.mode)
    unseen = args.offscreen or os.environ.get("QT_QPA_PLATFORM") == "offscreen" or no_display()
    size = _size(args.size)
    if unseen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        if not args.offscreen:
            told = sys.stderr if args.json else sys.stdout
            print("There is no display here: the window runs unseen.", file=told, flush=True)
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from app.application import ClosingSignals, new_application, run_window
    from app.choices import Choices
    from app.language import speak
    from app.main_window import MainWindow
    from app.scan_options import Overrides
    from app.settings import Settings
    from app.site import of_this_computer
    from app.unused import leave_alone
    from app.warm_up import warm_up
    from semc_core.io.video_quality import Quality
    from semc_core.paths import settings_files, site_file

    site = of_this_computer(site_file())
    settings = Settings(None, *site)
    if unseen:
        # Nobody is there to choose: what the user chose at the screen is neither used nor changed.
        store = QSettings(str(settings_files()[1]), QSettings.Format.IniFormat)
        settings = Settings(store, *site)
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = new_application(settings.theme, settings.text_percent)
    speak(application, settings.language)
    record = None if args.record is None else Quality(args.record)
    overrides = Overrides(
        model, args.device, args.out, record, not args.no_clips, args.protocol, images=args.images,
        mode=args.mode, options=_picture_options(args), tap=args.tap,
    )  # fmt: skip
    first = partial(warm_up, Choices(settings, overrides).device)
    seconds = args.seconds or (_UNSEEN_SECONDS if unseen else None)
    source = args.source or ("simulated" if unseen and not args.painted else None)
    fault: SaveError | None = None
    with ClosingSignals() as signals:
        window = MainWindow(settings, overrides, args.measure is not None, first)
        window.whole.connect(leave_alone)
        signals.close(window)
        if args.painted:
            window.seen.connect(_tell_processor_time)
            window.whole.connect(_tell_processor_time)
        if unseen:
            window.resize(*size)
        if examination is not None or source is not None:
            window.complete()
        if examination is not None:
            window.dialogs.worklist.choose(examination)
        if source is not None:
            window.open_source(source)
        screenshot = args.screenshot
        if screenshot is None and unseen:
            screenshot = window.choices.output / "screenshot.png"
        try:
            run_window(
                application,
                window,
                seconds,
                screenshot,
                args.measure,
                until_over=unseen and source is not None,
            )
        except SaveError as error:
            # What was found is told all the same.
            fault = error
    if unseen or args.seconds is not None:
        with in_english():
            _tell(window, screenshot, as_json=args.json)
    if fault is not None:
        raise fault
    if window.scan.fault:
        raise SemcError(window.scan.fault)
    pipeline = window.scan.pipeline
    if args.seconds is not None and pipeline is not None and pipeline.statistics().frames_in == 0:
        raise SemcError("No picture came in that time; check the sender, or give it more --seconds.")
    return 0


def _check_mode(source: str | None, mode: str | None) -> None:
    """Raises UsageError where a mode is asked of what has none."""
    if source is not None and mode is not None:
        from semc_core.sources.open import check_mode

        check_mode(source, mode)


def _examination(file: Path | None) -> Examination | None:
    """That the scan belongs to, by its file. Raises UsageError."""
    if file is None:
        return None
    from semc_core.session.examination import read_examination

    return read_examination(file)


def _picture_options(args: argparse.Namespace) -> PictureOptions | None:
    """What was typed of them; None for nothing, which leaves it to what is remembered of a card."""
    typed = {name: value for name in PICTURE_HELP if (value := getattr(args, name)) is not None}
    return picture_options(typed) if typed else None


def _tell_what_is_unknown(protocol_id: str, model: Path | None, file: TextIO) -> None:
    """Print which items of the protocol the model does not know, before anything begins.

    Raises:
        SemcError: There is no such protocol, or no such model.
    """
    from semc_core.model.file import read_spec
    from semc_core.paths import DEFAULT_MODEL
    from semc_core.protocols.loader import load_protocols
    from semc_core.protocols.protocol import unknown_sentence

    protocol = load_protocols().named(protocol_id)
    if sentence := unknown_sentence(protocol, read_spec(model or DEFAULT_MODEL).planes):
        print(sentence, file=file, flush=True)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal():
        raise UsageError(f"--size must look like 1280x800, not {text!r}.")
    return int(width), int(height)


def _tell_processor_time() -> None:
    """For `semc bench window`: what the process has taken until now, seconds."""
    print(time.process_time(), flush=True)


def _tell(window: MainWindow, screenshot: Path | None, *, as_json: bool) -> None:
    """Print what was found and where it was saved.

    Raises:
        SemcError: The scan could not be done, or ended with a fault.
    """
    from semc_core.pipeline.state import Phase

    pipeline = window.scan.pipeline
    if pipeline is None:
        return
    state, statistics = pipeline.state, pipeline.statistics()
    if state.phase is Phase.FAULT and statistics.frames_in == 0:
        raise SemcError(state.message)
    if as_json:
        from semc_core.cli.shared.options import print_json

        print_json(_plain(window, statistics, pipeline.tap.recording))
    else:
        _print(window, statistics, pipeline.tap.recording, screenshot)
    if state.message and state.phase is not Phase.STARTING:
        raise SemcError(state.message)


def _plain(window: MainWindow, statistics: Statistics, recording: RecordingState | None) -> dict[str, Any]:
    """The same as JSON; `planes` in the order in which they were saved."""
    return {
        "frames": statistics.frames_in,
        "classified": statistics.classified,
        "dropped": statistics.dropped,
        "skipped": statistics.skipped,
        "recorded": 0 if recording is None else recording.frames,
        **_delays(window),
        "planes": [
            {
                "plane": plane.plane,
                "by_hand": plane.by_hand,
                "confidence": plane.confidence,
                "time_s": plane.time_s,
                "file": None if plane.png is None else str(plane.png),
            }
            for plane in window.live_page.saved
        ],
    }


def _delays(window: MainWindow) -> dict[str, Any]:
    """The delay of the last ten seconds, and what was measured of the source from glass to overlay."""
    info, options = _source_info(window), window.scan.options
    spread = window.live_page.latency.spread()
    known = info is not None and spread.p50_ms > 0
    measured = None if options is None else options.delay_of(info)
    return {
        "delay": {
            "p50_ms": round(spread.p50_ms, 1),
            "p95_ms": round(spread.p95_ms, 1),
            "from": None if info is None else info.timed_by,
        }
        if known
        else None,
        "glass": None if measured is None else measured.plain(),
    }


def _source_info(window: MainWindow) -> SourceInfo | None:
    return None if window.scan.pipeline is None else window.scan.pipeline.source_info


def _delay_sentence(window: MainWindow) -> str:
    """The same in words; "" where nothing was painted."""
    from semc_core.sources.devices.true_delay import delay_begins

    info, options = _source_info(window), window.scan.options
    spread = window.live_page.latency.spread()
    if info is None or not spread.p50_ms:
        return ""
    measured = None if options is None else options.delay_of(info)
    return (
        f"Delay: {spread.p50_ms:.0f} ms (p95 {spread.p95_ms:.0f} ms), {delay_begins(info.timed_by)} "
        f"to the painted overlay{'' if measured is None else '; ' + measured.sentence}."
    )


def _recorded(recording: RecordingState) -> str:
    """What became of a recording."""
    if not recording.parts:
        return f"Nothing was recorded; {counted(recording.lost, 'frame')} lost. {recording.fault}".strip()
    text = (
        f"Recorded {counted(recording.frames, 'frame')} ({recording.seconds:.1f} s, {recording.quality}, "
        f"{recording.size_bytes / 1e6:.0f} MB) as {', '.join(recording.parts)}; {recording.lost} lost."
    )
    return f"{text} {recording.fault}".strip()


def _print(
    window: MainWindow,
    statistics: Statistics,
    recording: RecordingState | None,
    screenshot: Path | None,
) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.text import scan_time

    console = Console()
    console.print(
        f"{counted(statistics.frames_in, 'frame')}, {statistics.classified} classified, "
        f"{statistics.dropped} dropped, {statistics.skipped} skipped "
        "(black, flat, frozen, colour Doppler or no signal)."
    )
    if recording is not None:
        console.print(_recorded(recording), markup=False, soft_wrap=True)
    if delay := _delay_sentence(window):
        console.print(delay, highlight=False, soft_wrap=True)
    saved = window.live_page.saved
    if saved:
        table = Table("plane", "confidence", "time", "saved as", title="Standard planes found")
        for plane in saved:
            where = "not written" if plane.png is None else plane.png.name
            how = f"{short_name(plane.plane)} (by hand)" if plane.by_hand else plane.plane
            table.add_row(how, f"{plane.confidence:.0%}", scan_time(plane.time_s), where)
        console.print(table)
        folders = {str(plane.png.parent) for plane in saved if plane.png is not None}
        for folder in sorted(folders):
            console.print(f"Saved in {folder}", soft_wrap=True)
    else:
        console.print("No standard plane was held long enough to be saved.")
    if (view := window.checklists.live.view) is not None:
        console.print(f"{view.title}: {view.summary}", markup=False, highlight=False)
    if screenshot is not None and screenshot.is_file():
        console.print(f"Picture of the window: {screenshot}", soft_wrap=True)
