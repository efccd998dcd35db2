"""How long actions took until they were answered, for the programs that measure it."""

from __future__ import annotations

import numpy as np

LATE_MS = 100.0
"""An action should be answered by then."""


class ActionTimes:
    """Notes times by the name of the action."""

    def __init__(self) -> None:
        self._taken_ms: dict[str, list[float]] = {}

    def note(self, name: str, taken_s: float) -> None:
        """An action took so long, seconds."""
        self._taken_ms.setdefault(name, []).append(1000 * taken_s)

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
        self._taken_ms.clear()
