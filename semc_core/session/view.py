"""The reading side of a session."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.io.lock import WriterLock
from semc_core.language import _
from semc_core.measure.gestation import GestationalAge
from semc_core.pose import FramePoses
from semc_core.session import database
from semc_core.session.annotations import ENTRY as DRAWN
from semc_core.session.annotations import Annotations, annotations_of
from semc_core.session.audit_log import ORIGIN, began_at, frames_note
from semc_core.session.correcting.undo import UndoStack
from semc_core.session.examination import ENTRY, Examination, examination_of
from semc_core.session.fetuses import Fetuses
from semc_core.session.folder import path_of_text
from semc_core.session.frame_table import FrameRow
from semc_core.session.poses import POSES, frame_poses
from semc_core.session.reader import SessionReader
from semc_core.session.recording.proof import Recordings, recordings_of
from semc_core.session.records import (
    PERSON,
    PROGRAM,
    AuditEntry,
    ExportEntry,
    FrameTable,
    ItemEntry,
    MeasurementEntry,
    ModelEntry,
    PlaneEntry,
    RegionEntry,
    ScaleEntry,
    SourceEntry,
    Verification,
)
from semc_core.session.recovery import Interrupted, interrupted
from semc_core.session.standing import view_of
from semc_core.session.state import State, check_files
from semc_core.session.vault import Vault


class SessionView:
    """What a session says. `Session` adds what changes it.

    Attributes:
        folder: Where everything lies.
        source: Where the frames come from.
        model: What classified them.
        id: Hash of the log's first entry, which names the session.
        created_utc: When it began, ISO 8601.
        recovered: What the last crash left, in a sentence; "" if there was none.
        found: How it stood when it was opened for writing, without a look into pictures, clips and
            recordings; else None.
    """

    source: SourceEntry
    model: ModelEntry

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        """Without `lock` the session is only looked at."""
        self.folder = folder
        self.id = ""
        self.created_utc = ""
        self.recovered = ""
        self.found: Verification | None = None
        self._connection = connection
        with database.reading(folder):
            self._vault = Vault(connection)
        self._writer_lock = lock
        self._reader = SessionReader(folder)
        self._lock = threading.RLock()
        self._closed = False
        self._pending: list[FrameRow] = []
        self._state = State(self._vault.reveal)
        self._undo = UndoStack()
        self._head = (0, "")
        self._data_version = 0

    @property
    def read_only(self) -> bool:
        """Whether it was opened only to look at it."""
        return self._writer_lock is None

    @property
    def frame_count(self) -> int:
        """Frames logged; of an index that was logged twice, both."""
        with self._lock:
            waiting = len(self._pending)
        return self._reader.frame_count() + waiting

    @property
    def length_s(self) -> float:
        """From the first frame to the last, seconds, without those that wait to be written; 0 without any."""
        return self._reader.length_s()

    def frames(self, start_s: float | None = None, end_s: float | None = None) -> FrameTable:
        """What was concluded from the frames, from `start_s` to `end_s` (both inside), by rising index."""
        with self._lock:
            waiting = frames_note(self._pending, self.model).batch if self._pending else None
        return self._reader.frames(len(self.model.classes), start_s, end_s, waiting)

    def poses(self) -> Iterator[FramePoses]:
        """Where frames were in space, by rising index; nothing of frames of which no sender said so.

        Raises:
            SessionError: The log is damaged.
        """
        self._refresh()
        with self._lock:
            waiting = [(row.index, row.poses) for row in self._pending if row.poses]
        last = -1
        for payload in self._reader.payloads(POSES):
            with database.reading(self.folder):
                found = frame_poses(payload, self._vault.reveal)
            for index, poses in found:
                last = max(last, index)
                yield index, poses
        # They may have been written meanwhile.
        yield from (each for each in waiting if each[0] > last)

    def planes(self, rejected: bool = False) -> tuple[PlaneEntry, ...]:
        """The planes in order of time; those that were rejected only if asked for."""
        self._refresh()
        return tuple(plane for plane in self._view.planes if rejected or not plane.rejected)

    def plane(self, plane_id: int) -> PlaneEntry:
        """One plane, rejected or not. Raises SessionError if there is none."""
        for plane in self.planes(rejected=True):
            if plane.plane_id == plane_id:
                return plane
        raise SessionError(
            _("The session has no plane {number}; choose one of those listed.", number=plane_id)
        )

    def regions(self) -> tuple[RegionEntry, ...]:
        """The stretches of time that a person marked, in order."""
        self._refresh()
        return self._view.regions

    def items(self) -> tuple[ItemEntry, ...]:
        """A person's words on items of protocols."""
        self._refresh()
        return self._view.items

    def exports(self) -> tuple[ExportEntry, ...]:
        """The exports, oldest first."""
        self._refresh()
        return self._view.exports

    def measurements(self) -> tuple[MeasurementEntry, ...]:
        """What was measured, oldest first."""
        self._refresh()
        return self._view.measurements

    def age(self) -> GestationalAge | None:
        """How far the pregnancy is by its dates; None where nobody said."""
        self._refresh()
        return self._view.age

    def fetuses(self) -> Fetuses:
        """Of how many fetuses it is, and which of them was scanned when."""
        self._refresh()
        return self._view.fetuses

    def scales(self) -> tuple[ScaleEntry, ...]:
        """Millimetres per pixel that a person gave, for each size of picture."""
        self._refresh()
        return self._view.scales

    @property
    def note(self) -> str:
        """A person's words on the whole session."""
        self._refresh()
        return self._view.note

    @property
    def source_notice(self) -> str:
        """The source's sentence for the user, as it was when it was read to its end."""
        self._refresh()
        return self._view.source_notice

    @property
    def complete(self) -> bool:
        """Whether all of the source was analysed."""
        self._refresh()
        return self._view.complete

    @property
    def examination(self) -> Examination | None:
        """The examination that the scan belongs to; None where there is none, or it was erased."""
        self._refresh()
        with self._lock, database.reading(self.folder):
            payload = database.last_payload(self._connection, ENTRY)
            return examination_of(self._vault.reveal(str((payload or {}).get(ENTRY, ""))))

    @property
    def annotations(self) -> Annotations:
        """What a person wrote and drew on frames; none where it was erased."""
        self._refresh()
        with self._lock, database.reading(self.folder):
            payload = database.last_payload(self._connection, DRAWN)
            return annotations_of(self._vault.reveal(str((payload or {}).get(DRAWN, ""))))

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the log's last entry. An export prints it, to find a log that was cut off."""
        self._refresh()
        with self._lock:
            return self._head

    def payloads(self, kind: str) -> Iterator[str]:
        """What the log's entries of a kind say, as JSON."""
        return self._reader.payloads(kind)

    def audit(self) -> Iterator[AuditEntry]:
        """The log from its beginning to where it ends now."""
        return self._reader.audit()

    def verify(self, head: str | None = None) -> Verification:
        """Prove the session: the log's chain, the state against the log, frames, pictures, clips.

        Args:
            head: A hash printed in an earlier export; the log must hold it.
        """
        return self._reader.verify(head)

    @property
    def recordings(self) -> tuple[str, ...]:
        """Names of the videos of all recordings that came to an end, whether they are still there or not."""
        with self._lock:
            return tuple(self._recordings().to_hash)

    @property
    def corrections(self) -> int:
        """How many changes of a person stand now."""
        self._refresh()
        return self._undo.count

    @property
    def closed(self) -> bool:
        """Whether the log ends with a proper end: nobody writes to it now, and no crash interrupted it."""
        with self._lock, database.reading(self.folder):
            return database.last_kind(self._connection) == "closed"

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return not self.read_only and self._undo.last_done is not None

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return not self.read_only and self._undo.last_undone is not None

    # Inside.

    def _load(self) -> None:
        """Take over what is stored: all of it, or an error and nothing."""
        with database.reading(self.folder), database.snapshot(self._connection):
            first = database.first_entry(self._connection)
            version = database.data_version(self._connection)
            began = began_at(first)
            origin = ORIGIN.from_plain(first.payload)
            self._vault.load()
            undo = UndoStack.from_entries(database.entries_by(self._connection, PERSON))
            state = database.stored_state(self._connection)
            state.reveal = self._vault.reveal
            head = database.last_head(self._connection)
            check_files(state.rows["planes"].values())
            check_files(row for step in undo.steps() for row in step.brings_back("planes"))
            view = view_of(state)
        path = self._vault.path
        known = None if path is None else path_of_text(path)
        name = self._vault.reveal(origin.source.source_id)
        self.source, self.model = replace(origin.source, source_id=name, path=known), origin.model
        self.id, self.created_utc = first.hash, began
        self._undo, self._state, self._head, self._view = undo, state, head, view
        # Last: after an error all is read again the next time.
        self._data_version = version

    def _refresh(self) -> None:
        """Where another program may write, see what it wrote; after `close` nothing more."""
        if not self.read_only:
            return
        with self._lock:
            if self._closed:
                return
            with database.translate_sqlite_errors(self.folder):
                version = database.data_version(self._connection)
            if version != self._data_version:
                self._load()

    def _interrupted(self) -> Interrupted:
        """What was interrupted, of a session that was not closed."""
        with database.reading(self.folder):
            kinds = (entry.kind for entry in database.entries_by(self._connection, PROGRAM))
            return interrupted(self.source.live, self.complete, kinds)

    def _recordings(self) -> Recordings:
        """What the log says of the recordings."""
        with database.reading(self.folder):
            return recordings_of(database.entries_by(self._connection, PROGRAM))

    def _smoothed_at(self, index: int, time_s: float) -> NDArray[np.float32] | None:
        """What the model said of a frame, float32 (K,); None if it was not analysed."""
        # A time that was read back from a JSON is rounded.
        table = self.frames(time_s - 1e-4, time_s + 1e-4)
        (found,) = np.nonzero(table.index == index)
        return table.smoothed[found[0]] if len(found) else None
