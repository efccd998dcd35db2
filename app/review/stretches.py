"""Where in a loop the model is in doubt, and where a person decided. Pure functions. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.session.records import PERSON, PICTURES, FrameTable, ModelEntry, PlaneEntry, RegionEntry

_LEAST_SHARE: Final = 0.3
"""From this share of a plane on, and below the level at which it counts, the model is in doubt."""
_LEAST_S: Final = 0.15
_GAP_S: Final = 0.3
"""Frames as far apart as this are of one stretch."""
_RISES_S: Final = 0.5
"""So near to where a plane is named, it is the beginning or the end of that, and no doubt."""
_LIVE: Final = PICTURES.index("live")
_SAME_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch of time, in seconds, and what it may show.

    Attributes:
        start_s: Time of its first frame.
        end_s: Time of its last.
        plane: The most probable plane at its surest frame.
        share: The plane's probability there, 0-1.
    """

    start_s: float
    end_s: float
    plane: str
    share: float


def doubts(table: FrameTable | None, model: ModelEntry) -> tuple[Doubt, ...]:
    """Where the model sees something of a plane, and is not sure enough to name it; in order of time.

    Args:
        table: What was analysed so far; None: nothing.
        model: Its classes, and the level at which a plane counts.
    """
    if table is None or not len(table):
        return ()
    planes = np.array([i for i, name in enumerate(model.classes) if name != model.none_class])
    likely = planes[table.smoothed[:, planes].argmax(axis=1)]
    best = table.smoothed[np.arange(len(table)), likely]
    named = table.label != model.classes.index(model.none_class)
    unsure = (best >= _LEAST_SHARE) & (best < model.thresholds.enter) & ~named & (table.picture == _LIVE)
    for number in np.unique(likely[unsure]):
        unsure &= (likely != number) | ~_near(table.pts_s, table.pts_s[table.label == number])
    rows = np.flatnonzero(unsure)
    if not len(rows):
        return ()
    apart = np.flatnonzero(np.diff(table.pts_s[rows]) > _GAP_S) + 1
    found = []
    for part in np.split(rows, apart):
        start_s, end_s = float(table.pts_s[part[0]]), float(table.pts_s[part[-1]])
        if end_s - start_s >= _LEAST_S:
            surest = int(part[best[part].argmax()])
            found.append(Doubt(start_s, end_s, model.classes[likely[surest]], float(best[surest])))
    return tuple(found)


def _near(times_s: NDArray[np.float64], others_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each time lies no further than `_RISES_S` from one of the others, which rise."""
    if not len(others_s):
        return np.zeros(len(times_s), np.bool_)
    after = np.searchsorted(others_s, times_s).clip(0, len(others_s) - 1)
    before = (after - 1).clip(0)
    apart = np.minimum(np.abs(others_s[after] - times_s), np.abs(others_s[before] - times_s))
    near: NDArray[np.bool_] = apart <= _RISES_S
    return near


def corrected_times(planes: Iterable[PlaneEntry], regions: Iterable[RegionEntry]) -> tuple[float, ...]:
    """When a person decided something: planes named, rejected, chosen or added, regions marked. Rising."""
    times = {plane.time_s for plane in planes if plane.chosen_by == PERSON}
    return tuple(sorted(times | {region.start_s for region in regions}))


def next_time(times_s: Sequence[float], now_s: float, step: int) -> float | None:
    """The next of rising times after now (1), or the one before (-1); None where there is none."""
    if step > 0:
        return next((time_s for time_s in times_s if time_s > now_s + _SAME_S), None)
    return next((time_s for time_s in reversed(times_s) if time_s < now_s - _SAME_S), None)
