"""One picture: gray and RGB are made once, when asked for, and what is kept for long does not grow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.picture import Picture, gray_of


class CountingPlanes:
    """Planes that count how often something is made of them."""

    def __init__(self) -> None:
        self.shape = (4, 6)
        self.nbytes = 36
        self.made: list[str] = []

    def gray(self) -> NDArray[np.uint8]:
        self.made.append("gray")
        return np.full(self.shape, 7, np.uint8)

    def rgb(self) -> NDArray[np.uint8]:
        self.made.append("rgb")
        return np.full((*self.shape, 3), 9, np.uint8)

    def sampled(self, rows: int, columns: int) -> NDArray[np.uint8]:
        self.made.append("sampled")
        return np.full((rows, columns, 3), 128, np.uint8)


def test_gray_of_rgb_has_the_weights_of_rec_601() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [90, 90, 90]]], np.uint8)
    wanted = np.rint(colours @ np.array([0.299, 0.587, 0.114]))
    np.testing.assert_array_equal(gray_of(colours), wanted)
    np.testing.assert_array_equal(Picture(colours).gray, wanted)


def test_a_gray_picture_is_its_own_gray_and_its_own_pixels() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Picture(pixels)
    assert picture.gray is picture.pixels
    assert not picture.coloured
    assert (picture.height, picture.width, picture.nbytes) == (3, 4, 12)
    np.testing.assert_array_equal(picture.gray, np.arange(12).reshape(3, 4))


def test_nothing_is_made_before_it_is_asked_for_and_each_thing_once() -> None:
    planes = CountingPlanes()
    picture = Picture(planes)
    assert (picture.height, picture.width, picture.nbytes, picture.coloured) == (4, 6, 36, True)
    assert planes.made == []
    gray = picture.gray
    assert planes.made == ["gray"]
    assert picture.gray is gray
    assert picture.pixels is picture.pixels
    assert planes.made == ["gray", "rgb"]


@pytest.mark.parametrize("name", ["gray", "pixels"])
def test_what_a_picture_gives_cannot_be_written(name: str) -> None:
    for picture in (Picture(CountingPlanes()), Picture(np.zeros((4, 6, 3), np.uint8))):
        with pytest.raises(ValueError, match="read-only"):
            getattr(picture, name)[0, 0] = 1


def test_threads_that_ask_at_the_same_moment_share_one_array() -> None:
    for _ in range(20):
        planes, many = CountingPlanes(), 8
        picture, together = Picture(planes), threading.Barrier(many)

        def ask(picture: Picture = picture, together: threading.Barrier = together) -> tuple[int, int]:
            together.wait()
            return id(picture.pixels), id(picture.gray)

        with ThreadPoolExecutor(many) as pool:
            seen = {future.result() for future in [pool.submit(ask) for _ in range(many)]}
        assert seen == {(id(picture.pixels), id(picture.gray))}
        assert sorted(planes.made) == ["gray", "rgb"]


def test_the_bare_picture_has_nothing_of_what_was_made_and_leaves_the_other_as_it_is() -> None:
    planes = CountingPlanes()
    picture = Picture(planes)
    pixels = picture.pixels
    bare = picture.bare()
    assert planes.made == ["rgb"]
    assert bare.pixels is not pixels
    assert picture.pixels is pixels
    assert planes.made == ["rgb", "rgb"]


def test_the_bare_picture_of_rgb_shares_its_pixels_but_not_its_gray() -> None:
    picture = Picture(np.full((4, 6, 3), 80, np.uint8))
    gray = picture.gray
    assert picture.bare().pixels is picture.pixels
    assert picture.bare().gray is not gray
