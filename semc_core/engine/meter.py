"""Counting frames and measuring durations, from several threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

import numpy as np

from semc_core.engine.mailbox import LatestMailbox
from semc_core.engine.state import Spread, Statistics
from semc_core.frames import FramePacket

RATE_WINDOW_S: Final = 3.0
_KEPT: Final = 1000


class Meter:
    """Every frame is counted once, under one lock, so that the sum holds at any moment.

    `frames_in == classified + skipped + dropped + in_flight`
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames_in = 0
        self._classified = 0
        self._skipped = 0
        self._dropped = 0
        self._planes: set[int] = set()
        self._arrivals: deque[float] = deque(maxlen=_KEPT)
        self._answers: deque[float] = deque(maxlen=_KEPT)
        self._model_s: deque[float] = deque(maxlen=_KEPT)
        self._latency_s: deque[float] = deque(maxlen=_KEPT)

    def arrived(self, packet: FramePacket, frames: LatestMailbox[FramePacket]) -> None:
        """Put a frame that was read into the mailbox; the one it replaces is dropped."""
        with self._lock:
            self._frames_in += 1
            self._arrivals.append(time.monotonic())
            self._dropped += frames.put(packet)

    def classified(self, model_s: float, latency_s: float) -> None:
        """The model has answered a frame; durations in seconds."""
        with self._lock:
            self._classified += 1
            self._answers.append(time.monotonic())
            self._model_s.append(model_s)
            self._latency_s.append(latency_s)

    def skipped(self) -> None:
        """A frame was not given to the model."""
        with self._lock:
            self._skipped += 1

    def abandoned(self) -> None:
        """The scan is over: what was never answered counts as dropped."""
        with self._lock:
            self._dropped = self._frames_in - self._classified - self._skipped

    def saved(self, hold_id: int) -> None:
        """A plane was saved; a better frame of the same hold does not count again."""
        with self._lock:
            self._planes.add(hold_id)

    def statistics(self) -> Statistics:
        """Everything, at this moment."""
        now_s = time.monotonic()
        with self._lock:
            return Statistics(
                frames_in=self._frames_in,
                classified=self._classified,
                skipped=self._skipped,
                dropped=self._dropped,
                in_flight=self._frames_in - self._classified - self._skipped - self._dropped,
                capture_rate=_rate(self._arrivals, now_s),
                classify_rate=_rate(self._answers, now_s),
                model=_spread(self._model_s),
                latency=_spread(self._latency_s),
                planes_saved=len(self._planes),
            )


def _rate(moments_s: deque[float], now_s: float) -> float:
    """Events per second over the last `RATE_WINDOW_S`, or since the first if that is less."""
    recent = [moment for moment in moments_s if now_s - moment <= RATE_WINDOW_S]
    if len(recent) < 2:
        return 0.0
    # Up to now, not up to the last event: a source that stops must show as slow.
    return (len(recent) - 1) / max(now_s - recent[0], 1e-3)


def _spread(durations_s: deque[float]) -> Spread:
    if not durations_s:
        return Spread()
    p50, p95, p99 = np.percentile(np.array(durations_s) * 1000, (50, 95, 99))
    return Spread(float(p50), float(p95), float(p99))
