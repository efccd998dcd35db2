"""How long actions took until they were answered, and the memory, for the programs that measure it."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Final

import numpy as np

LATE_MS: Final = 100.0
"""An action should be answered by then."""

_TOLD: Final = 10
_STAT: Final = Path("/proc/stat")
_STOLEN: Final = 8
"""Where in the first line of that file it says how long others had this machine's processors."""


def stolen_ms() -> float | None:
    """How long all processors together were wanted here while the host gave them to others; None if not told.

    Virtual machines on Linux tell it, in hundredths of a second.
    """
    if not _STAT.exists():
        return None
    with _STAT.open(encoding="ascii") as file:
        return 1000 * int(file.readline().split()[_STOLEN]) / os.sysconf("SC_CLK_TCK")


def memory_mib() -> float:
    """Resident memory of this program now. Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class ActionTimes:
    """Notes times by the name of the action; of those that were late, what others took of them."""

    def __init__(self) -> None:
        self._taken_ms: dict[str, list[float]] = {}
        self._late: list[str] = []
        self._alone_ms: list[float] = []
        self._stolen_ms = stolen_ms()
        self._collecting_since_s = 0.0
        self._collected_ms = 0.0
        gc.callbacks.append(self._collects)

    def begin(self) -> float:
        """An action begins; when, on the clock of `time.perf_counter`."""
        self._stolen_ms = stolen_ms()
        self._collected_ms = 0.0
        return time.perf_counter()

    def note(self, name: str, taken_s: float) -> None:
        """The action that began last took so long, seconds."""
        taken_ms = 1000 * taken_s
        self._taken_ms.setdefault(name, []).append(taken_ms)
        before_ms, now_ms = self._stolen_ms, stolen_ms()
        taken_away_ms = None if before_ms is None or now_ms is None else now_ms - before_ms
        if taken_away_ms == 0:
            self._alone_ms.append(taken_ms)
        if taken_ms > LATE_MS:
            stolen = "an unknown part" if taken_away_ms is None else f"{taken_away_ms:.0f} ms"
            self._late.append(
                f"late: {name}, {taken_ms:.0f} ms; the host took {stolen} of processors, the collector "
                f"{self._collected_ms:.0f} ms"
            )

    def _collects(self, phase: str, _info: dict[str, int]) -> None:
        """Python begins or ends a search for unused objects, in which no other thread runs."""
        now_s = time.perf_counter()
        if phase == "start":
            self._collecting_since_s = now_s
        else:
            self._collected_ms += 1000 * (now_s - self._collecting_since_s)

    def tell(self, when: str) -> None:
        """Print what was noted since the last time, in milliseconds."""
        print(when)
        for name, taken_ms in self._taken_ms.items():
            p50, p95 = np.percentile(taken_ms, (50, 95))
            late = sum(each > LATE_MS for each in taken_ms)
            print(
                f"{name:24} {len(taken_ms):5}  p50 {p50:6.1f}  p95 {p95:6.1f}  max {max(taken_ms):6.1f} ms, "
                f"{late} over {LATE_MS:.0f}"
            )
        if self._alone_ms:
            late = sum(each > LATE_MS for each in self._alone_ms)
            print(
                f"in {len(self._alone_ms)} of all the host took nothing: max {max(self._alone_ms):.1f} ms, "
                f"{late} over {LATE_MS:.0f}"
            )
        for line in self._late[:_TOLD]:
            print(line)
        if len(self._late) > _TOLD:
            print(f"and {len(self._late) - _TOLD} more that were late")
        self._taken_ms.clear()
        self._alone_ms.clear()
        self._late.clear()
