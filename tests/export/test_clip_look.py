"""Which pictures of a clip are read: a name that is there for half a second is in one of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.export.clip_look import MOST_MOMENTS, ClipLook

RATE = 30
COUNT = 3 * RATE
SIZE = (240, 320)


def speckle(index: int) -> NDArray[np.uint8]:
    """Soft speckle that moves; uint8 (240, 320)."""
    noise = np.random.default_rng(index).integers(20, 160, SIZE, np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 1.5), np.uint8)


def with_name(pixels: NDArray[np.uint8], words: str = "DOE JANE", bottom: int = 120) -> NDArray[np.uint8]:
    drawn = pixels.copy()
    cv2.putText(drawn, words, (60, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1, cv2.LINE_AA)
    return drawn


def same(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels


def letters(pixels: NDArray[np.uint8], bottom: int = 120) -> float:
    """How bright a picture is where the name's letters are."""
    there = with_name(np.zeros(SIZE, np.uint8), bottom=bottom) > 200
    return float(pixels[there].mean())


def looked(frames: list[NDArray[np.uint8]], rate: float = RATE) -> list[NDArray[np.uint8]]:
    look = ClipLook()
    for index, pixels in enumerate(frames):
        look.add(pixels, 12.3 + index / rate)
    return look.pictures(same)


@pytest.mark.parametrize("first", [0, 4, 33, 47, 75])
def test_a_name_shown_for_half_a_second_is_read_at_its_brightest(first: int) -> None:
    frames = [speckle(index) for index in range(COUNT)]
    for index in range(first, first + RATE // 2):
        frames[index] = with_name(frames[index])
    mean, *moments = looked(frames)
    assert letters(mean) < 140
    assert max(letters(pixels) for pixels in moments) > 240


def test_without_text_that_comes_or_goes_the_mean_is_enough() -> None:
    frames = [speckle(index) for index in range(COUNT)]
    assert len(looked(frames)) == 1
    assert len(looked([with_name(pixels) for pixels in frames])) == 1
    assert len(looked([speckle(0)] * COUNT)) == 1


def test_one_name_after_the_other_is_seen_and_never_more_pictures_than_allowed() -> None:
    frames = [speckle(index) for index in range(COUNT)]
    for number in range(3):
        for index in range(30 * number, 30 * number + 15):
            frames[index] = with_name(frames[index], bottom=40 + 60 * number)
    pictures = looked(frames)
    for number in range(3):
        assert max(letters(pixels, 40 + 60 * number) for pixels in pictures) > 240
    flashes = [with_name(speckle(index), bottom=30 + 35 * (index // 15)) for index in range(COUNT)]
    assert len(looked(flashes)) == 1 + MOST_MOMENTS


def test_colour_slow_and_uneven_clips() -> None:
    frames = [speckle(index) for index in range(9)]
    frames[3:5] = [with_name(pixels) for pixels in frames[3:5]]
    assert max(letters(pixels) for pixels in looked(frames, rate=3)) > 240
    coloured = [np.stack([pixels] * 3, axis=-1) for pixels in frames]
    pictures = looked(coloured, rate=3)
    assert {pixels.shape for pixels in pictures} == {(*SIZE, 3)}
    assert looked([]) == []
    assert len(looked([frames[0], frames[1][:100]])) == 1


@pytest.mark.parametrize("coloured", [range(COUNT // 2), range(COUNT // 2, COUNT)])
@pytest.mark.parametrize("first", [10, 60])
def test_a_name_is_read_also_where_colour_comes_or_goes_within_the_clip(first: int, coloured: range) -> None:
    frames = [speckle(index) for index in range(COUNT)]
    for index in range(first, first + RATE // 2):
        frames[index] = with_name(frames[index])
    for index in coloured:
        frames[index] = np.stack([frames[index]] * 3, axis=-1)
    assert max(letters(pixels) for pixels in looked(frames)[1:]) > 240
