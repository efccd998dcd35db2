"""Where in a loop the model is in doubt, and where a person decided. Pure functions. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from semc_core.session.records import PERSON, PICTURES, FrameTable, ModelEntry, PlaneEntry, RegionEntry

_LEAST_SHARE: Final = 0.3
"""From this share of a plane on, and below the level at which it counts, the model is in doubt."""
_LEAST_S: Final = 0.15
_GAP_S: Final = 0.3
"""Frames as far apart as this are of one stretch."""
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
    planes = [i for i, name in enumerate(model.classes) if name != model.none_class]
    best = table.smoothed[:, planes].max(axis=1)
    named = table.label != model.classes.index(model.none_class)
    unsure = (best >= _LEAST_SHARE) & (best < model.thresholds.enter) & ~named & (table.picture == _LIVE)
    rows = np.flatnonzero(unsure)
    if not len(rows):
        return ()
    apart = np.flatnonzero(np.diff(table.pts_s[rows]) > _GAP_S) + 1
    found = []
    for part in np.split(rows, apart):
        start_s, end_s = float(table.pts_s[part[0]]), float(table.pts_s[part[-1]])
        if end_s - start_s >= _LEAST_S:
            surest = int(part[best[part].argmax()])
            plane = planes[int(table.smoothed[surest, planes].argmax())]
            found.append(Doubt(start_s, end_s, model.classes[plane], float(best[surest])))
    return tuple(found)


def corrected_times(planes: Iterable[PlaneEntry], regions: Iterable[RegionEntry]) -> tuple[float, ...]:
    """When a person decided something: planes named, rejected, chosen or added, regions marked. Rising."""
    times = {plane.time_s for plane in planes if plane.chosen_by == PERSON}
    return tuple(sorted(times | {region.start_s for region in regions}))


def next_time(times_s: Sequence[float], now_s: float, step: int) -> float | None:
    """The next of rising times after now (1), or the one before (-1); None where there is none."""
    if step > 0:
        return next((time_s for time_s in times_s if time_s > now_s + _SAME_S), None)
    return next((time_s for time_s in reversed(times_s) if time_s < now_s - _SAME_S), None)
