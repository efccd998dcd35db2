"""A session: a folder with everything that was found, decided and exported, and its log.

Every change is an entry of the log together with its edits of the state, in one transaction. What was
committed outlives the program, however that ends, and from a moment later a power cut too (`wal_sync`).
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from semc_core.errors import SaveError, SessionError
from semc_core.io.lock import WriterLock
from semc_core.io.private import close_folder_to_others
from semc_core.session import database
from semc_core.session.audit_log import (
    AuditEvent,
    AuditLog,
    canonical,
    frames_note,
    hold_payload,
    origin_payload,
)
from semc_core.session.correcting.changes import Change
from semc_core.session.correcting.corrections import Corrector, recorded_edit
from semc_core.session.database import DATABASE_FILES
from semc_core.session.files import remove_plane
from semc_core.session.folder import claim_folder, path_as_text, whole_or_gone
from semc_core.session.frame_table import FrameRow, frame_row
from semc_core.session.proof.head_keeper import HeadKeeper
from semc_core.session.proof.known_files import WRITTEN, logged_hashes
from semc_core.session.proof.verify import MISMATCH, mismatch_payload, verify_unopened
from semc_core.session.recording.parts import videos_there
from semc_core.session.recording.proof import (
    HASHED,
    RECORDING,
    RECOVERED,
    TO_HASH,
    RecordingVerifier,
)
from semc_core.session.records import (
    MODEL,
    PERSON,
    PROGRAM,
    ModelEntry,
    SourceEntry,
    Verification,
    file_sha256,
)
from semc_core.session.recovery import recover, set_aside
from semc_core.session.state import Edit, made, view_of
from semc_core.session.view import SessionView
from semc_core.session.wal_sync import WalSync
from semc_core.text import utc_now
from semc_core.types import FrameResult, HoldEvent
from semc_core.version import VERSION

COMMIT_EVERY_S: Final = 0.5
_PROOF_WAIT_S: Final = 2.0
"""How long closing waits for recordings to be hashed; a longer one is hashed when it is next opened."""


class Session(SessionView):
    """One session, open. For any thread; reading never waits for the disk to be written."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        """Use `create` or `open`."""
        super().__init__(folder, connection, lock)
        self._committed_s = time.monotonic()
        self._journal = AuditLog(folder, connection)
        self._heads = HeadKeeper(folder)
        self._sync = WalSync(folder / database.WAL_NAME, self._heads.flushed)
        self._prover = RecordingVerifier(folder, lambda payload: self.log(PROGRAM, HASHED, payload))

    # Opening and closing.

    @classmethod
    def create(cls, folder: Path, source: SourceEntry, model: ModelEntry, *, fresh: bool = True) -> Session:
        """Begin a session.

        Args:
            folder: Where; made if it is not there.
            source: Where the frames come from.
            model: What classifies them.
            fresh: Never use a folder that is already there: a number is added to the name.

        Raises:
            SessionError: There is a session in this folder already.
            SaveError: It could not be written.
        """
        folder = claim_folder(folder, fresh=fresh)
        with whole_or_gone(folder, DATABASE_FILES, fresh=fresh):
            lock = WriterLock(folder)
            try:
                session = cls(folder, database.create_database(folder), lock)
            except BaseException:
                lock.release()
                raise
            try:
                session._begin(source, model)
            except BaseException:
                session._let_go()
                raise
        return session

    @classmethod
    def open(cls, folder: Path, read_only: bool = False) -> Session:
        """Open a session that is there.

        Raises:
            SessionInUse: It is open for writing elsewhere; `read_only` opens it all the same.
            SessionError: There is none, it is damaged, or of a newer program.
            SaveError: It cannot be written to.
        """
        database.check_there(folder)
        lock = None if read_only else WriterLock(folder)
        if not read_only:
            close_folder_to_others(folder)
        try:
            # Before anything is written: putting right what a crash left must mend no change.
            found = None if read_only else verify_unopened(folder)
            session = cls(folder, database.open_database(folder, read_only=read_only), lock)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        try:
            session._load()
            session._journal.session = session.id
            if found is not None:
                session._resume(found)
        except BaseException:
            session._let_go()
            raise
        return session

    def close(self) -> None:
        """Write what waits, then let go of the session. May be called twice.

        Raises:
            SaveError: The last frames could not be written; the session is closed all the same.
            SessionError: It was damaged meanwhile; so it is.
        """
        # Without the lock, which its last entry needs.
        unproven = self._prover.close(_PROOF_WAIT_S)
        with self._lock:
            if self._closed:
                return
            try:
                if not self.read_only:
                    self._write(
                        AuditEvent(PROGRAM, "closed", {"not_hashed": list(unproven)} if unproven else {})
                    )
            finally:
                self._let_go()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What the model and the program write.

    def add_frames(self, results: Sequence[FrameResult]) -> None:
        """Log frames. They are committed every 0.5 s while frames come; `flush` commits at once.

        Raises:
            SaveError: They could not be written; they wait, and are written with the next ones.
            SessionError: Another model classified them, or the session is only looked at.
        """
        rows = [frame_row(result) for result in results]
        with self._lock:
            self._check_writable()
            if rows:
                # Refused here, before they wait together with good ones.
                frames_note(rows, self.model)
            self._pending += rows
            if time.monotonic() - self._committed_s >= COMMIT_EVERY_S:
                self._write()

    def write_rows(self, rows: Sequence[FrameRow]) -> None:
        """Commit frames at once: all of them, or an error and none. Raises as `add_frames`."""
        self._write(frames_note(rows, self.model))

    def flush(self) -> None:
        """Commit the frames that wait. Raises as `add_frames`."""
        with self._lock:
            self._check_writable()
            self._write()

    def record_plane(
        self, event: HoldEvent, png: str, png_sha256: str, hashes: Mapping[str, str] | None = None
    ) -> None:
        """Log a plane that was found, or a better frame of it.

        What a person decided stays: only the hold's times, and that it is over, change then.

        Args:
            event: What is known of the hold now.
            png: File name of its picture in the folder.
            png_sha256: Of the picture file's bytes.
            hashes: SHA-256 of what was written beside it, by name.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            edit = recorded_edit(self._state, event, png, png_sha256)
            who = PERSON if event.by_hand else MODEL
            note = AuditEvent(who, "plane", {**hold_payload(event), **logged_hashes(hashes or {})})
            if edit is not None or hashes:
                self._write(note if edit is None else replace(note, edits=(edit,)))

    def set_clip(self, plane_id: int, name: str) -> None:
        """Log the clip of a plane: `name` is relative to the folder, with "/".

        Raises:
            SaveError: The clip is not there, or this could not be written.
            SessionError: There is no such plane.
        """
        try:
            digest = file_sha256(self.folder / name)
        except OSError as error:
            raise SaveError("A clip could not be read back; check the folder of the session.") from error
        self.plane(plane_id)
        with self._lock:
            edit = self._state.changed("planes", plane_id, clip=name, clip_sha256=digest)
            self._write_edit(AuditEvent(PROGRAM, "clip", {"plane_id": plane_id}), edit)

    def set_source_notice(self, notice: str) -> None:
        """Log the source's notice when it has grown while it was read."""
        with self._lock:
            edit = self._state.changed("session", 1, source_notice=notice)
            self._write_edit(AuditEvent(PROGRAM, "notice", {}), edit)

    def moved(self, path: Path) -> None:
        """The source's file, the same as before, is at `path` now. No entry of the log: paths stay out of it.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            with database.translate_sqlite_errors(self.folder), database.transaction(self._connection):
                database.set_local(self._connection, database.SOURCE_PATH, path_as_text(str(path.absolute())))
            self.source = replace(self.source, path=str(path.absolute()))

    def mark_complete(self) -> None:
        """Log that all frames of the source are here, and all planes found."""
        with self._lock:
            edit = self._state.changed("session", 1, complete=1)
            self._write_edit(AuditEvent(PROGRAM, "complete", {}), edit)

    def log(self, who: str, kind: str, payload: dict[str, Any]) -> None:
        """Log something that changes nothing here. `payload` is plain JSON values, without "edits"."""
        with self._lock:
            self._write(AuditEvent(who, kind, payload))

    def record_recording(self, parts: Sequence[str], payload: dict[str, Any]) -> None:
        """Log a recording that ended, and have its files hashed in the background.

        Args:
            parts: Names of its videos in the folder; nothing writes to them any more.
            payload: What else there is to say of it, plain JSON values.

        Raises:
            SaveError: It could not be written.
        """
        self.log(PROGRAM, RECORDING, {**payload, "parts": list(parts), TO_HASH: True})
        self._prover.ask(parts)

    def record_export(self, kind: str, name: str, sha256: str, detail: dict[str, Any]) -> None:
        """Log an export: `name` without a path, `sha256` of its file or manifest."""
        with self._lock:
            number = max((int(key) for key in self._state.rows["exports"]), default=0) + 1
            row = {
                "export_id": number,
                "time_utc": utc_now(),
                "kind": kind,
                "name": name,
                "sha256": sha256,
                "detail": canonical(detail),
            }
            self._write_edit(AuditEvent(PERSON, "export", {"export_id": number}), made("exports", row))

    # What a person changes.

    def apply(self, change: Change) -> int | None:
        """Make a change, as one step of undo.

        Returns:
            The number of the plane or region that it is about; None if about neither.

        Raises:
            SessionError: It does not fit the session: no such plane, say.
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            corrector = Corrector(self.folder, self.source, self.model, self._smoothed_at)
            correction = corrector.correct(self._state, self._undo.highest, change)
            if correction.edits:
                payload = {"text": correction.text, **logged_hashes(correction.hashes)}
                numbers = self._write(AuditEvent(PERSON, correction.kind, payload, correction.edits))
                self._undo.done(numbers[-1], correction.text, correction.edits)
            elif correction.hashes:
                # The same frame again: its JSON is of another moment.
                self._write(AuditEvent(PROGRAM, WRITTEN, logged_hashes(correction.hashes)))
            return correction.id

    def undo(self) -> str | None:
        """Take the last change back. Returns what it was, or None if there is none."""
        return self._swap("undo")

    def redo(self) -> str | None:
        """Make the change again that was taken back last. Returns what it was, or None if there is none."""
        return self._swap("redo")

    def verify(self, head: str | None = None) -> Verification:
        """As `SessionView.verify`, with the frames that wait, which are written first.

        Raises:
            SaveError: They could not be written.
        """
        if not self.read_only and self._pending:
            self.flush()
        return super().verify(head)

    # Inside.

    def _begin(self, source: SourceEntry, model: ModelEntry) -> None:
        """The first entry: everything that later ones rest on. The path stays out of the log."""
        self.source, self.model = source, model
        row = {"id": 1, "note": "", "source_notice": source.notice, "complete": 0}
        # Of two sessions that begin in one millisecond, each has a first entry of its own, which names it.
        payload = origin_payload(source, model, self._journal.signer.key) | {"nonce": secrets.token_hex(16)}
        note = AuditEvent(PROGRAM, "created", payload, (made("session", row),))
        self._write(
            note, local={} if source.path is None else {database.SOURCE_PATH: path_as_text(source.path)}
        )
        first = next(self.audit())
        self.id, self.created_utc = first.hash, first.time_utc

    def _resume(self, found: Verification) -> None:
        """Go on with a session: log what is wrong, put right what a crash left, log that it was opened.

        Args:
            found: What the session was before anything was written.
        """
        with database.reading(self.folder):
            clean = database.last_kind(self._connection) == "closed"
        if wrong := mismatch_payload(found, self.audit()):
            self._write(AuditEvent(PROGRAM, MISMATCH, wrong))
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
            return step.text

    def _write_edit(self, note: AuditEvent, edit: Edit | None) -> None:
        self._check_writable()
        if edit is not None:
            self._write(replace(note, edits=(edit,)))

    def _write(self, *notes: AuditEvent, local: dict[str, str] | None = None) -> list[int]:
        """Commit the waiting frames and then `notes`, all or nothing. Returns the numbers of the entries."""
        with self._lock:
            self._check_writable()
            pending = len(self._pending)
            if pending:
                notes = (frames_note(self._pending, self.model), *notes)
            # Also after a failure: the next try is not made for every frame that comes.
            self._committed_s = time.monotonic()
            if not notes:
                return []
            self._sync.raise_fault()
            numbers, self._head = self._journal.commit(self._head, notes, local)
            self._sign(notes)
            self._sync.request()
            del self._pending[:pending]
            for note in notes:
                self._state.apply(note.edits)
            if any(note.edits for note in notes):
                self._view = view_of(self._state)
            return numbers

    def _sign(self, notes: Sequence[AuditEvent]) -> None:
        """Have the head listed outside; of frames alone, which come twice a second, the next one does."""
        if self._journal.signed is not None and any(note.kind != "frames" for note in notes):
            self._heads.take(self._journal.signer, self._journal.signed)

    def _check_writable(self) -> None:
        if self._closed:
            raise SessionError("The session was closed; open it again.")
        if self.read_only:
            raise SessionError("The session was opened only to look at it; open it for writing.")

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
