"""How long the window stands still in review: `python tests/app/measure_review.py LOOP --model MODEL`.

Not a test. Opens the loop, waits for its analysis, then presses every key of the page many times, and prints
the time that each action took and the longest gap between two ticks of the window's timer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QEventLoop, QSettings, QTimer

from app.application import new_application
from app.choices import Overrides
from app.meters import GapMeter
from app.scan import warm_up
from app.settings import Settings
from app.window import MainWindow
from semc_core.paths import DEFAULT_MODEL

_ACTIONS = (
    "next_plane", "class_2", "undo", "reject", "undo", "step_on", "step_on", "step_back", "second_on",
    "use_frame", "undo", "better", "better", "zoom_in", "zoom_out", "heat_map", "to_end", "to_start", "play",
    "play", "previous_plane", "add", "class_1", "undo", "redo", "undo", "mark", "escape",
)  # fmt: skip


def turn(until: Callable[[], bool], seconds: float) -> None:
    """Let the window live until something holds, or the time is over."""
    loop, end_s = QEventLoop(), time.monotonic() + seconds
    while not until() and time.monotonic() < end_s:
        QTimer.singleShot(20, loop.quit)
        loop.exec()


def say(what: str, gaps: GapMeter) -> None:
    """Print what a part of the run cost, and begin anew."""
    print(f"{what}: longest gap {gaps.longest_ms:.0f} ms, {gaps.over_100} gaps over 100 ms")
    gaps.longest_ms, gaps.over_100 = 0.0, 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3600.0, help="wait no longer for the analysis")
    args = parser.parse_args()
    new_application()
    warm_up("cpu")
    with tempfile.TemporaryDirectory() as folder:
        store = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(Settings(store), Overrides(args.model, "cpu", Path(folder)))
        window.show()
        turn(lambda: False, 0.5)
        say("the window opens", window.gaps)
        window.open_review(args.loop)
        turn(lambda: window.review.open is not None or bool(window.review.fault), 120)
        say("the loop opens", window.gaps)
        turn(lambda: not window.review.progress.running, args.seconds)
        say("it is analysed", window.gaps)
        took: dict[str, list[float]] = {}
        for _ in range(args.rounds):
            for name in _ACTIONS:
                begun_s = time.perf_counter()
                window.actions_by_name[name].trigger()
                window.tick()
                window.repaint()
                took.setdefault(name, []).append((time.perf_counter() - begun_s) * 1000)
                turn(lambda: False, 0.05)
        say("the keys are pressed", window.gaps)
        for name, values in took.items():
            print(f"  {name:15s} p50 {np.median(values):6.1f} ms   longest {max(values):6.1f} ms")
        print(f"{window.review.progress}, {len(window.review.snapshot.planes)} planes")
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
