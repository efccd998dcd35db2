"""Heat maps lie where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.imaging.heatmap import TINT, HeatStyle, blend, evidence, heat_map
from semc_core.imaging.preprocess import Preprocessing
from semc_core.types import Crop, Prediction


def prediction(cell: tuple[int, int]) -> Prediction:
    """Evidence for class 0 in one of 8 x 8 cells, (row, column)."""
    maps = np.zeros((2, 8, 8), np.float32)
    maps[1] = 10
    maps[0][cell] = 20
    return Prediction(np.array([0.5, 0.5], np.float32), 0.0, maps, np.ones(1, np.float32))


def test_evidence_is_a_share_of_the_classes_in_each_cell() -> None:
    shares = evidence(prediction((2, 3)).maps)
    assert np.allclose(shares.sum(axis=0), 1)
    assert shares[0, 2, 3] > 0.99
    assert shares[0, 0, 0] < 0.01


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_the_warmest_place_of_the_blend_is_the_cell_in_the_frame(fit: str) -> None:
    # A crop twice as wide as high: with a letterbox rows 2 to 5 of 8 show it.
    crop, spec = Crop(40, 20, 160, 80), Preprocessing(64, 64, fit=fit)
    row, column = (3, 6) if fit == "letterbox" else (2, 6)
    heat = heat_map(prediction((row, column)), 0, crop, spec)
    frame = np.full((120, 240), 50, np.uint8)
    laid = blend(frame, heat)
    assert laid.shape == (120, 240, 3)
    warm = np.abs(laid.astype(int) - 50).sum(axis=2)
    y, x = (np.argwhere(warm > 0.9 * warm.max())).mean(axis=0)
    assert x == pytest.approx(40 + 160 * (column + 0.5) / 8, abs=3)
    assert y == pytest.approx(
        20 + 80 * ((1.5 if fit == "letterbox" else 2.5) / (4 if fit == "letterbox" else 8)), abs=3
    )
    outside = np.ones((120, 240), bool)
    outside[20:100, 40:200] = False
    assert np.array_equal(laid[outside], np.full((int(outside.sum()), 3), 50)), "only the crop is painted on"
    assert frame.max() == 50, "the frame itself is not touched"


def test_no_evidence_leaves_the_picture_as_it_is() -> None:
    heat = heat_map(prediction((0, 0)), 0, Crop(0, 0, 64, 64), Preprocessing(64, 64))
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    laid = blend(pixels, heat)
    assert np.array_equal(laid[40:, 40:], pixels[40:, 40:])


def test_a_tint_is_one_colour_that_leaves_the_tissues_contrast() -> None:
    crop, spec = Crop(0, 0, 64, 64), Preprocessing(64, 64)
    dark, bright = (np.full((64, 64, 3), level, np.uint8) for level in (60, 160))
    heat = heat_map(prediction((3, 3)), 0, crop, spec, HeatStyle.TINT)
    lit = heat.rgba[heat.rgba[..., 3] > 0]
    assert len(lit)
    assert (lit[:, :3] == TINT).all()
    left = blend(bright, heat).astype(int) - blend(dark, heat)
    assert left.min() >= 0.65 * 100
    full = heat_map(prediction((3, 3)), 0, crop, spec)
    assert (blend(bright, full).astype(int) - blend(dark, full)).min() < 0.5 * 100, "the report's is stronger"


def test_a_contour_runs_round_the_cell_of_the_evidence_and_hides_nothing() -> None:
    crop, spec = Crop(40, 20, 160, 80), Preprocessing(64, 64)
    heat = heat_map(prediction((3, 6)), 0, crop, spec, HeatStyle.CONTOUR)
    assert not heat.rgba[..., 3].any()
    assert len(heat.lines) == 2
    for line in heat.lines:
        assert line.mean(axis=0) == pytest.approx((40 + 160 * 6.5 / 8, 20 + 80 * 1.5 / 4), abs=3)
    outer, inner = (np.ptp(line, axis=0).min() for line in heat.lines)
    assert outer > inner > 0, "the line at half of the evidence is the outer one"


def test_outside_of_the_sector_nothing_is_laid_over() -> None:
    crop, spec = Crop(0, 0, 64, 64), Preprocessing(64, 64)
    sector = ((32, 0), (63, 63), (0, 63))
    everywhere = prediction((0, 0))
    everywhere.maps[0] = 20
    heat = heat_map(everywhere, 0, crop, spec, HeatStyle.TINT, sector)
    laid = blend(np.full((64, 64), 50, np.uint8), heat)
    assert (laid[5, :20] == 50).all()
    assert (laid[40, 32] != 50).any()
