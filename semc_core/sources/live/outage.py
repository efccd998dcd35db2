"""Why a live source gives no pictures at the moment, or too few, in words; and when that is over."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from semc_core.io.slept import asleep_s, slept_sentence
from semc_core.language import _, decimal, english, joined
from semc_core.types import SourceInfo

SILENT_AFTER_S: Final = 1.5
"""A source that gave nothing for so long is said to be silent, though nobody knows why yet."""
COLLAPSED: Final = 0.5
"""Of the rate of a card, which it was asked for, or which came before; less is told within a second."""
COLLAPSED_STREAM: Final = 1 / 3
"""Of the rate at which a stream came before: networks are less even than cards."""
_USUAL_S: Final = 5
_LEAST_USUAL: Final = 5
"""Frames per second; of what comes more slowly a second says nothing."""
_REMEMBERED_S: Final = 30
"""A scanner that sends its own rate has another with colour: after so long that is the usual one."""
_SLEPT_S: Final = 1.0
_WINDOW_S: Final = 1.0
NO_PICTURES: Final = "no pictures"
SLOW: Final = "slow"
_TOLD_S: Final = 10.0
"""So long is told that the scan went on."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and when it was true first, `time.monotonic()`."""

    sentence: str
    at_s: float


class _UsualRate:
    """What a source gave before that was asked for no rate.

    Attributes:
        rate: Pictures that came in each of five seconds in a row at least, where they were most in the last
            half minute with a rate that can be one; None before.
    """

    def __init__(self) -> None:
        self.rate: int | None = None
        self._lately: deque[int] = deque(maxlen=_REMEMBERED_S)
        self.pause()

    def pause(self) -> None:
        """It was away: what came before and what comes after are not in a row."""
        self._counts: deque[int] = deque(maxlen=_USUAL_S)
        self._begun_s: float | None = None
        self._count = 0

    def came(self, now_s: float) -> None:
        """A picture came."""
        self._begun_s = now_s if self._begun_s is None else self._begun_s
        while now_s - self._begun_s >= 1:
            self._counts.append(self._count)
            self._begun_s, self._count = self._begun_s + 1, 0
            if len(self._counts) == _USUAL_S and min(self._counts) >= _LEAST_USUAL:
                self._lately.append(min(self._counts))
                self.rate = max(self._lately)
        self._count += 1


class OutageTeller:
    """What is told of a source that comes and goes. For any thread.

    The device says by `began` what it knows; where it hangs in a driver or in the network and says nothing,
    the silence is told all the same, as it is measured when somebody asks.

    Attributes:
        rate_is_told: The device says itself, in its own notice, that another rate comes than was asked for.
    """

    def __init__(self, name: str, silent_after_s: float = SILENT_AFTER_S) -> None:
        """`name` begins the sentences."""
        self._name, self._silent_after_s = name, silent_after_s
        self._lock = threading.Lock()
        self._came_s: float | None = None
        self._asleep_s = asleep_s()
        self._why = self._last_why = ""
        self._over: Told | None = None
        self._arrivals_s: deque[float] = deque()
        self._since_s: float | None = None
        self._usual = _UsualRate()
        self.rate_is_told = False

    def came(self, now_s: float, *, own_pace: bool = True) -> None:
        """A picture came: what kept it is over.

        Args:
            now_s: `time.monotonic()`.
            own_pace: Whether the source gives them when they are there, and not as fast as they are read.
        """
        with self._lock:
            away_s = 0.0 if self._came_s is None else now_s - self._came_s
            slept_s, self._asleep_s = asleep_s() - self._asleep_s, asleep_s()
            if self._came_s is not None and slept_s > _SLEPT_S:
                self._over = Told(slept_sentence(slept_s), now_s)
                self._since_s = None
            elif self._came_s is not None and (self._why or away_s > self._silent_after_s):
                self._over = Told(
                    _(
                        "{name} gave no pictures for {seconds} s; the scan went on.",
                        name=self._name,
                        seconds=decimal(away_s, 1),
                    ),
                    now_s,
                )
                self._since_s = None  # what came before says nothing of the rate
            if self._since_s is None:
                self._since_s = now_s
                self._arrivals_s.clear()
                self._usual.pause()
            self._arrivals_s.append(now_s)
            if own_pace:
                self._usual.came(now_s)
            self._came_s, self._why = now_s, ""

    def began(self, why: str) -> None:
        """No picture comes, and this sentence says why."""
        with self._lock:
            self._why = self._last_why = why

    def added_to(self, info: SourceInfo) -> SourceInfo:
        """`info` with what is to be told now before its own notice, and what is the matter."""
        now_s = time.monotonic()
        with self._lock:
            if silent := self._silent(now_s):
                # What was measured of size and rate is not true now.
                return replace(info, notice=silent, trouble=NO_PICTURES, outage=english(silent))
            told: list[str] = []
            slow = self._slow(info, now_s)
            if slow and not self.rate_is_told:
                told.append(slow)
            if self._over is not None and now_s - self._over.at_s < _TOLD_S:
                told.append(self._over.sentence)
            if not told and not slow and not self._last_why:
                return info
            notice = joined([*told, info.notice])
            why = english(slow or self._last_why)
            return replace(info, notice=notice, trouble=SLOW if slow else "", outage=why)

    def _silent(self, now_s: float) -> str:
        """Why nothing comes; "" where something does."""
        if self._why:
            return self._why
        if self._came_s is None or now_s - self._came_s <= self._silent_after_s:
            return ""
        return _(
            "{name} gives no pictures at the moment; the scan goes on when it does. Check its cable and the "
            "scanner's output.",
            name=self._name,
        )

    def _slow(self, info: SourceInfo, now_s: float) -> str:
        """That far too few pictures come; "" where that is not so."""
        usual = self._usual.rate
        if info.kind == "camera":
            rate = info.frame_rate or usual
            if rate is None or not self._is_slow(COLLAPSED * rate, now_s):
                return ""
            return _(
                "Less than half of the {rate} frames/s come from {name}; check its cable, and what "
                "else uses the same port.",
                rate=f"{rate:g}",
                name=self._name,
            )
        # What a stream announces is often made up by its container.
        if usual is None or not self._is_slow(COLLAPSED_STREAM * usual, now_s):
            return ""
        return _(
            "Less than a third of the {rate} frames/s that came before come from {name}; check the sender "
            "and the network.",
            rate=usual,
            name=self._name,
        )

    def _is_slow(self, rate: float, now_s: float) -> bool:
        """Whether less than `rate` pictures per second came in the last second."""
        while self._arrivals_s and now_s - self._arrivals_s[0] > _WINDOW_S:
            self._arrivals_s.popleft()
        if self._since_s is None or now_s - self._since_s < _WINDOW_S:
            return False
        return len(self._arrivals_s) < rate * _WINDOW_S
