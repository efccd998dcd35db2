"""Recording a scan: frames go from the capture thread to an encoder thread, which writes them to a file.

Everything that is done with the frames of a scan as they come: recordings, and clips around planes.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError, SemcError
from semc_core.io.atomic import save_error
from semc_core.io.video_encoder import is_gray
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.pipeline.sink import RecordingState
from semc_core.session.recording.clips import ClipMaker, ClipSettings
from semc_core.session.recording.parts import PartWriter
from semc_core.types import FramePacket, HoldEvent

_log = logging.getLogger(__name__)

_WAITING_FRAMES: Final = 120
_WAITING_BYTES: Final = 128 * 2**20
_WAITING_S: Final = 0.75
"""With the quarter of a second that the file lags behind: what a kill loses, a second."""

_RESERVE_BYTES: Final = 256 * 2**20
_LOOK_EVERY_FRAMES: Final = 16
_AGAIN_S: Final = 1.0
"""So long after what could not be written it is tried again."""


class Recorder:
    """Write every frame it is given, in the order given, until `close`.

    A recording is one or more parts (see `parts`); a new one begins where the size of the frames changes, or
    where colour appears.

    `put` never waits: the packet, by reference, waits in a bounded queue, and what the encoder cannot take is
    lost to the recording and counted. What waits would be lost by a kill, so nothing waits long. What cannot
    be written (the disk is full, say) interrupts the recording, not the scan: once a second it is tried to go
    on in a new part. Some room is always left on the disk for the planes that are found.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        quality: Quality = Quality.COMPACT,
        *,
        reserve_bytes: int = _RESERVE_BYTES,
        waiting_bytes: int = _WAITING_BYTES,
        waiting_s: float = _WAITING_S,
        on_end: Callable[[RecordingState], None] | None = None,
    ) -> None:
        """Start the encoder. The first file is made with the first frame.

        Args:
            folder: Gives the session's folder, once it is there; called on the encoder's thread, may wait.
                Files in it are never written over. Raises SaveError if there will be none.
            quality: See there.
            reserve_bytes: The recording ends before less than this is free on the disk.
            waiting_bytes: Most bytes of pixels that may wait for the encoder.
            waiting_s: Longest wait of a frame, once the first was written, while more are taken.
            on_end: Called once, on the encoder's thread, when all is written.
        """
        self._folder = folder
        self._quality = quality
        self._reserve_bytes = reserve_bytes
        self._waiting_bytes = waiting_bytes
        self._waiting_s = waiting_s
        self._on_end = on_end
        self._changed = threading.Condition()
        self._waiting: deque[tuple[FramePacket, float]] = deque()
        self._bytes = 0
        self._closed = False
        self._frames = 0
        self._lost = 0
        self._first_s: float | None = None
        self._last_s = 0.0
        self._parts: dict[str, int] = {}
        self._fault = ""
        self._again_s: float | None = None
        self._part: PartWriter | None = None
        self._colour = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    @property
    def state(self) -> RecordingState:
        """How it stands at this moment. From any thread."""
        with self._changed:
            return RecordingState(
                active=not self._closed and (not self._fault or self._again_s is not None),
                quality=self._quality,
                frames=self._frames,
                lost=self._lost,
                seconds=0.0 if self._first_s is None else self._last_s - self._first_s,
                size_bytes=sum(self._parts.values()),
                parts=tuple(self._parts),
                fault=self._sentence(),
            )

    def put(self, packet: FramePacket) -> bool:
        """Take a frame; does not wait. False if it is lost to the recording."""
        size = packet.picture.nbytes
        with self._changed:
            if self._closed:
                return False
            now_s = time.monotonic()
            if self._is_full(size, now_s) or (self._fault and not self._is_due(now_s)):
                self._lost += 1
                return False
            # What others make of the picture is not counted, so it is not kept.
            self._waiting.append((packet.bare(), now_s))
            self._bytes += size
            self._changed.notify_all()
            return True

    def finish(self) -> None:
        """Take no more frames; what waits is written and the file ended. Does not wait for that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self) -> RecordingState:
        """As `finish`, and wait until it is done. May be called twice."""
        self.finish()
        self._thread.join()
        return self.state

    def _is_full(self, size: int, now_s: float) -> bool:
        """Whether a frame of `size` bytes cannot wait, too. With the condition held."""
        if not self._waiting:
            return False
        # The first waits for the session's folder.
        late = self._frames > 0 and now_s - self._waiting[0][1] > self._waiting_s
        return late or len(self._waiting) >= _WAITING_FRAMES or self._bytes + size > self._waiting_bytes

    def _is_due(self, now_s: float) -> bool:
        """Whether what could not be written is to be tried again. With the condition held."""
        return self._again_s is not None and now_s >= self._again_s

    def _sentence(self) -> str:
        """What the user is told of the fault. With the condition held."""
        if not self._fault or self._again_s is None:
            return self._fault
        if self._closed:
            return _("The recording was stopped. {fault} The scan goes on.", fault=self._fault)
        return _(
            "Nothing is recorded at the moment. {fault} The recording goes on by itself.", fault=self._fault
        )

    def _run(self) -> None:
        try:
            while (packet := self._next()) is not None:
                self._take(packet)
            try:
                self._end_part()
            except SemcError as error:
                self._fail(str(error), time.monotonic())
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: an error may name a file, and a file may be named after a patient.
            _log.error("The recording was stopped by a fault: %s", type(error).__name__)
            with suppress(SemcError, OSError):
                self._end_part()
            self._fail(_("The recording was stopped by an unexpected fault; see the log, and record again."))
        finally:
            if self._on_end is not None:
                self._on_end(self.state)

    def _take(self, packet: FramePacket) -> None:
        """Write a frame; where that fails, wait with the next until it may go again."""
        try:
            part = self._part_for(packet)
            part.write(packet)
        except SemcError as error:
            # What was written until now is read and proved; the rest goes into a part of its own.
            with suppress(SemcError):
                self._end_part()
            # Those that wait would find no room either.
            self._fail(str(error), time.monotonic() + _AGAIN_S, lost=1)
            return
        self._written(packet, part)

    def _next(self) -> FramePacket | None:
        """Wait for the frame that waits longest; None when closed and all are written."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            if not self._waiting:
                return None
            packet, _since_s = self._waiting.popleft()
            self._bytes -= packet.picture.nbytes
            return packet

    def _part_for(self, packet: FramePacket) -> PartWriter:
        """The part that `packet` goes to: the last, or a new one."""
        folder = self._folder()
        part = self._part
        if part is None or self._frames % _LOOK_EVERY_FRAMES == 0:
            self._check_room(folder)
        # Once there was colour, a gray picture in between is no reason for another part.
        self._colour = self._colour or not is_gray(packet.pixels)
        height, width = packet.picture.height, packet.picture.width
        if part is not None:
            if part.form == (width, height, not self._colour):
                return part
            self._end_part()
        new = self._part = PartWriter(folder, width, height, gray=not self._colour, quality=self._quality)
        with self._changed:
            self._parts[new.path.name] = 0
        return new

    def _end_part(self) -> None:
        """Raises SaveError; the part is ended all the same."""
        part, self._part = self._part, None
        if part is not None:
            try:
                part.close()
            finally:
                self._measure(part)

    def _check_room(self, folder: Path) -> None:
        """Raises SaveError before the recording takes the room that the planes need."""
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise save_error(folder, error) from error
        if free < self._reserve_bytes:
            raise SaveError(
                _(
                    "The disk is nearly full; free space for {folder}, or choose another folder.",
                    folder=folder,
                )
            )

    def _written(self, packet: FramePacket, part: PartWriter) -> None:
        if self._frames % _LOOK_EVERY_FRAMES == 0:
            self._measure(part)
        with self._changed:
            self._fault, self._again_s = "", None
            self._frames += 1
            if self._first_s is None:
                self._first_s = packet.pts_s
            self._last_s = packet.pts_s

    def _measure(self, part: PartWriter) -> None:
        size = part.size_bytes
        with self._changed:
            self._parts[part.path.name] = size

    def _fail(self, why: str, again_s: float | None = None, lost: int = 0) -> None:
        """Take no frames before `again_s`, or none at all; `lost` are missing beside those that wait."""
        with self._changed:
            self._fault, self._again_s = why, again_s
            self._lost += lost + len(self._waiting)
            self._waiting.clear()
            self._bytes = 0


class RecordingManager:
    """Frames go in; recordings, one after the other, and clips come out.

    For any thread; only `close` waits.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        clips: ClipSettings | None,
        on_clip: Callable[[int, str], None],
        on_recorded: Callable[[RecordingState], None],
    ) -> None:
        """Begin; nothing is written yet.

        Args:
            folder: Gives the session's folder, once it is there; may wait. Raises SaveError if there will be
                none.
            clips: None makes no clips.
            on_clip: Told a plane's number and its clip's name, on the clip writer's thread.
            on_recorded: Told of each recording at its end, on its own thread.
        """
        self._folder = folder
        self._on_recorded = on_recorded
        self._lock = threading.Lock()
        self._recorders: list[Recorder] = []
        self._closed = False
        self._clips = None if clips is None else ClipMaker(folder, clips, on_clip)

    @property
    def recording(self) -> RecordingState | None:
        """The recording that runs, or ran last; None if there was none."""
        with self._lock:
            recorder = self._recorders[-1] if self._recorders else None
        return None if recorder is None else recorder.state

    @property
    def fault(self) -> str:
        """The sentence about the recording or a clip that could not be written, or ""."""
        state = self.recording
        if state is not None and state.fault:
            return state.fault
        return "" if self._clips is None else self._clips.fault

    def put(self, packet: FramePacket) -> None:
        """Take the newest frame."""
        with self._lock:
            recorder = self._recorders[-1] if self._recorders else None
        if recorder is not None:
            recorder.put(packet)
        if self._clips is not None:
            self._clips.put(packet)

    def found(self, event: HoldEvent) -> None:
        """A plane was found, or there is news of one."""
        if self._clips is not None:
            self._clips.found(event)

    def start_recording(self, quality: Quality) -> None:
        """Record from the next frame on. Nothing happens if a recording runs.

        Raises:
            SaveError: The scan is over.
        """
        with self._lock:
            if self._closed:
                raise SaveError(_("The scan is over; start a new one to record it."))
            before = self._recorders[-1] if self._recorders else None
            if before is not None and before.state.active:
                return

            def folder() -> Path:
                if before is not None:
                    # The files of one recording are whole before those of the next begin.
                    before.close()
                return self._folder()

            self._recorders.append(Recorder(folder, quality, on_end=self._on_recorded))

    def stop_recording(self) -> None:
        """Record no further. What waits is still written, in the background."""
        with self._lock:
            if self._recorders:
                self._recorders[-1].finish()

    def close(self) -> None:
        """Write everything. May be called twice."""
        with self._lock:
            self._closed = True
            recorders = list(self._recorders)
        for recorder in recorders:
            recorder.finish()
        for recorder in recorders:
            recorder.close()
        if self._clips is not None:
            self._clips.close()
