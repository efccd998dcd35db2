"""All that can be said of one frame of a loop, wherever the analysis is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging import quality
from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import prepare, whole
from semc_core.imaging.sharpness import sharpness
from semc_core.labels import NON_STANDARD
from semc_core.pipeline.stages import inside
from semc_core.review.shared_runtime import logged_prediction
from semc_core.session.records import PICTURES, FrameTable, ModelEntry
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
    if not np.isnan(table.probabilities[row]).any():
        prediction = logged_prediction(table, row)
        if classify is not None:
            fresh = classify(prepare(packet.pixels, crop, model.preprocessing)[None])
            prediction = replace(prediction, maps=fresh.maps)
    label = model.classes[int(table.label[row])]
    sharp = float(table.sharpness[row])
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
        sharpness=None if np.isnan(sharp) else sharp,
    )


def _by_itself(
    packet: FramePacket, table: FrameTable, model: ModelEntry, classify: Classify | None
) -> FrameResult:
    crop = _nearby_crop(packet, table)
    picture = still_picture(packet, crop)
    prediction = None
    if picture == quality.LIVE and classify is not None:
        prediction = classify(prepare(packet.pixels, crop, model.preprocessing)[None])
    none = model.classes.index(model.none_class)
    alone = np.eye(len(model.classes), dtype=np.float32)[none]
    if prediction is not None:
        alone = prediction.probabilities
    planes = np.where(np.arange(len(alone)) == none, -1.0, alone)
    top = int(planes.argmax())
    named = prediction is not None and planes[top] >= model.thresholds.enter
    return FrameResult(
        packet=packet,
        prediction=prediction,
        smoothed=alone,
        label=model.classes[top] if named else NON_STANDARD,
        confidence=float(alone[top if named else none]),
        crop=crop,
        picture=picture,
        classified_s=time.monotonic(),
        sharpness=sharpness(packet.pixels, crop) if named else None,
    )


def still_picture(packet: FramePacket, crop: Crop) -> str:
    """What can be said of a picture alone: "black", "flat" or "live"; that it is frozen cannot."""
    look_at_it = quality.PictureGuard().update(packet, crop)
    return look_at_it.picture


def _nearby_crop(packet: FramePacket, table: FrameTable) -> Crop:
    """The region of the last frame analysed before, if it fits; else the one found in this frame."""
    row = int(np.searchsorted(table.index, packet.index)) - 1
    if row >= 0:
        near = inside(Crop(*(int(side) for side in table.crop[row])), packet.pixels)
        if near is not None:
            return near
    return find_crop(packet.pixels) or whole(packet.pixels)


def is_known(table: FrameTable | None, index: int) -> bool:
    """Whether the table holds frame `index`."""
    return table is not None and row_of(table, index) is not None
