"""All that can be said of one frame of a loop, wherever the analysis is.

Which frames of a hold would show its plane well. Decided from the log; no picture is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging import quality
from semc_core.imaging.colour import is_coloured
from semc_core.imaging.crop import crop_and_sector, sector_in
from semc_core.imaging.preprocess import Outline, prepare
from semc_core.imaging.score.meter import QualityMeter
from semc_core.labels import NON_STANDARD
from semc_core.pipeline.detector import CONFIDENCE_MARGIN
from semc_core.pipeline.stages import inside, judged
from semc_core.review.shared_runtime import logged_prediction
from semc_core.session.records import PICTURES, FrameTable, ModelEntry, PlaneEntry
from semc_core.types import Crop, FramePacket, FrameResult, Prediction

Classify = Callable[[NDArray[np.float32]], Prediction]
"""float32 (1, C, h, w) from `preprocess.prepare` -> the model's answer, with maps."""


def row_of(table: FrameTable, index: int) -> int | None:
    """The row of the frame with this index; None if it was not analysed."""
    row = int(np.searchsorted(table.index, index))
    return row if row < len(table) and table.index[row] == index else None


def look(packet: FramePacket, table: FrameTable, model: ModelEntry, classify: Classify | None) -> FrameResult:
    """The result of one frame.

    Of a frame that was analysed, what the analysis concluded; the model adds the maps only. Of another, what
    the model says of it alone: not smoothed, in the region of interest of the last frame analysed before it.

    Args:
        packet: The frame.
        table: What was analysed so far.
        model: Classes, thresholds and preprocessing.
        classify: None if there is no model: no maps then, and nothing of frames that were not analysed.

    Raises:
        SemcError: The model could not be run.
    """
    row = row_of(table, packet.index)
    if row is None:
        return _by_itself(packet, table, model, classify)
    crop = Crop(*(int(side) for side in table.crop[row]))
    picture = PICTURES[int(table.picture[row])]
    prediction = None
    outline: Outline = ()
    if not np.isnan(table.probabilities[row]).any():
        prediction = logged_prediction(table, row)
        if classify is not None:
            outline = sector_in(packet.picture, crop)
            fresh = classify(prepare(packet.gray, crop, model.preprocessing, outline)[None])
            prediction = replace(prediction, maps=fresh.maps)
    label = model.classes[int(table.label[row])]
    return FrameResult(
        packet=packet,
        prediction=prediction,
        smoothed=table.smoothed[row],
        label=NON_STANDARD if label == model.none_class else label,
        confidence=float(table.confidence[row]),
        crop=crop,
        picture=picture,
        classified_s=time.monotonic(),
        moving=bool(table.moving[row]),
        quality=table.quality_at(row),
        outline=outline,
    )


def _by_itself(
    packet: FramePacket, table: FrameTable, model: ModelEntry, classify: Classify | None
) -> FrameResult:
    near, outline = _nearby_crop(packet, table), None
    if near is None:
        near, outline = crop_and_sector(packet.picture)
    crop = near
    outline = sector_in(packet.picture, crop) if outline is None else outline
    picture = still_picture(packet, crop, outline)
    prediction = judgement = None
    if picture == quality.LIVE and classify is not None:
        prediction = classify(prepare(packet.gray, crop, model.preprocessing, outline)[None])
    none = model.classes.index(model.none_class)
    alone = np.eye(len(model.classes), dtype=np.float32)[none]
    if prediction is not None:
        alone = prediction.probabilities
    planes = np.where(np.arange(len(alone)) == none, -1.0, alone)
    top = int(planes.argmax())
    named = prediction is not None and planes[top] >= model.thresholds.enter
    if prediction is not None:
        measured = QualityMeter().update(packet, crop, outline, moving=True)
        judgement = judged(measured.measures(), prediction, top, none)
    return FrameResult(
        packet=packet,
        prediction=prediction,
        smoothed=alone,
        label=model.classes[top] if named else NON_STANDARD,
        confidence=float(alone[top if named else none]),
        crop=crop,
        picture=picture,
        classified_s=time.monotonic(),
        quality=judgement,
        outline=outline,
    )


def still_picture(packet: FramePacket, crop: Crop, outline: Outline = ()) -> str:
    """What can be said of a picture alone: all but that it is frozen; see `quality.QualityGate`."""
    picture = quality.QualityGate().update(packet, crop).picture
    coloured = picture == quality.LIVE and is_coloured(packet.picture, crop, outline)
    return quality.COLOUR if coloured else picture


def _nearby_crop(packet: FramePacket, table: FrameTable) -> Crop | None:
    """The region of the last frame analysed before, if there is one and it fits."""
    row = int(np.searchsorted(table.index, packet.index)) - 1
    return None if row < 0 else inside(Crop(*(int(side) for side in table.crop[row])), packet.gray)


def is_known(table: FrameTable | None, index: int) -> bool:
    """Whether the table holds frame `index`."""
    return table is not None and row_of(table, index) is not None


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
    own measure: the best picture of those within `CONFIDENCE_MARGIN` of its highest score. Only frames in
    which the plane was named, and which keep it up by themselves; where there is none (a person renamed it),
    all live ones.
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
    return int(sure[np.nan_to_num(table.merit[sure], nan=-1.0).argmax()])


def _number(plane: PlaneEntry, model: ModelEntry) -> int | None:
    """The class that the hold was of: as it stands now or, if the model does not know that, as found."""
    for name in (plane.plane, plane.found_as):
        if name in model.classes and name != model.none_class:
            return model.classes.index(name)
    return None
