"""The reading end of a session: a connection of its own, so that reading does not wait for the writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from semc_core.errors import SessionError
from semc_core.language import _
from semc_core.session import database
from semc_core.session.frame_table import Batch, unpack
from semc_core.session.proof.verify import verify
from semc_core.session.records import AuditEntry, FrameTable, Verification

_PAGE: Final = 500


class SessionReader:
    """Read a session's frames and log. For any thread."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened before the first read."""
        self._folder = folder
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def frame_count(self) -> int:
        """Frames stored."""
        with self._reading() as connection:
            (count,) = connection.execute("SELECT COALESCE(SUM(count), 0) FROM frames").fetchone()
        return int(count)

    def length_s(self) -> float:
        """From the first frame stored to the last, seconds; 0 where there is none."""
        with self._reading() as connection:
            begin, end = connection.execute("SELECT MIN(start_s), MAX(end_s) FROM frames").fetchone()
        return 0.0 if end is None else float(end - begin)

    def frames(
        self, classes: int, start_s: float | None, end_s: float | None, waiting: Batch | None
    ) -> FrameTable:
        """The frames from `start_s` to `end_s`, with those of `waiting`, which are not stored yet."""
        low = float("-inf") if start_s is None else start_s
        high = float("inf") if end_s is None else end_s
        with self._reading() as connection:
            found = connection.execute(
                "SELECT classes, experts, count, rows, layout FROM frames"
                " WHERE end_s >= ? AND start_s <= ? ORDER BY seq",
                (low, high),
            )
            batches = [Batch(*row) for row in found]
            if waiting is not None:
                batches.append(waiting)
            return unpack(batches, classes).between(low, high)

    def payloads(self, kind: str) -> Iterator[str]:
        """What the log's entries of a kind say, as JSON, page by page."""
        last = 0
        while True:
            with self._reading() as connection:
                rows = connection.execute(
                    "SELECT seq, payload FROM audit WHERE seq > ? AND kind = ? ORDER BY seq LIMIT ?",
                    (last, kind, _PAGE),
                ).fetchall()
            yield from (str(payload) for _key, payload in rows)
            if len(rows) < _PAGE:
                return
            last = int(rows[-1][0])

    def audit(self) -> Iterator[AuditEntry]:
        """The log, page by page."""
        last = 0
        while True:
            with self._reading() as connection:
                rows = connection.execute(
                    f"{database.ENTRIES} WHERE seq > ? ORDER BY seq LIMIT ?", (last, _PAGE)
                ).fetchall()
                entries = [database.entry_of(row) for row in rows]
            yield from entries
            if len(entries) < _PAGE:
                return
            last = entries[-1].seq

    def verify(self, head: str | None) -> Verification:
        """See `Session.verify`."""
        with self._reading() as connection:
            return verify(self._folder, connection, head)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise SessionError(_("The session was closed; open it again."))
            with database.reading(self._folder):
                if self._connection is None:
                    self._connection = database.connect(self._folder, read_only=True)
                yield self._connection
