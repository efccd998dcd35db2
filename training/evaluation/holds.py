"""Matching the planes that were found against those that were truly held. Plain data, no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semc_core.labels import NON_STANDARD
from semc_core.phantom.planes import Truth

LEAST_HOLD_S: Final = 0.6
"""A shorter stay at a plane is passing by, and no hold."""


@dataclass(frozen=True, slots=True)
class TrueHold:
    """Consecutive frames that truly show one plane: first and last time, seconds."""

    plane: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FoundHold:
    """A plane that was saved: its hold, and the time of the saved frame, seconds."""

    plane: str
    start_s: float
    end_s: float
    saved_s: float


@dataclass(frozen=True, slots=True)
class HoldCounts:
    """Of one plane.

    Attributes:
        held: True holds.
        saved: Planes saved.
        right: Saves that match a true hold, each hold once.
        inside: Right saves whose frame lies inside the true hold.
    """

    held: int = 0
    saved: int = 0
    right: int = 0
    inside: int = 0

    def __add__(self, other: HoldCounts) -> HoldCounts:
        return HoldCounts(
            self.held + other.held,
            self.saved + other.saved,
            self.right + other.right,
            self.inside + other.inside,
        )

    def as_json(self) -> dict[str, float | int | None]:
        """Counts and shares; a share of nothing is None."""
        return {
            "held": self.held,
            "saved": self.saved,
            "right": self.right,
            "recall": self.right / self.held if self.held else None,
            "precision": self.right / self.saved if self.saved else None,
            "saved_inside": self.inside / self.right if self.right else None,
        }


def true_holds(truths: Sequence[Truth]) -> list[TrueHold]:
    """Runs of consecutive frames of one plane that last at least `LEAST_HOLD_S`, in order of time."""
    runs: list[TrueHold] = []
    before = NON_STANDARD
    for truth in truths:
        if truth.plane != NON_STANDARD:
            start_s = runs.pop().start_s if truth.plane == before else truth.time_s
            runs.append(TrueHold(truth.plane, start_s, truth.time_s))
        before = truth.plane
    return [run for run in runs if run.end_s - run.start_s >= LEAST_HOLD_S - 1e-6]


def match(truth: Sequence[TrueHold], found: Sequence[FoundHold]) -> dict[str, HoldCounts]:
    """Counts per plane.

    A save is right if its hold overlaps a true hold of its plane; the longest overlap is taken. Each true
    hold is matched once: a second save of it is wrong, and so is a save that meets none.
    """
    counts: dict[str, HoldCounts] = {}
    for hold in truth:
        counts[hold.plane] = counts.get(hold.plane, HoldCounts()) + HoldCounts(held=1)
    free = set(truth)
    for save in sorted(found, key=lambda save: save.start_s):
        meets = [hold for hold in free if hold.plane == save.plane and _overlap_s(hold, save) >= 0]
        own = HoldCounts(saved=1)
        if meets:
            best = max(meets, key=lambda hold: _overlap_s(hold, save))
            free.remove(best)
            own = HoldCounts(saved=1, right=1, inside=int(best.start_s <= save.saved_s <= best.end_s))
        counts[save.plane] = counts.get(save.plane, HoldCounts()) + own
    return counts


def _overlap_s(hold: TrueHold, save: FoundHold) -> float:
    return min(hold.end_s, save.end_s) - max(hold.start_s, save.start_s)
