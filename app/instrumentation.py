"""What a run of the window costs: gaps of its timer, delays, memory; written as JSON. No Qt here."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from semc_core.io.process import resident_mib
from semc_core.pipeline.state import Spread, Statistics

RECENT_S: Final = 10.0


class RecentValues:
    """Values with their times; those of the last ten seconds can be summed up, and all are kept if asked.

    Attributes:
        all: Every value since the start, if `keep` is on.
    """

    def __init__(self, keep: bool = False) -> None:
        self._keep = keep
        self._recent: deque[tuple[float, float]] = deque()
        self.all: list[float] = []

    def add(self, now_s: float, value: float) -> None:
        """Take a value."""
        self._recent.append((now_s, value))
        while now_s - self._recent[0][0] > RECENT_S:
            self._recent.popleft()
        if self._keep:
            self.all.append(value)

    @property
    def largest(self) -> float:
        """The largest recent value; 0 without one."""
        return max((value for _, value in self._recent), default=0.0)

    def spread(self) -> Spread:
        """Percentiles of the recent values, which are milliseconds."""
        return spread_of([value for _, value in self._recent])

    def clear(self) -> None:
        """Forget the recent values."""
        self._recent.clear()


def spread_of(values_ms: list[float]) -> Spread:
    """Percentiles; zeros without values."""
    if not values_ms:
        return Spread()
    return Spread(*(float(value) for value in np.percentile(values_ms, (50, 95, 99))))


class TickGaps:
    """The time between two ticks of the window's timer: how long the window did not answer, milliseconds.

    Attributes:
        longest_ms: Since the start.
        over_100: How many were longer than 100 ms.
    """

    def __init__(self) -> None:
        self._recent = RecentValues()
        self._last_s: float | None = None
        self.longest_ms = 0.0
        self.over_100 = 0

    def tick(self, now_s: float) -> None:
        """The timer fired."""
        if self._last_s is not None:
            gap_ms = (now_s - self._last_s) * 1000
            self._recent.add(now_s, gap_ms)
            self.longest_ms = max(self.longest_ms, gap_ms)
            self.over_100 += gap_ms > 100
        self._last_s = now_s

    @property
    def recent_ms(self) -> float:
        """The longest of the last ten seconds."""
        return self._recent.largest


class Recorder:
    """Samples memory and processor time; `report` sums up."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()
        self._cpu_s = time.process_time()
        self._memory: list[tuple[float, float]] = []

    def sample(self) -> None:
        """Take a sample; once a second is enough."""
        self._memory.append((round(time.monotonic() - self._begun_s, 2), round(resident_mib(), 1)))

    def report(self, statistics: Statistics, latencies_ms: list[float], gaps: TickGaps) -> dict[str, object]:
        """Plain JSON values; names carry their units."""
        return {
            "seconds": round(time.monotonic() - self._begun_s, 2),
            "cpu_s": round(time.process_time() - self._cpu_s, 2),
            "engine": asdict(statistics),
            "capture_to_overlay": {**asdict(spread_of(latencies_ms)), "painted": len(latencies_ms)},
            "window": {"longest_gap_ms": round(gaps.longest_ms, 1), "gaps_over_100_ms": gaps.over_100},
            "rss_mib": self._memory,
        }


def write_report(path: Path, report: dict[str, object]) -> None:
    """Write it as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
