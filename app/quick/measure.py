"""One measurement of the window's quickness: fresh starts, then pages and the event loop in this process."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.application import new_application
from app.cli import no_display
from app.commands import REVIEW
from app.main_window import MainWindow
from app.quick.pages import Beats, Pages, turn
from app.quick.starts import measure_starts
from app.scan_options import Overrides
from app.settings import Settings
from app.unused import cleared_by_this_thread
from app.warm_up import warm_up
from semc_core.cli.bench.options import WindowOptions
from semc_core.cli.bench.window import Start, WindowMeasured, make_loop, print_measured
from semc_core.errors import SemcError, UsageError

_ROUNDS: Final = 3
_SETTLED_S: Final = 2.0
_OPENED_S: Final = 120.0
_SLOWEST: Final = 20
"""Times its length: as long as an analysis may take."""


def run(options: WindowOptions) -> int:
    """Measure and print. Returns 0.

    Raises:
        UsageError: The length is none.
        SemcError: A window did not open, or the loop could not be analysed.
    """
    if not options.seconds > 0:
        raise UsageError("--seconds must be more than 0.")
    offscreen = no_display() or os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        print("There is no display here: the windows are painted unseen.", file=sys.stderr, flush=True)
    bare, own = measure_starts(options.runs, offscreen=offscreen)
    with tempfile.TemporaryDirectory(prefix="semc-bench-") as folder:
        measured = _in_this_process(Path(folder), options.seconds, bare, own)
    print_measured(measured, as_json=options.json)
    return 0


def _in_this_process(folder: Path, seconds: float, bare: list[Start], own: list[Start]) -> WindowMeasured:
    loop = folder / "loop.mp4"
    make_loop(loop, seconds)
    if QApplication.instance() is None:
        new_application()
    store = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    # Nothing that the user remembers is used or changed.
    overrides = Overrides(output=folder / "out", data=folder / "data")
    warm_up("auto")
    with cleared_by_this_thread():
        window = MainWindow(Settings(store), overrides)
        window.show()
        try:
            turn(lambda: False, _SETTLED_S)
            pages = Pages(window)
            changes = pages.first()
            window.open_review(loop)
            if not turn(lambda: window.review.open is not None, _OPENED_S):
                raise SemcError(window.review.fault or "The loop did not open in review.")
            changes += pages.again(_ROUNDS)
            window.go_to(REVIEW)
            turn(lambda: False, _SETTLED_S)
            begun_s, beats = time.monotonic(), Beats()
            turn(lambda: not window.review.progress.running, _SLOWEST * seconds)
            beats.stop()
            analysed_s = time.monotonic() - begun_s
        finally:
            window.close()
    return WindowMeasured(bare, own, changes, beats.gaps, seconds, analysed_s)
