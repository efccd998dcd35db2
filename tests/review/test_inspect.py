"""What is said of single frames in review."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.crop import find_crop
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.review.inspect import look
from semc_core.session.records import PICTURES, FrameTable, model_entry
from semc_core.types import Crop, FramePacket, Prediction

COUNT = len(LIVER_CLASSES)


def table(crops: list[Crop]) -> FrameTable:
    """Of the first frames, one for each crop; all live, all of the first plane."""
    rows = len(crops)
    shares = np.tile(np.eye(COUNT, dtype=np.float32)[0], (rows, 1))
    nothing = np.full(rows, np.nan)
    return FrameTable(
        index=np.arange(rows),
        pts_s=np.arange(rows) / 30,
        picture=np.full(rows, PICTURES.index("live"), np.uint8),
        label=np.zeros(rows, np.int16),
        confidence=np.ones(rows, np.float32),
        smoothed=shares,
        probabilities=shares,
        novelty=np.zeros(rows, np.float32),
        expert_weights=np.ones((rows, 1), np.float32),
        crop=np.array([(c.left, c.top, c.width, c.height) for c in crops], np.int32).reshape(rows, 4),
        moving=np.ones(rows, np.bool_),
        quality=nothing,
        reasons=np.zeros((rows, 2), np.uint8),
        sharpness=nothing,
    )


def classify(inputs: NDArray[np.float32]) -> Prediction:
    maps = np.zeros((COUNT, 2, 2), np.float32)
    return Prediction(np.eye(COUNT, dtype=np.float32)[0], 0.0, maps, np.ones(1, np.float32))


@pytest.mark.parametrize("analysed", [True, False])
def test_a_frame_comes_with_the_sector_of_its_picture_whether_it_was_analysed_or_not(analysed: bool) -> None:
    pixels = SimulatedScan(2007, 10.0, 320, 240).frame(60)
    crop = find_crop(pixels)
    assert crop is not None
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    model = model_entry(spec, spec.thresholds, "CPU", {})
    packet = FramePacket("scan", 0, 0.0, time.monotonic(), Picture(pixels))
    looked = look(packet, table([crop] if analysed else []), model, classify)
    assert looked.crop == crop
    corners = np.array(looked.outline)
    assert len(corners) > 4
    assert (corners.min(axis=0) == (crop.left, crop.top)).all()
