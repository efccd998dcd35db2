"""Why a live source gives no pictures at the moment, in words, and how long that took when it is over."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from semc_core.types import SourceInfo

SILENT_AFTER_S: Final = 1.5
"""A source that gave nothing for so long is said to be silent, though nobody knows why yet."""
_TOLD_S: Final = 10.0
"""So long is told that the scan went on."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and when it was true first, `time.monotonic()`."""

    sentence: str
    at_s: float


class OutageTeller:
    """What is told of a source that comes and goes. For any thread.

    The device says by `began` what it knows; where it hangs in a driver or in the network and says nothing,
    the silence is told all the same, as it is measured when somebody asks.
    """

    def __init__(self, name: str, silent_after_s: float = SILENT_AFTER_S) -> None:
        """`name` begins the sentences."""
        self._name, self._silent_after_s = name, silent_after_s
        self._lock = threading.Lock()
        self._came_s: float | None = None
        self._why = ""
        self._over: Told | None = None

    def came(self, now_s: float) -> None:
        """A picture came at `now_s`, `time.monotonic()`: what kept it is over."""
        with self._lock:
            away_s = 0.0 if self._came_s is None else now_s - self._came_s
            if self._came_s is not None and (self._why or away_s > self._silent_after_s):
                self._over = Told(
                    f"{self._name} gave no pictures for {away_s:.1f} s; the scan went on.", now_s
                )
            self._came_s, self._why = now_s, ""

    def began(self, why: str) -> None:
        """No picture comes, and this sentence says why."""
        with self._lock:
            self._why = why

    def told(self, now_s: float) -> str:
        """The sentence to show now, or ""."""
        with self._lock:
            if self._why:
                return self._why
            if self._came_s is not None and now_s - self._came_s > self._silent_after_s:
                return (
                    f"{self._name} gives no pictures at the moment; the scan goes on when it does. Check its "
                    "cable and the scanner's output."
                )
            over = self._over
            return over.sentence if over is not None and now_s - over.at_s < _TOLD_S else ""

    def added_to(self, info: SourceInfo) -> SourceInfo:
        """`info` with what is to be told now before its own notice."""
        told = self.told(time.monotonic())
        return replace(info, notice=f"{told} {info.notice}".strip()) if told else info
