"""How fast objects are taken: more than so many in a minute wait for their answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

_AHEAD_S: Final = 10.0
"""So many seconds' worth of objects may come at once."""


class Pace:
    """Gives each object its moment. Safe from any thread."""

    def __init__(self, per_minute: int, now_s: Callable[[], float] = time.monotonic) -> None:
        """So many objects in a minute, in the mean."""
        self._every_s = 60.0 / per_minute
        self._now_s = now_s
        self._lock = threading.Lock()
        self._free_s = now_s()

    def wait_s(self) -> float:
        """Take a place; returns the seconds until its turn, 0 where there is room."""
        with self._lock:
            now_s = self._now_s()
            self._free_s = max(self._free_s, now_s) + self._every_s
            return max(0.0, self._free_s - now_s - max(_AHEAD_S, self._every_s))
