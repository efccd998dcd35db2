"""What `semc bench glass` measures: when a frame stood on the screen, when it came, when it was painted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semc_core.errors import SemcError
from semc_core.imaging import bar_clock
from semc_core.sources.base import FrameSource, WrappedSource
from semc_core.sources.devices.true_delay import DelaySpread, TrueDelay
from semc_core.text import utc_now
from semc_core.types import FramePacket, SourceInfo


@dataclass(frozen=True, slots=True)
class _Read:
    """A frame whose clock was read: when it stood on the screen, came, and was taken as the program knows."""

    shown_s: float
    arrived_s: float
    captured_s: float


class GlassMeter:
    """Counts frames and keeps their times. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames = 0
        self._read: dict[int, _Read] = {}
        self._painted_s: dict[int, float] = {}

    def begin(self) -> None:
        """Forget what came while the model was loaded and began to run."""
        with self._lock:
            self._frames = 0
            self._read.clear()
            self._painted_s.clear()

    def came(self, packet: FramePacket, arrived_s: float) -> None:
        """A frame came at `arrived_s`, `time.monotonic()`."""
        value = bar_clock.read(packet.gray)
        age_ms = None if value is None else bar_clock.age_ms(value, arrived_s)
        with self._lock:
            self._frames += 1
            if age_ms is not None:
                shown_s = arrived_s - age_ms / 1000
                self._read[packet.index] = _Read(shown_s, arrived_s, packet.captured_s)

    def painted(self, index: int, at_s: float) -> None:
        """What was concluded from the frame `index` was painted at `at_s`, `time.monotonic()`."""
        with self._lock:
            self._painted_s.setdefault(index, at_s)

    def delay(self, info: SourceInfo) -> TrueDelay:
        """What came of it; `info` is the source's.

        Raises:
            SemcError: No clock was read, or nothing was painted.
        """
        with self._lock:
            frames, read, painted_s = self._frames, dict(self._read), dict(self._painted_s)
        if not read:
            raise SemcError(
                f"The clock was read in none of {frames} frames from {info.source_id}; put its window on the "
                "screen that the card films, as large as it goes, and neither mirrored nor turned."
            )
        whole = [(one, painted_s[index]) for index, one in read.items() if index in painted_s]
        if not whole:
            raise SemcError("Nothing was painted in that time; measure for longer (--seconds).")
        return TrueDelay(
            measured_utc=utc_now(),
            arrival=_spread([one.arrived_s - one.shown_s for one in read.values()]),
            overlay=_spread([at_s - one.shown_s for one, at_s in whole]),
            program=_spread([at_s - one.captured_s for one, at_s in whole]),
            timed_by=info.timed_by,
            frames=frames,
            read=len(read),
            painted=len(whole),
        )


class MeasuredSource(WrappedSource):
    """A `FrameSource` whose frames are looked at for the clock as they come."""

    def __init__(self, source: FrameSource, meter: GlassMeter) -> None:
        super().__init__(source)
        self._meter = meter

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        packet = self._source.read()
        if packet is not None:
            self._meter.came(packet, time.monotonic())
        return packet


def _spread(durations_s: Sequence[float]) -> DelaySpread:
    """Of at least one duration; none is below 0."""
    p50, p95, worst = np.percentile(np.maximum(durations_s, 0) * 1000, (50, 95, 100))
    return DelaySpread(round(float(p50), 1), round(float(p95), 1), round(float(worst), 1))
