"""How long the same small work takes beside a scan: what a busy machine does to everything."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

import numpy as np

from semc_core.pipeline.statistics import SPREAD_WINDOW_S

_EVERY_S: Final = 0.2
_SIDE: Final = 320
_TIMES: Final = 4


class Control:
    """Does it on a thread, and keeps the durations of as long as the scan's latency is told of."""

    def __init__(self) -> None:
        """Begin; `close` ends it."""
        self._took_ms: deque[float] = deque(maxlen=round(SPREAD_WINDOW_S / _EVERY_S))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control")
        self._thread.start()

    @property
    def p95_ms(self) -> float:
        """Of what is kept; 0 before the first."""
        took = list(self._took_ms)
        return float(np.percentile(took, 95)) if took else 0.0

    def close(self) -> None:
        """End, and wait for it."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        work = np.random.default_rng(5).random((_SIDE, _SIDE))
        while not self._over.wait(_EVERY_S):
            begun_s = time.perf_counter()
            for _ in range(_TIMES):
                work = np.sort(work, axis=0)[::-1].T.copy()
            self._took_ms.append(1000 * (time.perf_counter() - begun_s))
