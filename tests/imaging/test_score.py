"""The quality score: it falls when a picture gets worse, and says why."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.preprocess import whole
from semc_core.imaging.region.find import find_region
from semc_core.imaging.score.measures import Measures, measure, shrink
from semc_core.imaging.score.parts import BRIGHT, DOUBT, MOTION, REASONS, SMALL, TOLD_BELOW, score
from semc_core.phantom.scan import SimulatedScan
from semc_core.types import Crop
from tests.skips import REAL_DATA
from training.quality import DEGRADATIONS, Degradation, judge, real_planes

GOOD = Measures(
    detail=-1.2,
    brightness=60.0,
    highlights=180.0,
    saturated=0.01,
    contrast=0.6,
    size=0.8,
    off_centre=0.02,
    cut_off=0.3,
    shadowed=0.0,
    motion=0.4,
)


@pytest.fixture(scope="module")
def planes() -> list[NDArray[np.uint8]]:
    """A frame within the tolerance of each of eight simulated patients, larger in its frame than live."""
    found = []
    for seed in range(2000, 2008):
        scan = SimulatedScan(seed, 60)
        index = min(range(0, 1800, 3), key=lambda each: scan.truth(each).distance)
        frame = scan.frame(index)
        region = find_region(frame)
        assert region is not None
        found.append(np.ascontiguousarray(region.box.cut(frame)))
    return found


@pytest.mark.parametrize("how", DEGRADATIONS, ids=lambda how: how.name)
def test_a_simulated_plane_made_worse_scores_lower_and_the_reason_is_named(
    planes: list[NDArray[np.uint8]], how: Degradation
) -> None:
    judged = [judge(plane, how) for plane in planes]
    assert all(one.values[-1] < one.values[0] - 5 for one in judged)
    lower = [all(value < one.values[0] for value in one.values[1:]) for one in judged]
    assert sum(lower) >= len(judged) - 1, judged
    # What is white all over is as bad as it can be: there is no step further.
    if how.reasons != (BRIGHT,):
        assert sum(one.falls for one in judged) >= len(judged) - 1, judged
    assert sum(one.named for one in judged) >= len(judged) - 1, judged


def test_a_good_picture_has_a_high_score_and_no_reason() -> None:
    judged = score(GOOD, 0.97)
    assert judged.value > 80
    assert judged.reasons == ()


def test_every_part_is_told_by_its_reason_and_lowers_the_score() -> None:
    worse = {
        "blurred": replace(GOOD, detail=-5.0),
        "too dark": replace(GOOD, highlights=30.0),
        "too bright": replace(GOOD, saturated=0.5),
        "little contrast": replace(GOOD, contrast=0.1),
        "small": replace(GOOD, size=0.1),
        "off centre": replace(GOOD, off_centre=0.4),
        "cut off": replace(GOOD, cut_off=1.0),
        "shadow": replace(GOOD, shadowed=0.5),
        "moving": replace(GOOD, motion=4.0),
    }
    assert {*worse, DOUBT.name} == set(REASONS)
    for name, measures in worse.items():
        judged = score(measures, 0.97)
        assert [reason.name for reason in judged.reasons] == [name]
        assert judged.value < score(GOOD, 0.97).value
    doubted = score(GOOD, 0.5)
    assert doubted.reasons == (DOUBT,)
    assert doubted.value < 50


def test_the_weightiest_reason_comes_first() -> None:
    judged = score(replace(GOOD, motion=2.5, size=0.1), 0.97)
    assert judged.shares[SMALL.name] < judged.shares[MOTION.name] < TOLD_BELOW or (
        judged.shares[MOTION.name] < judged.shares[SMALL.name] < TOLD_BELOW
    )
    shares = [judged.shares[reason.name] for reason in judged.reasons]
    assert len(shares) == 2
    assert shares == sorted(shares)


def test_motion_needs_a_frame_before_of_the_same_region(planes: list[NDArray[np.uint8]]) -> None:
    frame = planes[0]
    height, width = frame.shape
    region, other = Crop(0, 0, width, height), Crop(0, 0, width - 9, height)
    now = shrink(frame, region)
    assert measure(now, (height, width)).motion is None
    assert measure(now, (height, width), (), shrink(frame, other)).motion is None
    still = measure(now, (height, width), (), shrink(frame, region)).motion
    moved = np.roll(frame, width // 50, axis=1)
    moving = measure(now, (height, width), (), shrink(moved, region)).motion
    assert still == 0
    assert moving is not None
    assert moving > 0.5


def test_the_size_of_the_frame_hardly_changes_the_score(planes: list[NDArray[np.uint8]]) -> None:
    for plane in planes:
        height, width = plane.shape
        larger = cv2.resize(plane, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        own = score(measure(shrink(plane, Crop(0, 0, width, height)), (height, width)))
        other = score(measure(shrink(larger, Crop(0, 0, 2 * width, 2 * height)), (2 * height, 2 * width)))
        assert other.value == pytest.approx(own.value, abs=6)


@pytest.mark.parametrize("side", [512, 700, 900, 1023])
def test_a_large_region_scores_as_if_every_pixel_were_averaged(
    planes: list[NDArray[np.uint8]], side: int
) -> None:
    for plane in planes[:4]:
        scale = side / max(plane.shape)
        height, width = (round(edge * scale) for edge in plane.shape)
        large = cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        picture = shrink(large, Crop(0, 0, width, height))
        averaged = cv2.resize(large, picture.gray.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
        as_it_is = score(measure(picture, (height, width)))
        other = score(measure(shrink(averaged, whole(averaged)), averaged.shape))
        assert as_it_is.value == pytest.approx(other.value, abs=2)
        assert as_it_is.reasons == other.reasons


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_picture_of_one_colour_and_a_tiny_one_have_a_score(level: int) -> None:
    for height, width in ((1, 1), (3, 200), (200, 300)):
        gray = np.full((height, width), level, np.uint8)
        picture = shrink(gray, Crop(0, 0, width, height))
        for outline in ((), ((0, 0), (1, 0), (0, 1))):
            value = score(measure(picture, (height, width), outline, picture), 0.9).value
            assert 0 <= value <= 100


@pytest.mark.long
@pytest.mark.real_data("fetal_planes")
@pytest.mark.parametrize("how", DEGRADATIONS, ids=lambda how: how.name)
def test_real_planes_made_worse_score_lower_and_the_reason_is_named(how: Degradation) -> None:
    judged = [judge(gray, how) for _, gray in real_planes(REAL_DATA / "fetal_planes", 40)]
    assert len(judged) == 40
    assert np.mean([one.values[-1] < one.values[0] for one in judged]) >= 0.95
    assert np.mean([one.named for one in judged]) >= 0.7
