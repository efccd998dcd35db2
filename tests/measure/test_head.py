"""The outline from the network's mask: where it is, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.preprocess import fit, whole
from semc_core.measure import head
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.head import (
    CUT_OFF,
    NO_HEAD,
    NO_OUTLINE,
    TOO_SMALL,
    HeadFinder,
    border_points,
    judged,
    largest_part,
)
from semc_core.model.outline import OutlineSpec
from semc_core.paths import HEAD_MODEL
from semc_core.sources.pictures import read_image
from tests.skips import REAL_DATA

_SPEC = OutlineSpec()
_CELLS = (96, 128)
_SHAPE = (324, 480)
_PLACE = fit(whole(np.zeros(_SHAPE, np.uint8)), _SPEC.preprocessing)


def _mask(*ellipses: Ellipse, noise: float = 0.0, seed: int = 1) -> NDArray[np.float32]:
    """Logits that are 0 on the outline, in cells."""
    rows, columns = np.mgrid[0 : _CELLS[0], 0 : _CELLS[1]] + 0.5
    level = np.max([-each.distance(columns, rows) for each in ellipses], axis=0)
    return np.asarray(level + np.random.default_rng(seed).normal(0, noise, _CELLS), np.float32)


_IN_CELLS = Ellipse(62.3, 47.1, 33.4, 26.2, 0.4)


def test_the_border_is_found_between_the_cells() -> None:
    points, share = border_points(_mask(_IN_CELLS))
    assert share == 1
    assert np.abs(_IN_CELLS.distance(points[:, 0], points[:, 1])).max() < 0.1


@pytest.mark.parametrize("noise", [0.0, 0.6])
def test_the_outline_is_that_of_the_mask_in_pixels_of_the_picture(noise: float) -> None:
    found = judged(_mask(_IN_CELLS, noise=noise), 0.95, _PLACE, _SHAPE, _SPEC)
    assert found.why == ""
    assert found.outline is not None
    assert found.agreement > 0.97
    scale = 2 * 480 / 256
    assert found.outline.circumference == pytest.approx(scale * _IN_CELLS.circumference, rel=0.004)
    left, top = _PLACE.to_frame(2 * _IN_CELLS.x, 2 * _IN_CELLS.y)
    assert [found.outline.x, found.outline.y] == pytest.approx([left, top], abs=0.5)


def test_a_smaller_part_elsewhere_is_not_measured_along() -> None:
    alone = judged(_mask(_IN_CELLS), 0.95, _PLACE, _SHAPE, _SPEC).outline
    both = judged(_mask(_IN_CELLS, Ellipse(118, 85, 8, 6, 0)), 0.95, _PLACE, _SHAPE, _SPEC).outline
    assert alone is not None
    assert both is not None
    assert both.circumference == pytest.approx(alone.circumference, rel=1e-3)


def test_below_the_level_of_presence_there_is_no_head_whatever_the_mask_says() -> None:
    found = judged(_mask(_IN_CELLS), _SPEC.presence - 0.01, _PLACE, _SHAPE, _SPEC)
    assert (found.outline, found.why) == (None, NO_HEAD)


def test_a_mask_that_is_empty_or_no_ellipse_is_not_measured() -> None:
    empty = np.full(_CELLS, -5, np.float32)
    assert largest_part(empty) is None
    assert judged(empty, 0.95, _PLACE, _SHAPE, _SPEC).why == NO_OUTLINE
    cross = np.full(_CELLS, -5, np.float32)
    cross[45:51, 20:108] = cross[12:84, 61:67] = 5
    found = judged(cross, 0.95, _PLACE, _SHAPE, _SPEC)
    assert (found.outline, found.why) == (None, NO_OUTLINE)


def test_a_head_that_leaves_the_picture_is_not_measured() -> None:
    found = judged(_mask(Ellipse(10, 48, 60, 55, 0)), 0.95, _PLACE, _SHAPE, _SPEC)
    assert (found.outline, found.why) == (None, CUT_OFF)


class _Scripted:
    """In place of the network: shows the mask of a head that stands in the picture, wherever one looks."""

    def __init__(self, outline: Ellipse) -> None:
        self.spec = _SPEC
        self.outline = outline
        self.looks: list[int] = []

    def run(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.looks.append(len(inputs))
        masks = [self._seen(each[0]) for each in inputs]
        return np.stack(masks), np.full(len(inputs), 3.0, np.float32)

    def _seen(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        # The head is drawn in the picture: where it is bright, there it is.
        cells = picture.reshape(96, 2, 128, 2).mean(axis=(1, 3))
        return np.asarray((cells - 0.5) * 20, np.float32)

    def close(self) -> None:
        """Nothing is held."""


def _finder(monkeypatch: pytest.MonkeyPatch, outline: Ellipse, looks: int) -> tuple[HeadFinder, _Scripted]:
    scripted = _Scripted(outline)
    monkeypatch.setattr(head, "OutlineRuntime", lambda path, threads: scripted)
    return HeadFinder(Path("none"), looks=looks), scripted


def _drawn(outline: Ellipse, shape: tuple[int, int]) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return (255 * np.clip(0.5 - outline.distance(columns, rows), 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(600, 800), (700, 400), (120, 900)])
def test_the_second_look_is_closer_and_finds_small_heads_more_exactly(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    outline = Ellipse(0.7 * shape[1], 0.4 * shape[0], 47.3, 36.1, 0.8)
    errors: list[float] = []
    for looks in (1, 2):
        finder, scripted = _finder(monkeypatch, outline, looks)
        (found,) = finder.find([_drawn(outline, shape)])
        assert found.outline is not None
        errors.append(abs(found.outline.circumference / outline.circumference - 1))
        assert scripted.looks == [1] * looks
    assert errors[1] < 0.01
    assert errors[1] <= errors[0] + 0.002


def test_a_colour_picture_is_measured_as_its_gray_and_a_tiny_one_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outline = Ellipse(200, 150, 90, 70, 0.2)
    finder, _ = _finder(monkeypatch, outline, 2)
    gray = _drawn(outline, (324, 480))
    tiny = np.full((10, 10), 255, np.uint8)
    found = finder.find([gray, np.repeat(gray[:, :, None], 3, axis=2), tiny])
    assert found[0].outline == found[1].outline
    assert found[0].outline is not None
    assert (found[2].outline, found[2].why) == (None, TOO_SMALL)


def _heads(every: int) -> Sequence[Path]:
    return sorted((REAL_DATA / "organs" / "fetal_head").glob("*.jpg"))[::every]


@pytest.mark.long
@pytest.mark.real_data("organs")
def test_the_model_that_ships_finds_real_heads_and_none_in_livers_muscles_and_lungs() -> None:
    """It learned from these pictures: how good it is on others, its card says."""
    finder = HeadFinder(HEAD_MODEL)
    try:
        heads = finder.find([read_image(path) for path in _heads(40)])
        others = [
            path
            for organ in ("liver", "muscle", "lung")
            for path in sorted((REAL_DATA / "organs" / organ).rglob("*.jpg"))[::40]
        ]
        assert len(heads) > 20
        assert len(others) > 30
        assert sum(each.outline is not None for each in heads) >= 0.95 * len(heads)
        assert all(each.outline is None and each.why for each in finder.find([read_image(p) for p in others]))
    finally:
        finder.close()


@pytest.mark.real_data("organs")
def test_a_picture_turned_mirrored_brighter_or_larger_has_nearly_the_same_circumference() -> None:
    picture = read_image(_heads(1)[100])
    large = np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)
    versions = [picture, picture[:, ::-1], np.clip(picture * 1.3, 0, 255).astype(np.uint8), large]
    finder = HeadFinder(HEAD_MODEL)
    try:
        found = finder.find([np.ascontiguousarray(each) for each in versions])
    finally:
        finder.close()
    sizes = [each.outline.circumference for each in found if each.outline is not None]
    assert len(sizes) == 4
    sizes[3] /= 2
    assert max(sizes) / min(sizes) < 1.03


def test_the_model_that_ships_is_small_and_says_what_it_is_for() -> None:
    finder = HeadFinder(HEAD_MODEL, threads=1)
    finder.close()
    assert HEAD_MODEL.stat().st_size <= 8_000_000
    assert replace(finder.spec, sha256="") != OutlineSpec()
    assert "head" in HEAD_MODEL.with_suffix(".md").read_text(encoding="utf-8")
