"""Logging the frames of a scan without ever making the model wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from semc_core.errors import SemcError
from semc_core.language import _, plural
from semc_core.session.frame_table import FrameRow, frame_row
from semc_core.session.records import PROGRAM
from semc_core.session.session import COMMIT_EVERY_S, Session
from semc_core.types import FrameResult

_log = logging.getLogger(__name__)
_FLUSH_WAIT_S: Final = 10.0
"""A disk that a machine's other work keeps busy takes more than a second for a few bytes. Who waits is the
writer of planes alone; after a kill a plane that came before its frames would not be taken over."""
_WAITING_LIMIT: Final = 3600
"""Frames that wait while the disk takes none: a minute at 60 frames/s, half a megabyte."""


class FrameLog:
    """Write what comes twice a second, on a thread of its own. `put` never waits."""

    def __init__(self, opened: Callable[[], Session]) -> None:
        """`opened` gives the session, and begins it when it is called first; it may raise SemcError."""
        self._opened = opened
        self._changed = threading.Condition()
        self._rows: list[FrameRow] = []
        self._notes: list[tuple[str, dict[str, Any]]] = []
        # The first at once: a recording waits for the session's folder.
        self._due_s = 0.0
        self._fault = ""
        self._lost = 0
        self._taken = self._logged = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="frame-writer")
        self._thread.start()

    @property
    def fault(self) -> str:
        """The sentence about frames that could not be written, or ""."""
        with self._changed:
            lost = ""
            if self._lost:
                lost = plural(
                    "{count} frame is missing in the log.",
                    "{count} frames are missing in the log.",
                    self._lost,
                )
            return f"{self._fault} {lost}".strip()

    def put(self, result: FrameResult) -> None:
        """Take a frame. While the disk takes nothing, a minute of frames waits; more are counted as lost."""
        row = frame_row(result)
        with self._changed:
            if self._closed:
                return
            if len(self._rows) >= _WAITING_LIMIT:
                self._lost += 1
                return
            self._rows.append(row)
            self._taken += 1
            if len(self._rows) == 1:
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until what was put before is logged: seconds at most, and not where that cannot be done."""
        with self._changed:
            wanted, self._due_s = self._taken, 0.0
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._logged >= wanted or bool(self._fault) or self._closed, _FLUSH_WAIT_S
            )

    def note(self, kind: str, payload: dict[str, Any]) -> None:
        """Take an entry for the log, plain JSON values; it is written after the frames before it."""
        with self._changed:
            if not self._closed and len(self._notes) < _WAITING_LIMIT:
                self._notes.append((kind, payload))

    def close(self) -> None:
        """Write what waits, then end the thread. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (rows := self._next()) is not None:
                self._write(rows)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: an error may name a file, and a file may be named after a patient.
            _log.error("The log of the frames ended: %s", type(error).__name__)
            with self._changed:
                self._closed = True
                self._fault = _("Frames are no longer logged because of an unexpected fault; see the log.")

    def _next(self) -> list[FrameRow] | None:
        """Wait until frames are due; None when closed and all is written."""
        with self._changed:
            while not self._closed:
                left_s = self._due_s - time.monotonic() if self._rows else None
                if left_s is not None and left_s <= 0:
                    break
                self._changed.wait(left_s)
            self._due_s = time.monotonic() + COMMIT_EVERY_S
            return list(self._rows) if self._rows or self._notes else None

    def _write(self, rows: list[FrameRow]) -> None:
        fault = ""
        with self._changed:
            notes = list(self._notes)
        try:
            session = self._opened()
            if rows:
                session.write_rows(rows)
                with self._changed:
                    del self._rows[: len(rows)]
                    self._logged += len(rows)
            for kind, payload in notes:
                session.log(PROGRAM, kind, payload)
                with self._changed:
                    self._notes.pop(0)
        except SemcError as error:
            fault = _("The frames are not logged. {fault}", fault=error)
        with self._changed:
            self._fault = fault
            if fault and self._closed:
                # That was the last try.
                self._notes.clear()
                self._lost += len(self._rows)
                self._rows.clear()
            self._changed.notify_all()
