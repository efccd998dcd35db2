"""From the frame to the network's input, and back to the place in the frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.preprocess import Preprocessing, clipped, fit, prepare, whole
from semc_core.picture import gray_of
from semc_core.types import Crop

PLAIN = Preprocessing(64, 64)


def smooth_picture(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), width / 60), np.uint8)


def test_a_wide_crop_is_letterboxed_with_black_in_the_middle() -> None:
    pixels = np.full((100, 300), 255, np.uint8)
    prepared = prepare(pixels, Crop(50, 0, 200, 100), PLAIN)
    assert prepared.shape == (1, 64, 64)
    assert prepared.dtype == np.float32
    assert (prepared[0, 16:48] == 1).all()
    assert (prepared[0, :16] == 0).all()
    assert (prepared[0, 48:] == 0).all()


def test_stretch_fills_the_input() -> None:
    pixels = np.full((100, 300), 255, np.uint8)
    assert (prepare(pixels, whole(pixels), replace(PLAIN, fit="stretch")) == 1).all()


def test_values_are_normalised_per_channel_and_padding_alike() -> None:
    spec = Preprocessing(32, 64, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 2.0))
    pixels = np.full((50, 50), 51, np.uint8)
    prepared = prepare(pixels, whole(pixels), spec)
    np.testing.assert_allclose(prepared[:, 16, 32], [(0.2 - 0.5) / 0.5, 0.2 - 0.25, 0.1], atol=1e-6)
    np.testing.assert_allclose(prepared[:, 16, 0], [-1, -0.25, 0], atol=1e-6)


def test_a_picture_normalised_by_itself_does_not_depend_on_gain_and_contrast() -> None:
    spec = Preprocessing(32, 32, std=(1 / 255,), per_image=True)
    pixels = np.random.default_rng(1).integers(0, 100, (32, 32), np.uint8)
    prepared = prepare(pixels, whole(pixels), spec)
    np.testing.assert_allclose(
        prepared[0], 255 * (pixels - pixels.mean()) / pixels.std(), rtol=1e-4, atol=1e-3
    )
    louder = 2 * pixels + np.uint8(20)
    np.testing.assert_allclose(prepare(louder, whole(louder), spec), prepared, atol=1e-2)


def test_a_picture_of_one_colour_normalised_by_itself_is_zero() -> None:
    pixels = np.full((40, 40), 77, np.uint8)
    assert not prepare(pixels, whole(pixels), Preprocessing(32, 32, per_image=True)).any()


def test_outside_of_the_outline_is_black_where_the_model_asks_for_it() -> None:
    pixels = np.full((100, 120), 255, np.uint8)
    crop, corners = Crop(20, 10, 64, 64), ((20, 74), (84, 10), (84, 74))
    plain, masked = PLAIN, replace(PLAIN, mask=True)
    np.testing.assert_array_equal(prepare(pixels, crop, plain, corners), prepare(pixels, crop, plain))
    np.testing.assert_array_equal(prepare(pixels, crop, masked), prepare(pixels, crop, plain))
    shown = prepare(pixels, crop, masked, corners)[0]
    assert (shown[40:, 40:] == 1).all()
    assert (shown[:20, :20] == 0).all()
    assert shown.mean() == pytest.approx(0.5, abs=0.02)
    assert (pixels == 255).all()


def test_colour_and_gray_of_the_same_picture_are_prepared_alike() -> None:
    gray = smooth_picture(120, 160)
    colour = np.repeat(gray[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(gray_of(colour), gray)
    np.testing.assert_array_equal(prepare(colour, whole(colour), PLAIN), prepare(gray, whole(gray), PLAIN))


def test_gray_weighs_rgb_and_not_bgr() -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    assert gray_of(red)[0, 0] == 76


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (481, 643), (1080, 1920), (90, 70), (30, 20)])
def test_shrinking_in_steps_is_averaging_up_to_rounding(height: int, width: int) -> None:
    pixels = smooth_picture(height, width)
    place = fit(whole(pixels), PLAIN)
    size = (place.inner_width, place.inner_height)
    method = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
    at_once = cv2.resize(pixels, size, interpolation=method).astype(np.float64)
    rows, columns = slice(place.top, place.top + size[1]), slice(place.left, place.left + size[0])
    prepared = prepare(pixels, whole(pixels), PLAIN)[0, rows, columns] * 255
    assert np.abs(prepared - at_once).mean() < 1


def test_a_crop_that_reaches_out_is_clipped_and_one_outside_refused() -> None:
    pixels = smooth_picture(100, 100)
    assert clipped(Crop(-10, 90, 50, 50), pixels) == Crop(0, 90, 40, 10)
    np.testing.assert_array_equal(
        prepare(pixels, Crop(-10, 90, 50, 50), PLAIN), prepare(pixels, Crop(0, 90, 40, 10), PLAIN)
    )
    with pytest.raises(UsageError, match="outside of the picture"):
        prepare(pixels, Crop(100, 0, 10, 10), PLAIN)


def test_clahe_lifts_the_contrast_of_a_dull_picture() -> None:
    dull = (smooth_picture(200, 200) // 8 + 100).astype(np.uint8)
    plain = prepare(dull, whole(dull), PLAIN)
    assert prepare(dull, whole(dull), replace(PLAIN, clahe=True)).std() > 1.5 * plain.std()


def test_a_spot_is_found_again_in_the_frame() -> None:
    pixels = np.zeros((480, 640), np.uint8)
    pixels[300:312, 420:432] = 255
    crop = Crop(100, 50, 500, 400)
    prepared = prepare(pixels, crop, PLAIN)[0]
    ys, xs = np.nonzero(prepared > prepared.max() / 2)
    x, y = fit(crop, PLAIN).to_frame(float(xs.mean()) + 0.5, float(ys.mean()) + 0.5)
    assert abs(x - 426) < 8
    assert abs(y - 306) < 8


def test_the_input_covers_the_crop_and_what_pads_it() -> None:
    crop = Crop(100, 50, 400, 200)
    place = fit(crop, PLAIN)
    assert place.covered() == (100, -50, 400, 400)
