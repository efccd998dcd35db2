"""The picture is found in a desktop, beside another, mirrored; the same frame has the same answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.crop import overlap
from semc_core.imaging.preprocess import Preprocessing
from semc_core.imaging.quality import LIVE
from semc_core.imaging.region.find import Region, find_near, find_region, find_regions
from semc_core.imaging.region.look import HEIGHT, WIDTH, look_at, widened
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.pipeline.stages import PreparationStage
from semc_core.types import Crop, FramePacket

Gray = NDArray[np.uint8]


@pytest.fixture(scope="module")
def scan() -> tuple[Gray, Crop]:
    """A simulated scanner's screen, and where its sector is."""
    simulated = SimulatedScan(2007, 30.0)
    geometry = simulated.scanner.geometry
    polar = np.full((64, 64), 255, np.uint8)
    mask = np.zeros(geometry.shape, np.uint8)
    mask[geometry.box] = cv2.remap(polar, *geometry.polar_map((64, 64)), interpolation=cv2.INTER_NEAREST)
    left, top, width, height = cv2.boundingRect(mask)
    return simulated.frame(300), Crop(left, top, width, height)


def on_a_desktop(frame: Gray, at: tuple[int, int]) -> Gray:
    """A screen of 1280x800: bright wallpaper, a window with text, the scanner's window."""
    across = np.linspace(60, 190, 1280, dtype=np.float32)[None]
    desktop = np.repeat(across, 800, axis=0).astype(np.uint8)
    desktop[40:700, 20:420] = 245
    for y in range(60, 680, 22):
        cv2.putText(
            desktop, "Notes of the day, and what to do", (30, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 20, 1
        )
    left, top = at
    desktop[top - 28 : top, left : left + frame.shape[1]] = 210
    desktop[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    desktop[765:] = 30
    return desktop


def found(gray: Gray) -> Region:
    region = find_region(gray)
    assert region is not None
    return region


def test_a_scanner_in_a_window_of_a_desktop_is_found(scan: tuple[Gray, Crop]) -> None:
    frame, truth = scan
    moved = Crop(truth.left + 500, truth.top + 120, truth.width, truth.height)
    assert overlap(found(on_a_desktop(frame, (500, 120))).box, moved) > 0.93


def test_of_two_pictures_both_are_offered_and_the_larger_is_chosen(scan: tuple[Gray, Crop]) -> None:
    frame, truth = scan
    small = cv2.resize(frame, (480, 360), interpolation=cv2.INTER_AREA)
    screen = np.zeros((480, 1120), np.uint8)
    screen[60:420, :480], screen[:, 480:] = small, frame
    regions = find_regions(screen)
    assert len(regions) == 2
    assert overlap(regions[0].box, Crop(truth.left + 480, truth.top, truth.width, truth.height)) > 0.93
    assert regions[1].box.left + regions[1].box.width < 480


def test_of_equal_pictures_the_answer_is_always_the_same_one(scan: tuple[Gray, Crop]) -> None:
    frame, _ = scan
    screen = np.hstack([frame, frame])
    once = find_regions(screen)
    assert len(once) == 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(find_regions, [screen] * 12)) == [once] * 12


def test_a_short_look_tells_whether_the_picture_is_where_it_was(scan: tuple[Gray, Crop]) -> None:
    frame, _ = scan
    box = found(frame).box
    near = find_near(frame, box)
    assert near is not None
    assert overlap(near, box) > 0.95
    assert find_near(np.zeros_like(frame), box) is None


def test_a_mirrored_picture_is_found_where_it_is(scan: tuple[Gray, Crop]) -> None:
    frame, _ = scan
    box = found(frame).box
    mirrored = found(np.ascontiguousarray(frame[:, ::-1])).box
    expected = Crop(frame.shape[1] - box.left - box.width, box.top, box.width, box.height)
    assert overlap(mirrored, expected) > 0.96


def test_the_outline_goes_round_the_sector_and_not_round_its_box(scan: tuple[Gray, Crop]) -> None:
    frame, _ = scan
    region = found(frame)
    inside = np.zeros(frame.shape, np.uint8)
    cv2.fillPoly(inside, [np.array(region.outline, np.int32)], 1)
    box = region.box
    assert 0.5 < inside.sum() / (box.width * box.height) < 0.9
    middle = (box.top + box.height // 2, box.left + box.width // 2)
    assert inside[middle] == 1
    assert inside[box.top + 3, box.left + 3] == 0
    columns, rows = np.array(region.outline).T
    assert (columns.min(), rows.min()) == (box.left, box.top)
    assert (columns.max(), rows.max()) == (box.left + box.width, box.top + box.height)


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 3), (64, 64), (2160, 3840)])
def test_a_frame_of_any_size_has_an_answer(shape: tuple[int, int]) -> None:
    assert find_region(np.zeros(shape, np.uint8)) is None
    look = look_at(np.full(shape, 200, np.uint8), Crop(0, 0, shape[1], shape[0]))
    assert look.shape == (HEIGHT, WIDTH)
    assert (look == 200).all()


def test_a_widened_box_stays_inside_of_the_frame() -> None:
    assert widened(Crop(10, 10, 100, 50), 0.2, 100, 200) == Crop(0, 0, 130, 70)
    assert widened(Crop(150, 60, 50, 40), 0.5, 100, 200) == Crop(125, 40, 75, 60)


def test_beside_a_frozen_picture_the_live_one_is_classified(scan: tuple[Gray, Crop]) -> None:
    simulated = SimulatedScan(2007, 30.0)
    frozen, truth = scan
    for live_at_left in (True, False):
        stage = PreparationStage(Preprocessing(64, 64))
        for number in range(36):
            live = simulated.frame(60 + number)
            pixels = np.hstack([live, frozen] if live_at_left else [frozen, live])
            seen = stage.look(FramePacket("screen", number, number / 30, number / 30, Picture(pixels)))
        left = truth.left + (0 if live_at_left else frozen.shape[1])
        assert overlap(seen.crop, Crop(left, truth.top, truth.width, truth.height)) > 0.93
        assert seen.picture == LIVE
