"""What the stages do with a frame, and what they leave."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from semc_core.imaging.preprocess import Preprocessing
from semc_core.imaging.score import measures
from semc_core.labels import LIVER_CLASSES, NON_STANDARD
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.pipeline.stages import DecisionStage, PreparationStage
from semc_core.types import Crop, FramePacket, Prediction, Quality, Thresholds

NONE = LIVER_CLASSES.index(NON_STANDARD)


def prediction(none: float) -> Prediction:
    """`none` for none of these, the rest for one plane."""
    shares = np.zeros(len(LIVER_CLASSES), np.float32)
    shares[NONE - 1], shares[NONE] = 1 - none, none
    return Prediction(shares, 0.0, np.zeros((len(shares), 1, 1), np.float32), np.ones(1, np.float32))


def judged(none: list[float], thresholds: Thresholds) -> list[Quality | None]:
    """The quality of the first frames of a simulated scan, 30 a second."""
    scan = SimulatedScan(2007, 10.0, 320, 240)
    look = PreparationStage(Preprocessing(64, 64))
    conclusions = DecisionStage(LIVER_CLASSES, thresholds, none_class=NON_STANDARD)
    found = []
    for index, share in enumerate(none):
        packet = FramePacket("scan", index, index / 30, 0.0, Picture(scan.frame(60 + index)))
        found.append(conclusions.conclude(look.look(packet), prediction(share)).result.quality)
    return found


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each frame that is measured."""
    counted: list[int] = []

    def counting(*given: Any) -> Any:
        counted.append(1)
        return original(*given)

    original = measures.measure
    monkeypatch.setattr("semc_core.imaging.score.meter.measure", counting)
    return counted


def test_frames_are_prepared_without_threads_of_opencv() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        PreparationStage(Preprocessing(64, 64))
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_of_frames_without_a_plane_in_sight_the_quality_is_measured_every_third_of_a_second(
    measured: list[int],
) -> None:
    qualities = judged([0.95] * 30, Thresholds())
    assert len(measured) == 4
    assert all(quality is not None and quality.score < 5 for quality in qualities)


def test_of_frames_with_a_plane_in_sight_each_is_measured(measured: list[int]) -> None:
    judged([0.95, *[0.4] * 9], Thresholds())
    assert len(measured) == 10


def test_a_frame_is_judged_the_same_whether_those_before_were_measured_or_not() -> None:
    first, second = ([*before, 0.1] for before in ([0.95] * 20, [0.4] * 20))
    assert judged(first, Thresholds())[-1] == judged(second, Thresholds())[-1]


def test_of_pictures_that_stand_for_themselves_each_is_measured(measured: list[int]) -> None:
    judged([0.95] * 10, Thresholds(smoothing_s=0.0))
    assert len(measured) == 10


def test_a_result_has_the_sector_of_its_picture_but_of_the_users_own_region_only_the_box() -> None:
    scan = SimulatedScan(2007, 10.0, 320, 240)
    look = PreparationStage(Preprocessing(64, 64))
    conclusions = DecisionStage(LIVER_CLASSES, Thresholds(), none_class=NON_STANDARD)
    packet = FramePacket("scan", 0, 0.0, 0.0, Picture(scan.frame(60)))
    found = conclusions.conclude(look.look(packet), prediction(0.1)).result
    corners = np.array(found.outline)
    assert len(corners) > 4
    assert (corners.min(axis=0) == (found.crop.left, found.crop.top)).all()
    look.fix_crop(Crop(20, 20, 200, 160))
    assert conclusions.conclude(look.look(packet), prediction(0.1)).result.outline == ()
