"""Where the pipeline hands what it found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from semc_core.errors import SaveError
from semc_core.imaging.thumbnail import thumbnail
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.signal import SignalGap
from semc_core.types import FramePacket, FrameResult, HoldEvent, SavedPlane, SourceInfo, Thresholds

S_co = TypeVar("S_co", covariant=True)
"""Where a scan is kept: what the sink writes to, which the pipeline passes on and knows nothing of."""


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How a recording stands.

    Attributes:
        active: Whether frames are still taken.
        quality: What it is written in.
        frames: Written so far.
        lost: Not taken because the encoder or the disk was too slow, or after a fault.
        seconds: From the first to the last written frame.
        size_bytes: Of all parts so far.
        parts: Names of the files in the session's folder.
        fault: Why it was stopped, or takes no frames at the moment, a sentence; or "".
    """

    active: bool
    quality: Quality
    frames: int = 0
    lost: int = 0
    seconds: float = 0.0
    size_bytes: int = 0
    parts: tuple[str, ...] = ()
    fault: str = ""


class PlaneSink(Protocol[S_co]):
    """Takes what was found, and says what became of it. For any thread.

    Nothing waits but `close` and `wait_saved`.
    """

    @property
    def fault(self) -> str:
        """The sentence to show because something could not be written, or ""."""
        ...

    @property
    def kept(self) -> int:
        """How many planes there are now; a better frame of the same hold does not count again."""
        ...

    @property
    def session(self) -> S_co | None:
        """Where the scan is kept; None before there is something to keep, or if nothing is written."""
        ...

    @property
    def recording(self) -> RecordingState | None:
        """The recording that runs, or ran last; None if there was none."""
        ...

    def start_recording(self, quality: Quality) -> None:
        """Record from the next frame on. Raises SaveError if that cannot be."""
        ...

    def stop_recording(self) -> None:
        """Record no further."""
        ...

    def captured(self, packet: FramePacket) -> None:
        """Take a frame as it comes from the source, before it is classified."""
        ...

    def classified(self, result: FrameResult) -> None:
        """Take what was concluded from one frame; of those that could not be logged `fault` tells."""
        ...

    def interrupted(self, gap: SignalGap) -> None:
        """Take a stretch of time without a signal, for the log."""
        ...

    def submit(self, event: HoldEvent) -> bool:
        """Take an event. False after `close`."""
        ...

    def take_saved(self) -> list[SavedPlane]:
        """What is new or changed since the last call, in the order of the events."""
        ...

    def wait_saved(self, timeout_s: float) -> bool:
        """Wait until `take_saved` has something to give. Whether it has."""
        ...

    def close(self) -> None:
        """Wait until everything is written. May be called twice."""
        ...


SinkFactory = Callable[[SourceInfo, ModelSpec, Thresholds, str], PlaneSink[S_co]]
"""Called when the scan begins, with its source, model, thresholds and the device's name."""


class MemorySink:
    """Writes nothing; for when saving is off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[SavedPlane] = []
        self._holds: set[int] = set()
        self._closed = False

    @property
    def fault(self) -> str:
        """Always ""."""
        return ""

    @property
    def kept(self) -> int:
        """How many planes were found."""
        with self._lock:
            return len(self._holds)

    @property
    def session(self) -> None:
        """Always None."""
        return None

    @property
    def recording(self) -> None:
        """Always None."""
        return None

    def start_recording(self, quality: Quality) -> None:
        """Raises SaveError."""
        raise SaveError(_("Nothing of this scan is saved; switch saving on to record it."))

    def stop_recording(self) -> None:
        """There is none."""

    def captured(self, packet: FramePacket) -> None:
        """Nothing is recorded."""

    def classified(self, result: FrameResult) -> None:
        """Nothing is logged."""

    def interrupted(self, gap: SignalGap) -> None:
        """Nothing is logged."""

    def submit(self, event: HoldEvent) -> bool:
        """Remember what the strip of planes shows of the event."""
        plane = saved_plane(event, None)
        with self._lock:
            if self._closed:
                return False
            self._holds.add(event.hold_id)
            self._new.append(plane)
        return True

    def take_saved(self) -> list[SavedPlane]:
        """What is new since the last call."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def wait_saved(self, timeout_s: float) -> bool:
        """Nothing is written, so nothing is waited for."""
        with self._lock:
            return bool(self._new)

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._closed = True


def saved_plane(event: HoldEvent, png: Path | None) -> SavedPlane:
    """What the strip of planes shows of `event`; `png` is where its frame is, None if nowhere."""
    return SavedPlane(
        hold_id=event.hold_id,
        plane=event.plane,
        confidence=event.confidence,
        frame_index=event.best.packet.index,
        time_s=event.best.packet.pts_s,
        hold_start_s=event.start_s,
        hold_end_s=event.end_s,
        final=event.final,
        by_hand=event.by_hand,
        png=png,
        thumbnail=thumbnail(event.best.packet.pixels),
        quality=event.best.quality,
    )
