"""Counting frames and measuring durations, from several threads."""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from semc_core.pipeline.queues import LatestQueue
from semc_core.pipeline.state import Spread, Statistics
from semc_core.types import FramePacket

RATE_WINDOW_S: Final = 3.0
SPREAD_WINDOW_S: Final = 10.0
_KEPT: Final = 1000


class _Answer(NamedTuple):
    moment_s: float
    model_s: float
    latency_s: float


class FrameCounter:
    """Every frame is counted once, under one lock, so that the sum holds at any moment.

    `frames_in == classified + skipped + dropped + in_flight`

    What is in flight is counted by itself and is not the remainder: a frame that gets lost shows.
    """

    def __init__(self, *, keep_all: bool = False) -> None:
        """Start at nothing; `keep_all` also keeps every duration, for `whole_run`."""
        self._lock = threading.Lock()
        self._frames_in = 0
        self._classified = 0
        self._skipped = 0
        self._dropped = 0
        self._in_flight = 0
        self._interruptions = 0
        self._arrivals: deque[float] = deque(maxlen=_KEPT)
        self._answers: deque[float] = deque(maxlen=_KEPT)
        self._recent: deque[_Answer] = deque()
        # Flat numbers: what measures memory must not fill it.
        self._all_model_s, self._all_latency_s = array("d"), array("d")
        self._keep_all = keep_all

    def arrived(self, packet: FramePacket, frames: LatestQueue[FramePacket]) -> None:
        """Put a frame that was read into the queue; the one it replaces is dropped."""
        with self._lock:
            self._frames_in += 1
            self._arrivals.append(time.monotonic())
            self._in_flight += 1
            self._drop(frames.put(packet))

    def classified(self, model_s: float, latency_s: float) -> None:
        """The model has answered a frame; durations in seconds."""
        answer = _Answer(time.monotonic(), model_s, latency_s)
        with self._lock:
            self._classified += 1
            self._in_flight -= 1
            self._answers.append(answer.moment_s)
            self._recent.append(answer)
            while answer.moment_s - self._recent[0].moment_s > SPREAD_WINDOW_S:
                self._recent.popleft()
            if self._keep_all:
                self._all_model_s.append(model_s)
                self._all_latency_s.append(latency_s)

    def skipped(self) -> None:
        """A frame was not given to the model."""
        with self._lock:
            self._skipped += 1
            self._in_flight -= 1

    def interrupted(self) -> None:
        """A stretch of time without a live picture is over."""
        with self._lock:
            self._interruptions += 1

    def failed(self) -> None:
        """The model had a frame and gave no answer: it counts as dropped."""
        with self._lock:
            self._drop(True)

    def close(self, frames: LatestQueue[FramePacket]) -> None:
        """Close the queue; a frame still in it is dropped. May be called twice."""
        with self._lock:
            self._drop(frames.take() is not None)
            frames.close()

    def statistics(self) -> Statistics:
        """Everything, at this moment."""
        now_s = time.monotonic()
        with self._lock:
            recent = [answer for answer in self._recent if now_s - answer.moment_s <= SPREAD_WINDOW_S]
            return Statistics(
                frames_in=self._frames_in,
                classified=self._classified,
                skipped=self._skipped,
                dropped=self._dropped,
                in_flight=self._in_flight,
                interruptions=self._interruptions,
                capture_rate=_rate(self._arrivals, now_s),
                classify_rate=_rate(self._answers, now_s),
                model=_spread([answer.model_s for answer in recent]),
                latency=_spread([answer.latency_s for answer in recent]),
            )

    def whole_run(self, skip: int = 0) -> tuple[Spread, Spread]:
        """Time in the model and latency over all frames classified, without the first `skip`.

        Empty unless made with `keep_all`.
        """
        with self._lock:
            model_s, latency_s = self._all_model_s[skip:], self._all_latency_s[skip:]
        return _spread(model_s), _spread(latency_s)

    def _drop(self, dropped: bool) -> None:
        self._dropped += dropped
        self._in_flight -= dropped


def _rate(moments_s: deque[float], now_s: float) -> float:
    """Events per second over the last `RATE_WINDOW_S`, or since the first if that is less."""
    recent = [moment for moment in moments_s if now_s - moment <= RATE_WINDOW_S]
    if len(recent) < 2:
        return 0.0
    # Up to now, not up to the last event: a source that stops must show as slow.
    return (len(recent) - 1) / max(now_s - recent[0], 1e-3)


def _spread(durations_s: Sequence[float]) -> Spread:
    if not durations_s:
        return Spread()
    p50, p95, p99 = np.percentile(np.array(durations_s) * 1000, (50, 95, 99))
    return Spread(float(p50), float(p95), float(p99))
