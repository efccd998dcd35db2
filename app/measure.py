"""What a run of the window cost and lost, written as JSON: for benchmarks and bug reports. No Qt here."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from app.instrumentation import GapMeter, spread_of
from semc_core.pipeline.state import Statistics


def resident_mib() -> float:
    """Memory in use by this process now, MiB; where the system does not say, the most it ever used."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        if sys.platform == "win32":
            return 0.0
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Recorder:
    """Samples memory and processor time; `report` sums up."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()
        self._cpu_s = time.process_time()
        self._memory: list[tuple[float, float]] = []

    def sample(self) -> None:
        """Take a sample; once a second is enough."""
        self._memory.append((round(time.monotonic() - self._begun_s, 2), round(resident_mib(), 1)))

    def report(self, statistics: Statistics, latencies_ms: list[float], gaps: GapMeter) -> dict[str, object]:
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
