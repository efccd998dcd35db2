"""Which pictures of a clip are read: a name that is there for two frames is in one of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.export.text_search import ClipLook, Shown

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


def looked(frames: list[NDArray[np.uint8]], shown: Shown = same) -> list[NDArray[np.uint8]]:
    look = ClipLook(shown)
    for pixels in frames:
        look.add(pixels)
    return look.pictures()


@pytest.mark.parametrize("first", [0, 4, 33, 47, 75])
def test_a_name_shown_for_half_a_second_is_read_at_its_brightest(first: int) -> None:
    frames = [speckle(index) for index in range(COUNT)]
    for index in range(first, first + RATE // 2):
        frames[index] = with_name(frames[index])
    mean, *moments = looked(frames)
    assert letters(mean) < 140
    assert max(letters(pixels) for pixels in moments) > 240


def drifting(count: int) -> list[NDArray[np.uint8]]:
    """Bright speckle that turns into other speckle within a third of a second, as under a slow probe."""
    noise = np.random.default_rng(3).integers(0, 256, (count // 10 + 2, *SIZE), np.uint8)
    held = [cv2.normalize(cv2.GaussianBlur(each, (0, 0), 2), noise[0] * 0, 20, 160, cv2.NORM_MINMAX)
            for each in noise]  # fmt: skip
    frames = []
    for index in range(count):
        at, share = divmod(index, 10)
        mixed = cv2.addWeighted(held[at], 1 - share / 10, held[at + 1], share / 10, 0)
        frames.append(np.asarray(mixed, np.uint8))
    return frames


@pytest.mark.parametrize("length", [2, 3, RATE // 4, RATE // 2])
@pytest.mark.parametrize("first", [0, 31, 58, COUNT - RATE // 2])
def test_a_name_shown_for_two_frames_is_read_also_where_speckle_stands_still_for_longer(
    first: int, length: int
) -> None:
    frames = drifting(COUNT)
    for index in range(first, first + length):
        frames[index] = with_name(frames[index])
    assert max(letters(pixels) for pixels in looked(frames)) > 240


def test_text_that_comes_and_goes_outside_of_what_is_exported_takes_no_place() -> None:
    frames = [speckle(index) for index in range(COUNT)]
    for number in range(12):
        frames[7 * number + 1] = with_name(frames[7 * number + 1], "0:12:34", 30 + 3 * number)
        frames[7 * number + 2] = with_name(frames[7 * number + 2], "0:12:34", 30 + 3 * number)
    frames[45:47] = [with_name(pixels, "J", 200) for pixels in frames[45:47]]

    def shown(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        kept = pixels.copy()
        kept[:120] = 0
        return kept

    there = with_name(np.zeros(SIZE, np.uint8), "J", 200) > 200
    assert max(float(pixels[there].mean()) for pixels in looked(frames, shown)[1:]) > 240


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
    assert len(looked(flashes)) == 1 + 4


def test_colour_slow_and_uneven_clips() -> None:
    frames = [speckle(index) for index in range(9)]
    frames[3:5] = [with_name(pixels) for pixels in frames[3:5]]
    assert max(letters(pixels) for pixels in looked(frames)) > 240
    coloured = [np.stack([pixels] * 3, axis=-1) for pixels in frames]
    pictures = looked(coloured)
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


def test_a_name_is_found_where_a_fast_card_gives_every_frame_twice() -> None:
    frames = [speckle(index) for index in range(COUNT // 2)]
    for index in (20, 21, 22):
        frames[index] = with_name(frames[index])
    _, *moments = looked([pixels for pixels in frames for _ in range(2)])
    assert max(letters(pixels) for pixels in moments) > 240


def test_a_name_over_a_frozen_picture_is_found() -> None:
    frames = [speckle(index) for index in range(COUNT)]
    frames[40:46] = [with_name(frames[40])] * 6
    _, *moments = looked(frames)
    assert max(letters(pixels) for pixels in moments) > 240


def test_the_mean_of_a_clip_is_exact() -> None:
    frames = [np.full((12, 16), value, np.uint8) for value in (10, 11, 11)]
    (mean,) = looked(frames)
    assert (mean == 11).all()


def flashed(brightness: list[int]) -> list[NDArray[np.uint8]]:
    """A black clip so long that its mean is black; for three frames it shows a thin line."""
    frames = [np.zeros((40, 40), np.uint8)] * 1000
    shown = np.zeros((40, 40), np.uint8)
    shown[10 : 10 + len(brightness), 20] = brightness
    frames[300:303] = [shown] * 3
    return frames


def test_a_line_is_read_from_a_stated_amount_of_light_on() -> None:
    mean, moment = looked(flashed([148] * 15))
    assert not mean.any()
    assert moment[10:25, 20].tolist() == [148] * 15
    assert moment.sum() == 148 * 15
    assert len(looked(flashed([148] * 14 + [147]))) == 1


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("first", [0, 1])
def test_a_bar_that_trembles_by_a_pixel_is_read_once(first: int, axis: int) -> None:
    frames = []
    for index in range(COUNT):
        pixels = np.zeros(SIZE, np.uint8)
        moved = (index // 3 + first) % 2
        pixels[60:160, 100 + moved : 103 + moved] = 255
        frames.append(pixels if axis else np.ascontiguousarray(pixels.T))
    assert len(looked(frames)) == 2
