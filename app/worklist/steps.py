"""Telling a server when the scan of an examination begins and ends, behind the window. No Qt here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.tasks import Background, Post, fault_of
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.outbox import wait_after
from semc_core.session.examination import Examination

if TYPE_CHECKING:
    from semc_core.pacs.performed import PerformedSteps, Told

_FOLDER = "mpps"


class StepReporter:
    """Called by the window's thread; only `close` waits. What a server could not be told is tried again.

    Attributes:
        on_message: Told what went wrong, a sentence; "" when it is over.
    """

    def __init__(self, data: Path, post: Post) -> None:
        """Nothing is told yet; `data` is the user's data folder."""
        self._data, self._book = data, DestinationBook(data)
        self._work = Background("mpps", post)
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._closing = False
        self._uid = ""  # of the working thread
        self._failures = 0
        self._due_s: float | None = None
        self.on_message: Callable[[str], None] = lambda sentence: None

    def go_on(self) -> None:
        """Tell what an earlier start left; a scan that it broke off is over."""
        if (self._data / _FOLDER).is_dir():
            self._start(lambda steps: steps.end_broken())

    def begin(self, examination: Examination, session: Path, session_id: str, asked: str) -> None:
        """A scan of an examination began; `asked` is the server whose worklist has it."""

        def begin(steps: PerformedSteps) -> None:
            takers = [each.name for each in self._book.all() if each.mpps]
            if takers:
                server = asked if asked in takers else takers[0]
                self._uid = steps.begin(server, examination, session, session_id).uid

        self._start(begin)

    def end(self, *, completed: bool) -> None:
        """It is over: with planes, or without."""

        def end(steps: PerformedSteps) -> None:
            uid, self._uid = self._uid, ""
            if uid:
                steps.end(uid, completed=completed)

        self._start(end)

    def tick(self) -> None:
        """Try again what is due: to be called often."""
        if self._due_s is not None and time.monotonic() >= self._due_s:
            self._due_s = None
            self._start(lambda steps: None)

    def close(self) -> None:
        """End, and wait for it; what was not told is told at the next start."""
        with self._lock:
            self._closing, connection = True, self._connection
        if connection is not None:
            from semc_core.pacs.association import shut_down  # loaded by now

            shut_down(connection)
        self._work.close()

    def _start(self, first: Callable[[PerformedSteps], None]) -> None:
        self._work.start(lambda: self._tell(first), self._told)

    # On the working thread.

    def _tell(self, first: Callable[[PerformedSteps], None]) -> Told:
        # The network library takes a second to load: not in the window's thread, and not at its start.
        from semc_core.pacs.performed import PerformedSteps, Told

        steps = PerformedSteps(self._data)
        first(steps)
        with self._lock:
            if self._closing:
                return Told(0, 0)
        try:
            return steps.tell(self._book, self._opened)
        finally:
            with self._lock:
                self._connection = None

    def _opened(self, connection: socket.socket) -> None:
        from semc_core.pacs.association import shut_down

        with self._lock:
            self._connection = connection
            if self._closing:
                shut_down(connection)

    # Back on the window's.

    def _told(self, future: Future[Told]) -> None:
        if (error := future.exception()) is not None:
            self.on_message(fault_of(error))
            return
        told = future.result()
        if told.message or self._failures:
            self.on_message(told.message)
        self._failures = self._failures + 1 if told.due else 0
        self._due_s = time.monotonic() + wait_after(self._failures) if told.due else None
