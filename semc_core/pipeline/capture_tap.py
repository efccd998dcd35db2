"""From the capture thread to the sink: every frame that may be classified, in order; and recording them."""

from __future__ import annotations

import threading

from semc_core.errors import SaveError
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.pipeline.sink import PlaneSink, RecordingState
from semc_core.types import FramePacket


class CaptureTap:
    """Hand each captured frame to the sink, by reference, and let the user record.

    A live source gives frames before there is a sink. The newest of them may be the first that is
    classified, so it is kept until then: whatever is classified can be recorded. For any thread; nothing
    waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sink: PlaneSink[object] | None = None
        self._newest: FramePacket | None = None

    @property
    def recording(self) -> RecordingState | None:
        """The recording that runs, or ran last; None if there was none."""
        with self._lock:
            sink = self._sink
        return None if sink is None else sink.recording

    def start_recording(self, quality: Quality = Quality.COMPACT) -> None:
        """Record from the next frame on. Nothing happens if a recording runs.

        Raises:
            SaveError: The scan has not begun, is over, or is not saved.
        """
        with self._lock:
            sink = self._sink
        if sink is None:
            raise SaveError(_("The scan has not begun yet; record it when it has."))
        sink.start_recording(quality)

    def stop_recording(self) -> None:
        """Record no further; what waits is still written."""
        with self._lock:
            sink = self._sink
        if sink is not None:
            sink.stop_recording()

    def captured(self, packet: FramePacket) -> None:
        """Take a frame, before the inference thread can have it."""
        with self._lock:
            if self._sink is None:
                self._newest = packet
            else:
                self._sink.captured(packet)

    def connect(self, sink: PlaneSink[object]) -> None:
        """From now on frames go to `sink`, first the newest there was."""
        with self._lock:
            self._sink = sink
            newest, self._newest = self._newest, None
            if newest is not None:
                sink.captured(newest)
