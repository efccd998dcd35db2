"""Which frames of a hold would show its plane well. Decided from the log; no picture is needed."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.pipeline.detector import CONFIDENCE_MARGIN
from semc_core.session.records import PICTURES, FrameTable, ModelEntry, PlaneEntry

_AROUND_S: Final = 1.0
"""A plane that a person added is no hold; its neighbours in time are offered then."""

_LIVE: Final = PICTURES.index("live")


def hold_span(plane: PlaneEntry) -> tuple[float, float]:
    """From when to when frames of `plane` are looked for, seconds."""
    if plane.end_s > plane.start_s:
        return plane.start_s, plane.end_s
    return plane.time_s - _AROUND_S, plane.time_s + _AROUND_S


def best_frames(table: FrameTable, plane: PlaneEntry, model: ModelEntry, count: int) -> FrameTable:
    """At most `count` analysed frames of the hold of `plane`, in order of time, none where none is.

    The hold is divided into `count` equal stretches of time, and each gives its best frame by the detector's
    own measure: the sharpest of those within `CONFIDENCE_MARGIN` of its highest score. Only frames in which
    the plane was named, and which keep it up by themselves; where there is none (a person renamed it), all
    live ones.
    """
    held = table.between(*hold_span(plane))
    rows = np.flatnonzero((held.picture == _LIVE) & ~np.isnan(held.probabilities).any(axis=1))
    score = scores(held, plane, model)
    named = rows[held.label[rows] == _number(plane, model)]
    rows = named if len(named) else rows
    # At its end a hold has frames that are named only because the probabilities are smoothed.
    sure = rows[score[rows] >= model.thresholds.leave]
    rows = sure if len(sure) else rows
    if not len(rows) or count < 1:
        return chosen(held, rows[:0])
    times_s = held.pts_s[rows]
    edges = np.linspace(times_s[0], times_s[-1], count + 1)[1:-1]
    stretch = np.searchsorted(edges, times_s, "right")
    best = [_best(held, rows[stretch == one], score) for one in range(count) if (stretch == one).any()]
    return chosen(held, np.array(best, np.intp))


def scores(table: FrameTable, plane: PlaneEntry, model: ModelEntry) -> NDArray[np.float32]:
    """The detector's score of each frame for `plane`, float32 (N,), 0 where it has none."""
    number = _number(plane, model)
    if number is None:
        return np.zeros(len(table), np.float32)
    lesser = np.fmin(table.probabilities[:, number], table.smoothed[:, number])
    return np.nan_to_num(np.asarray(lesser, np.float32))


def chosen(table: FrameTable, rows: NDArray[np.intp]) -> FrameTable:
    """Some rows of `table`."""
    return FrameTable(**{name: getattr(table, name)[rows] for name in FrameTable.__slots__})


def _best(table: FrameTable, rows: NDArray[np.intp], score: NDArray[np.float32]) -> int:
    sure = rows[score[rows] >= score[rows].max() - CONFIDENCE_MARGIN]
    return int(sure[np.nan_to_num(table.sharpness[sure], nan=-1.0).argmax()])


def _number(plane: PlaneEntry, model: ModelEntry) -> int | None:
    """The class that the hold was of: as it stands now or, if the model does not know that, as found."""
    for name in (plane.plane, plane.found_as):
        if name in model.classes and name != model.none_class:
            return model.classes.index(name)
    return None
