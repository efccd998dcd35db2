"""One measurement from glass to overlay: the windows, the scan, what is said and remembered."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from types import FrameType

from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication

from app.cli import no_display
from app.glass.bench import GlassBench
from app.glass.clock import ClockWindow
from app.scan_options import CardChoice
from app.unused import cleared_by_this_thread
from semc_core.cli.bench.glass import GlassMeter, MeasuredSource
from semc_core.cli.bench.live import parse_size
from semc_core.cli.bench.options import GlassOptions
from semc_core.cli.shared.options import print_json
from semc_core.errors import SemcError, SourceError, UsageError
from semc_core.paths import data_folder
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase, PipelineSettings
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.sources.devices.true_delay import (
    DelaySpread,
    TrueDelay,
    delay_begins,
    device_key,
    remember_delay,
)
from semc_core.sources.open import check_mode, open_source, remembered_by


def run(options: GlassOptions) -> int:
    """Measure. Returns 0.

    Raises:
        UsageError: The time, the mode, the size or the screen is none.
        SemcError: The scan could not be done, or the clock not be read.
    """
    if not options.seconds > 0:
        raise UsageError("--seconds must be more than 0.")
    check_mode(options.source, options.mode)
    cards: Mapping[str, CardChoice] = {}
    if no_display():
        # As an unseen scan, this uses nothing that was chosen at the screen.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        print("There is no display here: nothing can film the clock.", file=sys.stderr, flush=True)
    elif os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        from app.settings import Settings

        cards = Settings().cards()
    application = QApplication.instance()
    if application is None:
        from app.application import new_application

        application = new_application()
    meter = GlassMeter()

    def source() -> FrameSource:
        opened = as_scanned(options.source, options.mode, cards)
        if not device_key(opened.info):
            opened.close()
            raise SourceError("Only a camera, a capture card or a stream has a delay; choose one.")
        return MeasuredSource(opened, meter)

    pipeline: LivePipeline[Session] = LivePipeline(source, options.load, None, PipelineSettings(save=False))
    with cleared_by_this_thread(), closing(_clock(options)) as clock:
        bench = GlassBench(pipeline, meter)
        clock.closed.connect(bench.end)
        pipeline.start()
        try:
            with _ended_by_ctrl_c(bench):
                bench.run(options.seconds)
        finally:
            pipeline.stop()
    if pipeline.state.phase is Phase.FAULT:
        raise SemcError(pipeline.state.message)
    info = pipeline.source_info
    if info is None:
        raise SemcError("It was ended before the source gave a picture.")
    delay = meter.delay(info)
    _print(device_key(info), delay, as_json=options.json)
    remember_delay(data_folder(), device_key(info), delay)
    return 0


def as_scanned(source: str, mode: str | None, cards: Mapping[str, CardChoice]) -> FrameSource:
    """The source as the window opens it: by mode and picture options that were chosen for it.

    Args:
        source: See `open_source`.
        mode: Goes first.
        cards: See `ScanOptions`.
    """
    chosen = cards.get(remembered_by(source), CardChoice())
    return open_source(source, mode=mode or chosen.mode or None, options=chosen.options)


def _clock(options: GlassOptions) -> ClockWindow:
    """The clock's window, shown: on the last screen, if there are several, unless one is chosen."""
    size = None if options.size is None else parse_size(options.size, "--size")
    clock = ClockWindow(_screen(options.screen))
    if size is None:
        clock.showFullScreen()
    else:
        clock.resize(*size)
        clock.show()
    return clock


def _screen(number: int | None) -> QScreen:
    screens = QGuiApplication.screens()
    if number is not None and number > len(screens):
        names = [(index, one.name()) for index, one in enumerate(screens, 1)]
        named = [f"{index} ({name})" if name else str(index) for index, name in names]
        raise UsageError(f"There is no screen {number}; choose {' or '.join(named)}.")
    return screens[-1 if number is None else number - 1]


@contextmanager
def _ended_by_ctrl_c(bench: GlassBench) -> Iterator[None]:
    """Ctrl+C ends the measurement in order, and then the program."""
    heard: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        bench.end()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


def _print(key: str, delay: TrueDelay, *, as_json: bool) -> None:
    if as_json:
        print_json({"device": key, **delay.plain()})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Delay", "p50", "p95", "worst", title=f"From glass to overlay, {key}", title_justify="left")
    for name, spread in (
        ("glass to the frame's arrival", delay.arrival),
        ("glass to its overlay, painted", delay.overlay),
        (f"what the program shows: {delay_begins(delay.timed_by)} to the overlay", delay.program),
    ):
        table.add_row(name, *_words(spread))
    console = Console()
    console.print(table)
    console.print(
        f"{delay.frames} frames came; the clock was read in {delay.read}, in {delay.unreadable} not. "
        f"{delay.painted} overlays were painted. It is remembered for this device.",
        soft_wrap=True,
    )


def _words(spread: DelaySpread) -> tuple[str, str, str]:
    return f"{spread.p50_ms:.0f} ms", f"{spread.p95_ms:.0f} ms", f"{spread.worst_ms:.0f} ms"
