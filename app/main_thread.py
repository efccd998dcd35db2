"""The way back to the window's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class MainThread(QObject):
    """Does on the thread that made it what is posted from any thread, in order, between Qt's events."""

    _posted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        # Not in the signal: Qt would hold, copy and drop Python's objects on threads of its own choice.
        self._waiting: deque[Callable[[], object]] = deque()
        self._posted.connect(self._do, Qt.ConnectionType.QueuedConnection)

    def post(self, work: Callable[[], object]) -> None:
        """Have this done soon; returns at once. Ignored once it is closed."""
        if not self._closed:
            self._waiting.append(work)
            self._posted.emit()

    def close(self) -> None:
        """Do no more, not even what was posted already: what it is about may be gone."""
        self._closed = True
        self._waiting.clear()

    @Slot()
    def _do(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
