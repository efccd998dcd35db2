"""A picture is read once; a reading never speaks for other pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semc_core.export.found_text import FoundText
from semc_core.export.ocr import TextReadings, covered, left_under
from semc_core.types import Crop

WORD = Crop(10, 5, 20, 8)
OTHER = Crop(40, 20, 10, 6)


class Counting:
    """Finds a word wherever the picture is white inside one of the boxes, and counts how often it reads."""

    def __init__(self) -> None:
        self.reads = 0

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        self.reads += 1
        return tuple(FoundText(box, "JANE") for box in (WORD, OTHER) if (box.cut(pixels) == 255).any())

    def glance(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        return self.find(pixels)


def picture(*words: Crop) -> NDArray[np.uint8]:
    pixels = np.zeros((40, 60), np.uint8)
    for box in words:
        box.cut(pixels)[:] = 255
    return pixels


def test_the_same_pixels_are_read_once_and_what_a_mask_covers_is_gone() -> None:
    finder, readings = Counting(), TextReadings()
    for _ in range(2):
        assert [text.box for text in readings.read(finder, picture(WORD, OTHER), ())] == [WORD, OTHER]
    assert [text.box for text in readings.read(finder, picture(WORD, OTHER), [WORD])] == [OTHER]
    assert readings.read(finder, picture(WORD, OTHER), [WORD, OTHER]) == ()
    half = Crop(WORD.left, WORD.top, 10, WORD.height)
    assert [text.box for text in readings.read(finder, picture(WORD), [half])] == [WORD]
    assert [text.box for text in readings.read(finder, picture(WORD, OTHER), [half, OTHER])] == [WORD]
    assert finder.reads == 2


def test_other_pixels_or_a_mask_less_are_read_anew() -> None:
    finder, readings = Counting(), TextReadings()
    assert readings.read(finder, picture(), ()) == ()
    changed = picture()
    changed[WORD.top, WORD.left] = 255
    assert len(readings.read(finder, changed, ())) == 1
    assert finder.reads == 2
    assert readings.read(finder, picture(WORD), [WORD]) == ()
    assert len(readings.read(finder, picture(WORD), ())) == 1, "the mask is gone"
    assert len(readings.read(finder, picture(WORD), [OTHER])) == 1
    assert finder.reads == 4
    assert len(readings.read(finder, np.ascontiguousarray(picture(WORD).reshape(60, 40)), ())) <= 2
    assert finder.reads == 5, "the same bytes in another shape"


class Shortsighted(Counting):
    """Sees nothing at a glance."""

    def glance(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        return ()


def test_what_is_left_of_a_word_is_found_even_if_a_glance_misses_it() -> None:
    half = Crop(WORD.left, WORD.top, 10, WORD.height)
    assert [text.box for text in left_under(Shortsighted(), picture(WORD), [half])] == [WORD]
    assert left_under(Shortsighted(), picture(WORD), [WORD]) == ()


def test_a_word_is_covered_only_as_a_whole() -> None:
    left, right = Crop(8, 4, 12, 10), Crop(20, 4, 12, 10)
    assert covered(WORD, [left, right])
    assert not covered(WORD, [left])
    assert not covered(WORD, [left, Crop(21, 4, 12, 10)])
    assert not covered(WORD, [])
    assert not covered(WORD, [Crop(0, 0, 10, 40), Crop(10, 0, 40, 5)])
    assert covered(WORD, [Crop(0, 0, 60, 40)])
