"""The way back to the window's thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class MainThread(QObject):
    """Does on the thread that made it what is posted from any thread, in order, between Qt's events."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._posted.connect(self._do, Qt.ConnectionType.QueuedConnection)

    def post(self, work: Callable[[], object]) -> None:
        """Have this done soon; returns at once. Ignored once it is closed."""
        if not self._closed:
            self._posted.emit(work)

    def close(self) -> None:
        """Do no more, not even what was posted already: what it is about may be gone."""
        self._closed = True

    @Slot(object)
    def _do(self, work: Callable[[], object]) -> None:
        if not self._closed:
            work()
