"""How soon the window answers in review: `python tests/app/measure_review.py LOOP [--rounds 5] [--whole]
[--rest 0.05]`.

Not a test. Opens the loop and, while it is analysed, clicks on the time line and presses every key of the
page many times, with a rest after each in which the analysis goes on; with `--whole` until all is analysed,
and once more then. Prints how long it took until each
action was answered, which is when the frame that it leads to is painted, or when what it changed is; and the
longest gap between two ticks of the window's timer.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest

from app.application import new_application
from app.instrumentation import TickGaps
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings
from app.unused import cleared_by_this_thread
from app.view_data import ReviewSnapshot
from app.warm_up import warm_up
from app.widgets.image_view import LiveView
from semc_core.paths import DEFAULT_MODEL
from semc_core.types import FramePacket
from tests.action_times import ActionTimes, memory_mib

_ACTIONS = (
    "next_plane", "class_2", "undo", "reject", "undo", "step_on", "step_on", "step_back", "second_on",
    "use_frame", "undo", "better", "better", "zoom_in", "zoom_out", "heat_map", "to_end", "to_start", "play",
    "play", "previous_plane", "add", "class_1", "undo", "redo", "undo", "mark", "escape",
)  # fmt: skip


_CHANGES = ("class_1", "class_2", "undo", "redo", "reject", "use_frame")
_JUMPS = 10
_POLL_MS = 5
_LONGEST_S = 1.0
"""Not every action changes something: there may be nothing to undo."""
_FIRST_PLANE_S = 60.0


def turn(until: Callable[[], bool], seconds: float) -> None:
    """Let the window live until something holds, or the time is over."""
    end_s = time.monotonic() + seconds
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if until() or time.monotonic() >= end_s else None)
    # Asking more often would hold up the threads that are being waited for.
    timer.start(_POLL_MS)
    loop.exec()


def say(what: str, gaps: TickGaps) -> None:
    """Print what a part of the run cost, and begin anew."""
    print(f"{what}: longest gap {gaps.longest_ms:.0f} ms, {gaps.over_100} gaps over 100 ms", flush=True)
    gaps.longest_ms, gaps.over_100 = 0.0, 0


class Painted:
    """Which frame was painted last, and when."""

    def __init__(self) -> None:
        """Look on from now on, at every view."""
        self.packet: FramePacket | None = None
        self.at_s = 0.0
        paint = LiveView.paintEvent

        def noted(view: LiveView, event: QPaintEvent) -> None:
            paint(view, event)
            if view.packet is not self.packet:
                self.packet, self.at_s = view.packet, time.perf_counter()

        LiveView.paintEvent = noted  # type: ignore[assignment,method-assign]


class Stopwatch:
    """Does what a user does, and notes how long each took to be answered."""

    def __init__(self, window: MainWindow, painted: Painted, rest_s: float) -> None:
        self._window = window
        self._painted = painted
        self._rest_s = rest_s
        self._picked = random.Random(1)
        self.times = ActionTimes()

    def run(self) -> None:
        """Each action once, jumps more often."""
        for name in _ACTIONS:
            self._do(name, self._window.actions_by_name[name].trigger)
            if name in ("step_back", "to_start", "escape"):
                for _ in range(_JUMPS):
                    self._do("click on the time line", self._click)

    def _click(self) -> None:
        timeline = self._window.review_page.timeline
        place = QPoint(self._picked.randrange(120, timeline.width() - 20), timeline.height() // 2)
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place)

    def _do(self, name: str, act: Callable[[], object]) -> None:
        before = self._window.review_page.shown
        begun_s = self.times.begin()
        act()
        acted_s = time.perf_counter()
        changes = name in _CHANGES and self._window.review.open is not None
        turn(lambda: self._is_seen() and (not changes or self._is_changed(before)), _LONGEST_S)
        end_s = time.perf_counter() if changes else max(acted_s, self._painted.at_s)
        self.times.note(name, end_s - begun_s)
        turn(lambda: False, self._rest_s)

    def _is_seen(self) -> bool:
        """Whether the frame at which the playhead stands is painted; while it plays, any."""
        page, opened, packet = self._window.review_page, self._window.review.open, self._painted.packet
        if opened is None or page.commands is None or packet is None:
            return False
        head = page.commands.playhead
        here = opened.frame_index(head.index, self._window.review.snapshot.table)
        return head.playing or packet.index == here

    def _is_changed(self, before: ReviewSnapshot | None) -> bool:
        """Whether the page shows other planes or regions; it is painted before the next look at it."""
        now = self._window.review_page.shown
        if now is None or before is None:
            return now is not before
        return (now.planes, now.regions) != (before.planes, before.regions)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="so many rounds more, until all is analysed")
    parser.add_argument("--rest", type=float, default=0.05, help="seconds between actions (default: 0.05)")
    args = parser.parse_args()
    painted = Painted()
    new_application()
    warm_up("cpu")
    with cleared_by_this_thread(), tempfile.TemporaryDirectory() as folder:
        store = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(Settings(store), Overrides(args.model, "cpu", Path(folder)))
        window.show()
        turn(lambda: False, 0.5)
        say("the window opens", window.display.gaps)
        window.open_review(args.loop)
        turn(lambda: window.review.open is not None or bool(window.review.fault), 120)
        say("the loop opens", window.display.gaps)
        turn(lambda: any(not plane.rejected for plane in window.review.snapshot.planes), _FIRST_PLANE_S)
        say("the first plane is found", window.display.gaps)
        watch = Stopwatch(window, painted, args.rest)
        number = 0
        while number < args.rounds or (args.whole and window.review.progress.running):
            watch.run()
            number += 1
            print(f"round {number}: memory {memory_mib():.0f} MiB", flush=True)
        watch.times.tell(f"{number} rounds; {window.review.progress}")
        say("meanwhile", window.display.gaps)
        if args.whole:
            watch.run()
            watch.times.tell(
                f"afterwards; {len(window.review.snapshot.planes)} planes, memory {memory_mib():.0f} MiB"
            )
            say("meanwhile", window.display.gaps)
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
