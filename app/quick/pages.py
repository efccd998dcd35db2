"""In this process: changes of the page until they are painted, and gaps of the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from app.commands import LIVE, REVIEW, START, TRAIN
from app.main_window import MainWindow
from semc_core.cli.bench.window import Gap, PageChange
from semc_core.errors import SemcError

_SCHEDULED: Final = Path("/proc/thread-self/schedstat")
"""Nanoseconds that this thread ran, and that it was ready while others had the processors."""

_BEAT_MS: Final = 5
_POLL_MS: Final = 20
_PAINTED_S: Final = 10.0
_REST_S: Final = 0.3


def turn(until: Callable[[], bool], seconds: float) -> bool:
    """Let the window live until something holds. Returns whether it held in that time."""
    end_s = time.monotonic() + seconds
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if until() or time.monotonic() >= end_s else None)
    timer.start(_POLL_MS)
    loop.exec()
    return until()


class _Painted(QObject):
    """Waits until the window painted what was changed in it, and what followed from it was done."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._window = window
        self._loop = QEventLoop()
        self._seen = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look on: by this event Qt paints all that has changed in a window."""
        if event.type() == QEvent.Type.UpdateRequest and not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._loop.quit)
        return False

    def wait(self) -> None:
        """Raises SemcError where it is not painted."""
        QTimer.singleShot(round(1000 * _PAINTED_S), self._loop, self._loop.quit)
        self._loop.exec()
        self._window.removeEventFilter(self)
        if not self._seen:
            raise SemcError("A page of the window was not painted; leave the window uncovered.")


class Pages:
    """Changes the pages of a window, as its keys do."""

    def __init__(self, window: MainWindow) -> None:
        """`window` is shown and whole."""
        self._window = window
        self._ways: dict[str, Callable[[], None]] = {
            START: window.show_sources,
            LIVE: lambda: window.go_to(LIVE),
            REVIEW: lambda: window.go_to(REVIEW),
            TRAIN: window.show_training,
        }

    def first(self) -> list[PageChange]:
        """Each page that was not shown yet."""
        return [self._change(name, first=True) for name in (LIVE, REVIEW, TRAIN)]

    def again(self, rounds: int) -> list[PageChange]:
        """From each page to each other."""
        changes = []
        for _ in range(rounds):
            for before in self._ways:
                for after in self._ways:
                    if before != after:
                        if self._window.page_name != before:
                            self._change(before, first=False)
                        changes.append(self._change(after, first=False))
        return changes

    def _change(self, name: str, *, first: bool) -> PageChange:
        turn(lambda: True, _REST_S)
        painted = _Painted(self._window)
        begun_s, begun_cpu_s = time.perf_counter(), time.thread_time()
        self._ways[name]()
        painted.wait()
        passed_ms = 1000 * (time.perf_counter() - begun_s)
        return PageChange(name, first, passed_ms, 1000 * (time.thread_time() - begun_cpu_s))


class Beats:
    """A heart that beats in the event loop; a beat that is late is a window that did not answer."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._last = _times_ms()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def stop(self) -> None:
        """No more."""
        self._timer.stop()

    def _beat(self) -> None:
        now = _times_ms()
        passed, computed, program, queued = (new - old for new, old in zip(now, self._last, strict=True))
        self.gaps.append(Gap(passed, computed, max(0.0, min(program, passed - queued))))
        self._last = now


def _times_ms() -> tuple[float, float, float, float]:
    """What passed; what this thread and the program have computed; how long this thread was not let."""
    seconds = time.perf_counter(), time.thread_time(), time.process_time()
    passed, computed, program = (1000 * each for each in seconds)
    queued_ns = int(_SCHEDULED.read_text(encoding="ascii").split()[1]) if _SCHEDULED.exists() else 0
    return passed, computed, program, queued_ns / 1e6
