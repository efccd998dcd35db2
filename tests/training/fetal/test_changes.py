"""Random versions of a picture."""

from __future__ import annotations

import numpy as np

from semc_core.types import Crop
from training.fetal.changes import changed

SIZE = (224, 288)


def _picture() -> np.ndarray:
    """A bright disc in the left half of a dark sector, with a frame of text level around it."""
    rows, columns = np.mgrid[:300, :400]
    gray = np.full((300, 400), 60, np.uint8)
    gray[(rows - 150) ** 2 + (columns - 120) ** 2 < 60**2] = 220
    return gray


def _versions(count: int = 60) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [changed(rng, _picture(), Crop(0, 0, 400, 300), *SIZE) for _ in range(count)]


def test_the_same_seed_gives_the_same_versions_and_no_two_are_alike() -> None:
    first, again = _versions(12), _versions(12)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({version.tobytes() for version in first}) == len(first)
    assert all(version.shape == SIZE and version.dtype == np.uint8 for version in first)


def test_the_picture_given_is_not_touched() -> None:
    gray = _picture()
    before = gray.copy()
    rng = np.random.default_rng(3)
    for _ in range(20):
        changed(rng, gray, Crop(10, 10, 300, 250), *SIZE)
    assert np.array_equal(gray, before)


def test_about_half_are_mirrored() -> None:
    left = [version[:, :144].mean() > version[:, 144:].mean() for version in _versions()]
    assert 15 < sum(left) < 45


def test_many_show_the_anatomy_at_half_the_size() -> None:
    shares = [(version > 0).mean() for version in _versions()]
    assert min(shares) < 0.4
    assert max(shares) > 0.95
