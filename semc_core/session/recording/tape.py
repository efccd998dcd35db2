"""Everything that is done with the frames of a scan as they come: recordings, and clips around planes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from semc_core.errors import SaveError
from semc_core.io.video_encoder import Quality
from semc_core.pipeline.detector import HoldEvent
from semc_core.session.recording.clips import ClipMaker, ClipSettings
from semc_core.session.recording.recorder import Recorder, RecordingState
from semc_core.types import FramePacket


class Tape:
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
                raise SaveError("The scan is over; start a new one to record it.")
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
