"""Keeping one scan: its frames in the session's log, its planes as PNG and JSON, on threads of their own."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError, SemcError
from semc_core.io.video_quality import Quality
from semc_core.language import _, plural
from semc_core.pipeline.batch import Reviewed
from semc_core.pipeline.signal import SignalGap
from semc_core.pipeline.sink import RecordingState, saved_plane
from semc_core.session.files import Origin, PlaneFiles, remove_plane, write_plane
from semc_core.session.frame_log import FrameLog
from semc_core.session.proof.known_files import WRITTEN, logged_hashes
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.recording.recorder import RecordingManager
from semc_core.session.records import PROGRAM
from semc_core.session.session import Session
from semc_core.types import FramePacket, FrameResult, HoldEvent, SavedPlane, SourceInfo

_log = logging.getLogger(__name__)
_PLANES_LIMIT: Final = 16
_AGAIN_S: Final = 1.0
"""So long after something could not be written it is tried again."""


class SessionWriter:
    """Write one scan into a session: every frame, and each plane as `003_FHP1_f000123.png` and `.json`.

    Frames are committed twice a second. Events wait in a short queue in which a later event of a hold
    replaces the earlier, so the model never waits for the disk. Of a better frame the new pair of files comes
    first, then its entry in the log, then the old pair is removed. What cannot be written is told by `fault`,
    and the scan goes on; it is tried again every second, and told no longer once it is written.
    """

    def __init__(
        self, folder: Path, origin: Origin, *, fresh: bool = True, clips: ClipSettings | None = None
    ) -> None:
        """Start the writer. The folder is made when there is something to write.

        Args:
            folder: Where the session goes.
            origin: Source and model.
            fresh: Never use a folder that is already there: a number is added to the name.
            clips: Of the scan around each plane; None makes none.
        """
        self._folder = folder
        self._origin = origin
        self._fresh = fresh
        self._changed = threading.Condition()
        self._events: dict[int, HoldEvent] = {}
        self._new: list[SavedPlane] = []
        self._failed: dict[int, HoldEvent] = {}
        self._lost: set[int] = set()
        self._unlogged: list[RecordingState] = []
        self._unremoved: list[str] = []
        self._written: dict[int, PlaneFiles] = {}
        self._early_clips: dict[int, str] = {}
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._session_due = True
        self._plane_fault = self._removal_fault = ""
        self._recording_fault = self._session_fault = ""
        self._complete: SourceInfo | None = None
        self._results: Callable[[], Mapping[str, str]] | None = None
        self._closed = False
        self._tape = RecordingManager(self._await_folder, clips, self._clip_written, self._recorded)
        self._frames = FrameLog(self._opened)
        self._writer = threading.Thread(target=self._write_all, name="plane-writer")
        self._writer.start()

    @property
    def folder(self) -> Path:
        """Where the files are, or will be once there is one."""
        with self._changed:
            return self._folder

    @property
    def session(self) -> Session | None:
        """The session; None before the first frame is written. Closed together with this."""
        with self._changed:
            return self._session

    @property
    def fault(self) -> str:
        """The sentence about what could not be written, or ""."""
        with self._changed:
            fault = self._plane_fault
            if not fault and self._lost:
                fault = plural(
                    "{count} plane was not saved.", "{count} planes were not saved.", len(self._lost)
                )
            fault = fault or self._removal_fault or self._recording_fault or self._session_fault
        return fault or self._frames.fault or self._tape.fault

    @property
    def kept(self) -> int:
        """Planes on disk."""
        with self._changed:
            return len(self._written)

    @property
    def recording(self) -> RecordingState | None:
        """The recording that runs, or ran last; None if there was none."""
        return self._tape.recording

    def start_recording(self, quality: Quality) -> None:
        """Record from the next frame on. Nothing happens if a recording runs.

        Raises:
            SaveError: The scan is over.
        """
        self._tape.start_recording(quality)

    def stop_recording(self) -> None:
        """Record no further; what waits is still written."""
        self._tape.stop_recording()

    def captured(self, packet: FramePacket) -> None:
        """Take a frame for the recording and the clips; does not wait."""
        self._tape.put(packet)

    def classified(self, result: FrameResult) -> None:
        """Log a frame; does not wait. While the disk takes nothing, a minute of frames waits, no more."""
        self._frames.put(result)

    def interrupted(self, gap: SignalGap) -> None:
        """Log a stretch of time without a signal; does not wait."""
        payload = {
            "cause": gap.cause,
            "start_s": round(gap.start_s, 3),
            "end_s": round(gap.end_s, 3),
            "why": gap.why,
        }
        self._frames.note("signal", payload)

    def submit(self, event: HoldEvent) -> bool:
        """Queue an event for writing; does not wait.

        Returns:
            False after `close`, or if the disk is so slow that too many planes wait (`fault` says so).
        """
        with self._changed:
            if self._closed:
                return False
            if event.hold_id not in self._events and len(self._events) >= _PLANES_LIMIT:
                self._plane_fault = _(
                    "A plane was not saved: {folder} is too slow; choose another folder.", folder=self._folder
                )
                self._lost.add(event.hold_id)
                return False
            self._events[event.hold_id] = event
            self._changed.notify_all()
            session = self._session
        decided = None if session is None else session.decided_by_person(event.hold_id)
        if decided is None or decided.frame_index == event.best.packet.index:
            # Where a person decided, the clip stays the one around the frame that stays.
            self._tape.found(event)
        return True

    def submit_waiting(self, event: HoldEvent) -> None:
        """As `submit`, but wait for room: for files, where nothing else is in a hurry."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._events) < _PLANES_LIMIT)
        self.submit(event)

    def add(self, reviewed: Reviewed) -> None:
        """Take one batch of a file that is read to its end. Only final planes are written.

        Raises:
            SaveError: Something could not be written.
        """
        for result in reviewed.results:
            self.classified(result)
        for event in reviewed.events:
            if event.final:
                self.submit_waiting(event)
        self.raise_fault()

    def finish(self, source: SourceInfo, results: Callable[[], Mapping[str, str]] | None = None) -> None:
        """Write what waits, note that all of the source was analysed, and close.

        Args:
            source: What is known of it now: its notice may have grown.
            results: Writes further files of the session, called when all planes are there; returns the
                SHA-256 of each by name. May raise SemcError.

        Raises:
            SaveError: Something could not be written.
        """
        self._results = results
        self._end(source)
        self.raise_fault()

    def raise_fault(self) -> None:
        """Raises SaveError if something could not be written."""
        if fault := self.fault:
            raise SaveError(fault)

    def take_saved(self) -> list[SavedPlane]:
        """Planes written, or not writable (`png` is None), since the last call."""
        with self._changed:
            new, self._new = self._new, []
        return new

    def wait_saved(self, timeout_s: float) -> bool:
        """Wait until a plane is written, or could not be. False if none was in that time."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._new), timeout_s)

    def close(self) -> None:
        """Write what waits, then end the writer. May be called twice."""
        self._end(None)

    def _end(self, source: SourceInfo | None) -> None:
        with self._changed:
            self._complete = self._complete or source
            self._closed = True
            self._changed.notify_all()
        self._writer.join()

    # The writer.

    def _write_all(self) -> None:
        try:
            while (events := self._next_events()) is not None:
                for event in events:
                    self._write_event(event)
                self._finish_the_rest()
            self._frames.close()
            self._close_tape()
            self._finish_the_rest()
            # Where frames are missing, review analyses the rest.
            self._close_session(whole=not self._frames.fault)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: an error may name a file, and a file may be named after a patient.
            _log.error("The session's writer ended: %s", type(error).__name__)
            with self._changed:
                self._closed = True
                self._session_fault = _("The scan is no longer saved because of a fault; see the log.")
                self._changed.notify_all()
            self._frames.close()
            self._close_tape()
            self._close_session(whole=False)

    def _next_events(self) -> list[HoldEvent] | None:
        """The hold that waits longest, or those that failed and are due; None at the end."""
        with self._changed:
            unwritten = self._failed or self._unlogged or self._unremoved
            self._changed.wait_for(
                lambda: self._closed or bool(self._events), _AGAIN_S if unwritten else None
            )
            if self._events:
                event = self._events.pop(next(iter(self._events)))
                # It is newer than what failed of its hold.
                self._failed.pop(event.hold_id, None)
                self._changed.notify_all()
                return [event]
            again, self._failed = list(self._failed.values()), {}
            return again if again or not self._closed else None

    def _write_event(self, event: HoldEvent) -> None:
        fault, png, retry = "", None, False
        try:
            png = self._write_plane(event)
        except SemcError as error:
            fault, retry = _("A plane was not saved. {fault}", fault=error), True
        except Exception as error:  # noqa: BLE001 - one plane does not end the scan
            _log.error("A plane could not be written: %s", type(error).__name__)
            fault = _("A plane was not saved because of an unexpected fault; see the log for details.")
        plane = saved_plane(event, png)
        with self._changed:
            if not fault:
                self._lost.discard(event.hold_id)
                self._plane_fault = self._plane_fault if self._failed else ""
                self._new.append(plane)
            else:
                self._plane_fault = fault
                if event.hold_id not in self._lost:
                    self._lost.add(event.hold_id)
                    self._new.append(plane)
                if retry and not self._closed and len(self._failed) < _PLANES_LIMIT:
                    self._failed[event.hold_id] = event
            self._changed.notify_all()

    def _write_plane(self, event: HoldEvent) -> Path | None:
        session = self._opened()
        decided = session.decided_by_person(event.hold_id)
        if decided is not None:
            # A person chose its label or frame: the model's next frame is not wanted.
            session.record_plane(event, decided.png or "", decided.png_sha256 or "")
            return None if decided.png is None else session.folder / decided.png
        old = self._written.get(event.hold_id)
        # Its frames first: after a kill, files that the log's frames do not bear out are not taken over.
        self._frames.flush()
        files = write_plane(session.folder, event, session.source, session.model, old)
        session.record_plane(event, files.png, files.sha256, files.hashes)
        png = session.plane(event.hold_id).png
        if old is not None and png == old.png != files.png:
            # A person decided in between: the old frame stays, also for when that is undone.
            self._remove(session.folder, files.png)
            return session.folder / old.png
        with self._changed:
            self._written[event.hold_id] = files
            clip = self._early_clips.pop(event.hold_id, None)
        if clip is not None:
            session.set_clip(event.hold_id, clip)
        if old is not None and old.png != files.png:
            self._remove(session.folder, old.png)
        return session.folder / files.png

    def _remove(self, folder: Path, png: str) -> None:
        try:
            remove_plane(folder, png)
        except SaveError as error:
            # The better one is there.
            with self._changed:
                self._removal_fault = _("An older frame of a plane was not removed. {fault}", fault=error)
                self._unremoved.append(png)

    def _finish_the_rest(self) -> None:
        """Try again what failed beside the planes."""
        with self._changed:
            session = self._session
            unremoved, self._unremoved = self._unremoved, []
            unlogged, self._unlogged = self._unlogged, []
        if session is not None:
            for png in unremoved:
                self._remove(session.folder, png)
        for state in unlogged:
            self._recorded(state)
        with self._changed:
            self._removal_fault = self._removal_fault if self._unremoved else ""
            self._recording_fault = self._recording_fault if self._unlogged else ""

    def _opened(self) -> Session:
        """The session, begun now if there is none yet. Raises SaveError or SessionError."""
        with self._opening:
            session = self._session
            if session is None:
                source, model = self._origin.entries()
                about = self._origin.examination
                session = Session.create(self._folder, source, model, about, fresh=self._fresh)
                with self._changed:
                    self._session, self._folder = session, session.folder
                    self._changed.notify_all()
            return session

    def _close_tape(self) -> None:
        """End recordings and clips, before the session they are told to is closed."""
        with self._changed:
            self._session_due = False
            self._changed.notify_all()
        self._tape.close()
        with self._changed:
            session, orphans = self._session, list(self._early_clips.values())
        if session is None:
            return
        for name in orphans:
            # Their planes could not be saved, so the log does not know them.
            with contextlib.suppress(OSError):
                (session.folder / name).unlink(missing_ok=True)

    # The threads of the tape.

    def _await_folder(self) -> Path:
        """The session's folder, once there is a session."""
        with self._changed:
            self._changed.wait_for(lambda: self._session is not None or not self._session_due)
            if self._session is None:
                raise SaveError(_("There is no session to write to; check the folder for saved planes."))
            return self._session.folder

    def _clip_written(self, hold_id: int, name: str) -> None:
        with self._changed:
            session = self._session
            if hold_id not in self._written:
                self._early_clips[hold_id] = name
                return
        assert session is not None
        session.set_clip(hold_id, name)

    def _recorded(self, state: RecordingState) -> None:
        with self._changed:
            session = self._session
        payload = {
            "quality": str(state.quality),
            "frames": state.frames,
            "lost": state.lost,
            "seconds": round(state.seconds, 3),
        }
        if session is None:
            return
        try:
            session.record_recording(state.parts, payload)
        except SemcError as error:
            with self._changed:
                self._recording_fault = _("The end of a recording was not logged. {fault}", fault=error)
                self._unlogged.append(state)
                self._changed.notify_all()

    # The writer again.

    def _close_session(self, *, whole: bool) -> None:
        """Close the session; if all was written and `finish` asked for it, it is complete."""
        session, complete = self._session, self._complete if whole else None
        try:
            if complete is not None:
                # Also of a source without a frame.
                session = self._opened()
                session.set_source_notice(complete.notice)
                session.mark_complete()
                if self._results is not None:
                    session.log(PROGRAM, WRITTEN, logged_hashes(self._results()))
        except SemcError as error:
            with self._changed:
                self._session_fault = _("The session was not completed. {fault}", fault=error)
        try:
            if session is not None:
                session.close()
        except SemcError as error:
            with self._changed:
                self._session_fault = _("The session was not closed. {fault}", fault=error)
