"""How training goes with time: how much is done, the learning rate, and the picture size.

Progress runs from 0 to 1: by steps, which repeats exactly, or by time, which ends when it is said to, on any
machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from semc_core.errors import UsageError

_STAGES: Final = ((0.55, 0.8),)  # until this progress, this part of the full side
_GRANULE: Final = 32  # the network halves the picture five times


@dataclass(frozen=True, slots=True)
class Budget:
    """When training ends: after `steps`, or after `minutes`. One of them is None."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.steps, self.minutes) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise UsageError("Training needs an end: give either a number of steps or of minutes, above 0.")

    def progress(self, step: int, elapsed_s: float) -> float:
        """What part is done after `step` steps and `elapsed_s` seconds, 0-1."""
        done = step / self.steps if self.steps is not None else elapsed_s / (60 * (self.minutes or math.inf))
        return min(1.0, done)


class Pace:
    """Counts the time of steps. Time in which the process or the machine slept does not use up the budget."""

    def __init__(self) -> None:
        self._usual_s = 0.0

    def counted(self, took_s: float) -> float:
        """Seconds to count for a step that took `took_s`: ten times the usual at most."""
        if self._usual_s == 0.0:
            self._usual_s = took_s
        counted_s = min(took_s, 10 * self._usual_s)
        self._usual_s += 0.1 * (counted_s - self._usual_s)
        return counted_s


def rate_factor(progress: float, warm_up: float = 0.04, last: float = 0.01) -> float:
    """Learning rate as a part of its greatest: a linear rise until `warm_up`, half a cosine to `last`."""
    if progress < warm_up:
        return (progress + 0.001) / (warm_up + 0.001)
    share = (progress - warm_up) / (1 - warm_up)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * share))


def side_at(progress: float, full: int, progressive: bool) -> int:
    """Rows and columns of the pictures: small ones first, which are quicker, the real size at last."""
    if progressive:
        for until, part in _STAGES:
            if progress < until:
                return max(_GRANULE, round(full * part / _GRANULE) * _GRANULE)
    return full


def work_at(progress: float, full: int, progressive: bool) -> float:
    """What part of all computing is done at this progress, 0-1: a step takes time by the pixels it looks at.

    So the time left, reckoned from it, does not jump where the pictures become larger.
    """
    ends = (*(until for until, _ in _STAGES), 1.0)
    starts = (0.0, *ends[:-1])
    costs = [side_at(start, full, progressive) ** 2 for start in starts]

    def cost(until: float) -> float:
        parts = zip(starts, ends, costs, strict=True)
        return sum(max(0.0, min(until, end) - start) * each for start, end, each in parts)

    return cost(progress) / cost(1.0)
