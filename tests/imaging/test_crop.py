"""The ultrasound picture is found on made-up screens, and steadily over a scan."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.crop import CropTracker, find_crop, outline_in, overlap
from semc_core.imaging.preprocess import Preprocessing, whole
from semc_core.imaging.region.find import Region, find_regions
from semc_core.picture import Picture
from semc_core.types import Crop
from tests.skips import REAL_DATA

Pixels = NDArray[np.uint8]
LUNG_CLIPS = REAL_DATA / "cine" / "lung"


def speckle(height: int, width: int, seed: int = 0) -> Pixels:
    noise = np.random.default_rng(seed).rayleigh(45, (height, width)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 1.2), 12, 255).astype(np.uint8)


def screen(background: int = 0) -> Pixels:
    """720p RGB with text, a ruler, a gray bar, a logo and a coloured bar of controls."""
    pixels = np.full((720, 1280, 3), background, np.uint8)
    for row, text in enumerate(["Abdomen  C5-1", "14.2 cm", "Gain 62", "DR 70", "TIs 0.2  MI 1.1"]):
        cv2.putText(pixels, text, (1040, 120 + 40 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (220, 220, 220), 2)
    for y in range(60, 700, 32):
        cv2.line(pixels, (960, y), (968, y), (200, 200, 200), 2)
    pixels[100:420, 20:40] = np.linspace(255, 0, 320).astype(np.uint8)[:, None, None]
    cv2.circle(pixels, (90, 50), 36, (20, 120, 240), -1)
    pixels[690:720, :] = (200, 60, 20)
    return pixels


def with_sector(pixels: Pixels, depth: int = 560, seed: int = 0) -> tuple[Pixels, Crop]:
    """A convex sector of 70 degrees drawn on `pixels`, and its bounding box."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    apex, inner = (560, -60), 130
    cv2.ellipse(mask, apex, (inner + depth, inner + depth), 0, 55, 125, 255, -1)
    cv2.circle(mask, apex, inner, 0, -1)
    drawn = pixels.copy()
    drawn[mask > 0] = speckle(pixels.shape[0], pixels.shape[1], seed)[mask > 0][:, None]
    rows, columns = np.nonzero(mask)
    left, top = int(columns.min()), int(rows.min())
    return drawn, Crop(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)


def with_linear(pixels: Pixels) -> tuple[Pixels, Crop]:
    drawn = pixels.copy()
    drawn[60:640, 300:860] = speckle(580, 560)[:, :, None]
    return drawn, Crop(300, 60, 560, 580)


@pytest.mark.parametrize("background", [0, 16, 48])
@pytest.mark.parametrize("draw", [with_sector, with_linear])
def test_the_picture_is_found_on_a_full_screen(
    draw: Callable[[Pixels], tuple[Pixels, Crop]], background: int
) -> None:
    pixels, truth = draw(screen(background))
    found = find_crop(pixels)
    assert found is not None
    assert overlap(found, truth) > 0.93
    gray = find_crop(np.ascontiguousarray(pixels[..., 1]))
    assert gray is not None
    assert overlap(gray, truth) > 0.9


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((720, 1280, 3), np.uint8),
        np.full((480, 640), 128, np.uint8),
        screen(),
        screen(48),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["black", "gray", "screen", "gray screen", "one pixel"],
)
def test_where_there_is_no_picture_none_is_found(pixels: Pixels) -> None:
    assert find_crop(pixels) is None


def test_a_page_of_text_and_colour_bars_are_not_pictures() -> None:
    page = np.zeros((720, 1280, 3), np.uint8)
    for y in range(30, 720, 28):
        text = "Patient data are shown on this page of settings and results"
        cv2.putText(page, text, (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (230, 230, 230), 1)
    assert find_crop(page) is None
    bars = np.repeat(np.array([30, 80, 130, 180, 220, 250], np.uint8), 200)
    assert find_crop(np.tile(bars, (720, 1))) is None


def test_a_picture_that_fills_the_frame_is_the_whole_frame() -> None:
    pixels = speckle(480, 640)
    assert find_crop(pixels) == whole(pixels)


def test_the_tracker_gives_the_whole_frame_until_it_finds_a_picture() -> None:
    tracker = CropTracker()
    black = np.zeros((720, 1280, 3), np.uint8)
    assert tracker.update(Picture(black)) == whole(black)
    pixels, truth = with_sector(screen())
    assert overlap(tracker.update(Picture(pixels)), truth) > 0.93
    assert overlap(tracker.update(Picture(black)), truth) > 0.93


def test_the_tracker_follows_a_new_depth_but_no_passing_change() -> None:
    tracker = CropTracker()
    deep, deep_box = with_sector(screen(), depth=560)
    shallow, shallow_box = with_sector(screen(), depth=380)
    first = tracker.update(Picture(deep))
    for _ in range(12):
        assert tracker.update(Picture(shallow)) == first
    for _ in range(6):
        assert tracker.update(Picture(deep)) == first
    seen = [tracker.update(Picture(shallow)) for _ in range(60)]
    assert overlap(seen[0], deep_box) > 0.93
    assert overlap(seen[-1], shallow_box) > 0.93
    assert len(set(seen)) == 2


def test_a_tracker_that_is_sure_looks_seldom_and_still_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted(gray: Pixels) -> list[Region]:
        nonlocal looks
        looks += 1
        return find_regions(gray)

    monkeypatch.setattr("semc_core.imaging.crop.find_regions", counted)
    tracker = CropTracker()
    deep, shallow = (Picture(with_sector(screen(), depth=depth)[0]) for depth in (560, 380))
    for _ in range(13):
        first = tracker.update(deep)
    assert looks == 5
    for _ in range(60):
        assert tracker.update(deep) == first
    assert looks == 9
    seen = [tracker.update(shallow) for _ in range(60)]
    assert seen[0] == first
    assert overlap(seen[-1], with_sector(screen(), depth=380)[1]) > 0.93


@pytest.mark.parametrize("live_at_left", [True, False])
def test_of_two_pictures_the_one_that_moves_is_taken_and_kept(live_at_left: bool) -> None:
    def side_by_side(seed: int) -> Picture:
        frozen, moving = (with_linear(np.zeros((720, 1000, 3), np.uint8))[0] for _ in range(2))
        moving[60:640, 300:860] = speckle(580, 560, seed)[:, :, None]
        return Picture(np.hstack([moving, frozen] if live_at_left else [frozen, moving]))

    tracker = CropTracker()
    for seed in range(40):
        crop = tracker.update(side_by_side(seed))
    assert overlap(crop, Crop(300 if live_at_left else 1300, 60, 560, 580)) > 0.93
    frozen = side_by_side(40)
    assert {tracker.update(frozen) for _ in range(80)} == {crop}


def test_the_outline_belongs_to_the_crop_and_the_users_own_crop_has_none() -> None:
    tracker = CropTracker()
    assert tracker.outline == ()
    pixels, _ = with_sector(screen())
    crop = tracker.update(Picture(pixels))
    corners: NDArray[np.int_] = np.array(tracker.outline)
    assert (corners.min(axis=0) == (crop.left, crop.top)).all()
    assert (corners.max(axis=0) == (crop.left + crop.width, crop.top + crop.height)).all()
    tracker.fix(Crop(1, 2, 300, 400))
    tracker.update(Picture(pixels))
    assert tracker.outline == ()


def test_a_single_frame_has_an_outline_where_a_model_wants_one_and_the_crop_is_its_pictures() -> None:
    pixels, _ = with_sector(screen())
    crop = find_crop(pixels)
    assert crop is not None
    masked = Preprocessing(64, 64, mask=True)
    assert len(outline_in(Picture(pixels), crop, masked)) > 4
    assert outline_in(Picture(pixels), Crop(0, 0, 200, 200), masked) == ()
    assert outline_in(Picture(pixels), crop, Preprocessing(64, 64)) == ()


def test_the_same_frames_give_the_same_crops() -> None:
    frames = [with_sector(screen(), depth=380 + 20 * (i // 10), seed=i)[0] for i in range(40)]

    def crops() -> list[Crop]:
        tracker = CropTracker()
        return [tracker.update(Picture(pixels)) for pixels in frames]

    assert crops() == crops()


def test_a_frame_of_another_size_begins_anew() -> None:
    tracker = CropTracker()
    pixels, _ = with_sector(screen())
    tracker.update(Picture(pixels))
    other = speckle(480, 640)
    assert tracker.update(Picture(other)) == whole(other)


def test_the_users_own_crop_stays_until_it_is_given_back() -> None:
    tracker = CropTracker()
    pixels, truth = with_sector(screen())
    own = Crop(1, 2, 300, 400)
    tracker.fix(own)
    assert {tracker.update(Picture(pixels)) for _ in range(30)} == {own}
    tracker.fix(None)
    assert overlap(tracker.update(Picture(pixels)), truth) > 0.93


@pytest.mark.real_data("cine/lung")
def test_real_clips_have_a_picture_of_most_of_the_frame() -> None:
    import av

    for path in sorted(LUNG_CLIPS.glob("Reg_pat*.mpeg"))[:6]:
        with av.open(str(path)) as container:
            pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)
        found = find_crop(pixels)
        assert found is not None, path.name
        assert overlap(found, whole(pixels)) > 0.8, path.name
