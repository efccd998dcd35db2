"""A session: a folder with everything that was found, decided and exported, and its log.

Every change is an entry of the log together with its edits of the state, in one transaction. What was
committed outlives the program, however that ends, and from a moment later a power cut too (`wal_sync`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from semc_core.errors import SaveError
from semc_core.io.lock import WriterLock
from semc_core.io.private import close_folder_to_others
from semc_core.language import _, english
from semc_core.session import database
from semc_core.session.annotations import ENTRY as DRAWN
from semc_core.session.annotations import Annotations
from semc_core.session.audit_log import (
    AuditEvent,
    canonical,
    frames_note,
    hold_payload,
)
from semc_core.session.correcting.changes import Change
from semc_core.session.correcting.corrections import Corrector, recorded_edit
from semc_core.session.database import DATABASE_FILES
from semc_core.session.examination import ENTRY, Examination
from semc_core.session.folder import claim_folder, path_as_text, whole_or_gone
from semc_core.session.frame_table import FrameRow, frame_row
from semc_core.session.proof.known_files import WRITTEN, logged_hashes
from semc_core.session.proof.verify import verify_unopened
from semc_core.session.recording.parts import remove_parts, videos_there
from semc_core.session.recording.proof import (
    DELETED,
    RECORDING,
    TO_HASH,
)
from semc_core.session.records import (
    MODEL,
    PERSON,
    PROGRAM,
    ModelEntry,
    PlaneEntry,
    SourceEntry,
    Verification,
    file_sha256,
)
from semc_core.session.state import made
from semc_core.session.vault import hidden
from semc_core.session.writable import WritableSession
from semc_core.text import utc_now
from semc_core.types import FrameResult, HoldEvent

COMMIT_EVERY_S: Final = 0.5
_PROOF_WAIT_S: Final = 2.0
"""How long closing waits for recordings to be hashed; a longer one is hashed when it is next opened."""


class Session(WritableSession):
    """One session, open. For any thread; reading never waits for the disk to be written."""

    # Opening and closing.

    @classmethod
    def create(
        cls,
        folder: Path,
        source: SourceEntry,
        model: ModelEntry,
        examination: Examination | None = None,
        *,
        fresh: bool = True,
    ) -> Session:
        """Begin a session.

        Args:
            folder: Where; made if it is not there.
            source: Where the frames come from.
            model: What classifies them.
            examination: That the scan belongs to, or None.
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
                if examination is not None:
                    session.set_examination(examination)
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
            session.found = found
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
        with self._lock:
            self._check_writable()
            self._write(*self._frames_notes(rows))

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
            raise SaveError(_("A clip could not be read back; check the folder of the session.")) from error
        self.plane(plane_id)
        with self._lock:
            edit = self._state.changed("planes", plane_id, clip=name, clip_sha256=digest)
            self._write_edit(AuditEvent(PROGRAM, "clip", {"plane_id": plane_id}), edit)

    def set_source_notice(self, notice: str) -> None:
        """Log the source's notice when it has grown while it was read."""
        with self._lock:
            edit = self._state.changed("session", 1, source_notice=english(notice))
            self._write_edit(AuditEvent(PROGRAM, "notice", {}), edit)

    def moved(self, path: Path) -> None:
        """The source's file, the same as before, is at `path` now. No entry of the log: paths stay out of it.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            self._vault.hide_path(path_as_text(str(path.absolute())))
            with database.translate_sqlite_errors(self.folder), database.transaction(self._connection):
                self._vault.write()
            self._vault.written()
            self.source = replace(self.source, path=str(path.absolute()))

    def set_examination(self, examination: Examination | None) -> None:
        """Say which examination the scan belongs to; None for none. The log gets a keyed hash of it.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            hidden_text = "" if examination is None else self._vault.hide(examination.to_text())
            self._write(AuditEvent(PERSON, ENTRY, {ENTRY: hidden_text}))

    def set_annotations(self, wanted: Annotations) -> None:
        """Keep what a person wrote and drew on frames, all of it. The log gets a keyed hash of it.

        Raises:
            SaveError: It could not be written.
        """
        with self._lock:
            self._check_writable()
            hidden_text = self._vault.hide(wanted.to_text())
            self._write(AuditEvent(PERSON, DRAWN, {DRAWN: hidden_text}))

    def mark_complete(self) -> None:
        """Log that all frames of the source are here, and all planes found."""
        with self._lock:
            edit = self._state.changed("session", 1, complete=1)
            self._write_edit(AuditEvent(PROGRAM, "complete", {}), edit)

    def decided_by_person(self, plane_id: int) -> PlaneEntry | None:
        """The plane of that number, if a person decided its label or frame."""
        for plane in self.planes(rejected=True):
            if plane.plane_id == plane_id and plane.chosen_by == PERSON:
                return plane
        return None

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

    def delete_recordings(self) -> tuple[str, ...]:
        """Delete the videos of the recording with their tables; the log says so. Returns their names.

        Raises:
            SaveError: They could not be deleted.
        """
        self._check_writable()
        names = tuple(video.name for video in videos_there(self.folder))
        if names:
            # The log first: what a kill leaves in between is deleted by doing this again.
            self._prover.close(0)
            self.log(PERSON, DELETED, {"parts": list(names)})
            remove_parts(self.folder, names)
        return names

    def record_export(self, kind: str, name: str, sha256: str, detail: dict[str, Any]) -> None:
        """Log an export: `name` without a path, `sha256` of its file or manifest."""
        with self._lock:
            number = max((int(key) for key in self._state.rows["exports"]), default=0) + 1
            row = {
                "export_id": number,
                "time_utc": utc_now(),
                "kind": kind,
                "name": self._vault.hide(name),
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
            wanted = hidden(change, self._vault, self.model.classes)
            correction = corrector.correct(self._state, self._undo.highest, wanted)
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
