"""Writing entries of the log and their edits, all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from semc_core.session import database
from semc_core.session.audit_log import canonical, next_entry, utc_now
from semc_core.session.frame_table import LAYOUT, Batch, FrameRow, pack
from semc_core.session.records import MODEL, ModelEntry
from semc_core.session.state import Edit


@dataclass(frozen=True, slots=True)
class Note:
    """An entry to be written: who did what, which rows of the state change, which frames come with it."""

    who: str
    kind: str
    payload: dict[str, Any]
    edits: tuple[Edit, ...] = ()
    batch: Batch | None = None
    start_s: float = 0.0
    end_s: float = 0.0


class Journal:
    """The writing end of the log. Not for several threads at once."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection

    def commit(
        self, head: tuple[int, str], notes: Sequence[Note], local: dict[str, str] | None = None
    ) -> tuple[list[int], tuple[int, str]]:
        """Write entries, and values that are not part of the log, in one transaction.

        Args:
            head: Number and hash of the last entry; number 0 before the first.
            notes: The entries, in order.
            local: Names and values.

        Returns:
            The numbers of the entries, and the new head.

        Raises:
            SaveError: Nothing was written: the disk is full, say.
            SessionError: The database is damaged.
        """
        now, numbers = utc_now(), []
        with database.told(self._folder), database.transaction(self._connection):
            for note in notes:
                payload = {**note.payload, "edits": list(note.edits)} if note.edits else note.payload
                entry = next_entry(head, now, note.who, note.kind, payload)
                head = (entry.seq, entry.hash)
                database.insert_entry(self._connection, entry, canonical(payload))
                for edit in note.edits:
                    database.apply_edit(self._connection, edit)
                if note.batch is not None:
                    self._insert(entry.seq, note.batch, note.start_s, note.end_s)
                numbers.append(entry.seq)
            database.set_local(self._connection, database.HEAD, f"{head[0]} {head[1]}")
            for key, value in (local or {}).items():
                database.set_local(self._connection, key, value)
        return numbers, head

    def _insert(self, seq: int, batch: Batch, start_s: float, end_s: float) -> None:
        self._connection.execute(
            "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, LAYOUT, batch.count, batch.classes, batch.experts, start_s, end_s, batch.rows),
        )


def frames_note(rows: Sequence[FrameRow], model: ModelEntry) -> Note:
    """The entry for frames that are written together; its payload proves their bytes.

    Raises:
        SessionError: Another model classified them.
    """
    batch = pack(rows, model.classes, model.none_class)
    indices, times = [row.index for row in rows], [row.pts_s for row in rows]
    payload = {
        "first": min(indices),
        "last": max(indices),
        "layout": LAYOUT,
        "count": batch.count,
        "classes": batch.classes,
        "experts": batch.experts,
        "start_s": min(times),
        "end_s": max(times),
        "sha256": sha256(batch.rows).hexdigest(),
    }
    return Note(MODEL, "frames", payload, (), batch, min(times), max(times))
