"""How a session writes: entries of its log with what belongs to them, all or nothing, and its end."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semc_core.errors import SessionError
from semc_core.io.lock import WriterLock
from semc_core.language import _, english
from semc_core.session import database
from semc_core.session.audit_log import AuditEvent, AuditLog, frames_note, origin_payload
from semc_core.session.files import remove_plane
from semc_core.session.folder import path_as_text
from semc_core.session.frame_table import FrameRow
from semc_core.session.poses import POSES, poses_notes
from semc_core.session.proof.head_keeper import HeadKeeper
from semc_core.session.proof.known_files import logged_hashes
from semc_core.session.proof.verify import MISMATCH, new_mismatches
from semc_core.session.recording.parts import videos_there
from semc_core.session.recording.proof import HASHED, RECORDING, RECOVERED, TO_HASH, RecordingVerifier
from semc_core.session.records import PERSON, PROGRAM, ModelEntry, SourceEntry, Verification
from semc_core.session.recovery import recover, set_aside
from semc_core.session.standing import view_of
from semc_core.session.state import Edit, made
from semc_core.session.vault import FORGOTTEN
from semc_core.session.view import SessionView
from semc_core.session.wal_sync import WalSync
from semc_core.version import VERSION


class WritableSession(SessionView):
    """What `Session` is made of: its connection for writing, its log, its threads."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        """Use `create` or `open`."""
        super().__init__(folder, connection, lock)
        self._committed_s = time.monotonic()
        self._journal = AuditLog(folder, connection)
        self._heads = HeadKeeper(folder)
        self._sync = WalSync(folder / database.WAL_NAME, self._heads.flushed)
        self._prover = RecordingVerifier(folder, lambda payload: self.log(PROGRAM, HASHED, payload))

    def log(self, who: str, kind: str, payload: dict[str, Any]) -> None:
        """Log something that changes nothing here.

        Args:
            who: Did it.
            kind: What it was.
            payload: Plain JSON values, without "edits"; nothing of it may name a patient.
        """
        with self._lock:
            self._write(AuditEvent(who, kind, payload))

    def erase(self, rewritten: Mapping[str, str]) -> None:
        """Erase what may name a patient from the database; `forget.forget` does it of the whole folder.

        Args:
            rewritten: SHA-256 of files that name no source any more, by name.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            self._vault.erase()
            self._write(AuditEvent(PERSON, FORGOTTEN, logged_hashes(rewritten)))
            self._load()

    def scrub(self) -> None:
        """Leave no byte of what was erased in the database's files.

        Raises:
            SaveError: Another program reads the session.
        """
        with self._lock:
            self._check_writable()
            database.scrub(self._connection, self.folder)

    def _begin(self, source: SourceEntry, model: ModelEntry) -> None:
        """The first entry: everything that later ones rest on. The path stays out of the log."""
        source = replace(source, notice=english(source.notice))
        self.source, self.model = source, model
        row = {"id": 1, "note": "", "source_notice": source.notice, "complete": 0}
        # Of two sessions that begin in one millisecond, each has a first entry of its own, which names it.
        named = replace(source, source_id=self._vault.hide(source.source_id))
        payload = origin_payload(named, model, self._journal.signer.key) | {"nonce": secrets.token_hex(16)}
        note = AuditEvent(PROGRAM, "created", payload, (made("session", row),))
        if source.path is not None:
            self._vault.hide_path(path_as_text(source.path))
        self._write(note)
        first = next(self.audit())
        self.id, self.created_utc = first.hash, first.time_utc

    def _resume(self, found: Verification) -> None:
        """Go on with a session: log what is wrong, put right what a crash left, log that it was opened.

        Args:
            found: What the session was before anything was written.
        """
        with database.reading(self.folder):
            clean = database.last_kind(self._connection) == "closed"
        if wrong := new_mismatches(found, self.audit(), self._vault):
            self._write(AuditEvent(PROGRAM, MISMATCH, {"problems": wrong}))
        if not clean:
            self._recover()
        self._write(AuditEvent(PROGRAM, "opened", {"program": VERSION, "signer": self._journal.signer.key}))
        self._prover.ask(self._recordings().due)

    def _recover(self) -> None:
        with database.reading(self.folder):
            # A copy: the state itself follows when the changes are written.
            state = database.stored_state(self._connection)
        during = self._interrupted()
        recovery = recover(self.folder, state, self._undo, self.audit(), self.model, self.frames(), during)
        notes, named = [recovery.note], self._recordings().to_hash
        if parts := [video.name for video in videos_there(self.folder) if video.name not in named]:
            # Its end is not in the log; what the kill left of it is proven from now on.
            notes.append(AuditEvent(PROGRAM, RECORDING, {"parts": parts, TO_HASH: True, RECOVERED: True}))
        self._write(*notes)
        for png in recovery.superfluous:
            remove_plane(self.folder, png)
        set_aside(self.folder, recovery.aside)
        self.recovered = recovery.sentence

    def _swap(self, kind: str) -> str | None:
        with self._lock:
            self._check_writable()
            step = self._undo.last_done if kind == "undo" else self._undo.last_undone
            if step is None:
                return None
            back = tuple(self._state.reversed(step.edits))
            numbers = self._write(AuditEvent(PERSON, kind, {"text": step.text, "of": step.seq}, back))
            self._undo.swapped(kind, numbers[-1], back)
            return self._vault.reveal(step.text)

    def _write_edit(self, note: AuditEvent, edit: Edit | None) -> None:
        self._check_writable()
        if edit is not None:
            self._write(replace(note, edits=(edit,)))

    def _write(self, *notes: AuditEvent) -> list[int]:
        """Commit the waiting frames and then `notes`, all or nothing. Returns the numbers of the entries."""
        with self._lock:
            self._check_writable()
            pending = len(self._pending)
            if pending:
                notes = (*self._frames_notes(self._pending), *notes)
            # Also after a failure: the next try is not made for every frame that comes.
            self._committed_s = time.monotonic()
            if not notes:
                return []
            self._sync.raise_fault()
            numbers, self._head = self._journal.commit(self._head, notes, self._vault.write)
            self._vault.written()
            self._sign(notes)
            self._sync.request()
            del self._pending[:pending]
            for note in notes:
                self._state.apply(note.edits)
            if any(note.edits for note in notes):
                self._view = view_of(self._state)
            return numbers

    def _frames_notes(self, rows: Sequence[FrameRow]) -> tuple[AuditEvent, ...]:
        """The entries for frames. Who calls holds the lock. Raises SessionError: of another model."""
        return (frames_note(rows, self.model), *poses_notes(rows, self._vault.hide))

    def _sign(self, notes: Sequence[AuditEvent]) -> None:
        """Have the head listed outside; of frames alone, which come twice a second, the next one does."""
        if self._journal.signed is not None and any(note.kind not in ("frames", POSES) for note in notes):
            self._heads.take(self._journal.signer, self._journal.signed)

    def _check_writable(self) -> None:
        if self._closed:
            raise SessionError(_("The session was closed; open it again."))
        if self.read_only:
            raise SessionError(_("The session was opened only to look at it; open it for writing."))

    def _let_go(self) -> None:
        self._closed = True
        try:
            self._prover.close(0)
            self._sync.close()
            self._reader.close()
            with database.translate_sqlite_errors(self.folder):
                database.close_database(self._connection, read_only=self.read_only)
            if self._journal.signed is not None:
                self._heads.closed(self._journal.signer, self._journal.signed)
        finally:
            if self._writer_lock is not None:
                self._writer_lock.release()
