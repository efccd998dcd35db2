"""What a capture card shows while nothing comes from the scanner, known by how it is built, not by its words.

Cards, converters and screens show one of these: colour bars, or a plain card with or without a text or a logo
on it. Both are made of areas without any texture over the whole screen, which no scanner's screen with a
picture is. One frame is enough: no later one is needed to know it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.picture import Picture

_WIDTH_PX: Final = 240
_HEIGHT_PX: Final = 135
_LIT_LEVEL: Final = 24
_PLAIN_LEVEL: Final = 4
"""So much an averaged pixel of one colour differs: noise, and what compression leaves round a text."""
_PLAIN_SHARE: Final = 0.78
_REACH_PX: Final = (25, 15)
"""Columns and rows over which letters, words and lines belong together."""
_SPECK_SHARE: Final = 0.0006
_WRITTEN_SHARE: Final = 0.25
_LEAST_WIDTH: Final = 0.08
_MOST_TEXTS: Final = 3
_TWO_LEVELS_SHARE: Final = 0.38
_BRIGHT_LEVEL: Final = 100
_LEVEL_WIDTH: Final = 17
_COLOUR_LEVEL: Final = 40
_BARS: Final = (5, 12)
_BAR_WIDTH: Final = 0.05
_BARS_WIDTH: Final = 0.85
_UNEQUAL: Final = 1.8
"""So much wider one bar may be: panels of a screen are not alike."""
_BARS_HEIGHT: Final = 0.6
"""Of the standard patterns the bars fill the upper two thirds; other things stand below."""
_EVERY_ROW: Final = 8
_ALIKE_SHARE: Final = 0.75
_STEP_LEVEL: Final = 3

_SAMPLE_LEVEL: Final = _PLAIN_LEVEL + 1
_SAMPLE_PLAIN_SHARE: Final = _PLAIN_SHARE - 0.06
_SAMPLE_STEP_LEVEL: Final = _STEP_LEVEL + 2
"""Of every eighth row, and only about averaged, so wider than the rule's own. The sample's share of plain
pixels was at most 0.02 below the whole's (240 cards)."""


def is_no_signal(picture: Picture) -> bool:
    """Whether a whole screen is what a card shows without a signal.

    A black screen with nothing on it is not: a scanner sends that, too.
    """
    gray = picture.gray
    # Averaging all pixels of a large screen would take longer than all the rest.
    step = max(1, min(picture.width // (2 * _WIDTH_PX), picture.height // (2 * _HEIGHT_PX)))
    return _may_be(_sample(gray, step)) and _is_plain_or_bars(picture, gray, step)


def _is_plain_or_bars(picture: Picture, gray: NDArray[np.uint8], step: int) -> bool:
    """The rule itself, of each so manyth row and column."""
    fewer = np.ascontiguousarray(gray[::step, ::step])
    small = np.asarray(cv2.resize(fewer, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)
    back, share = _plainest(small, _PLAIN_LEVEL)
    if share >= _PLAIN_SHARE:
        return _is_card(picture, small, back)
    return _is_bars(small)


def _sample(gray: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """About every eighth row of the small picture that `is_no_signal` judges, from as few pixels as it takes.

    Args:
        gray: uint8 (H, W).
        step: Only each so manyth row and column is looked at.
    """
    tall = -(-gray.shape[0] // step)
    rows = np.arange(0, _HEIGHT_PX, _EVERY_ROW)
    each = max(1, tall // _HEIGHT_PX)
    places = np.minimum(rows[:, None] * tall // _HEIGHT_PX + np.arange(each), tall - 1)
    strips = np.ascontiguousarray(gray[places.ravel() * step, ::step])
    return np.asarray(cv2.resize(strips, (_WIDTH_PX, len(rows)), interpolation=cv2.INTER_AREA), np.uint8)


def _may_be(sample: NDArray[np.uint8]) -> bool:
    """Whether a sample leaves it open that its screen is plain or made of bars; most scans' are neither."""
    if _plainest(sample, _SAMPLE_LEVEL)[1] >= _SAMPLE_PLAIN_SHARE:
        return True
    upper = sample[: -(-round(_BARS_HEIGHT * _HEIGHT_PX) // _EVERY_ROW)]
    return _are_bars(_column(upper), _SAMPLE_STEP_LEVEL)


def _plainest(small: NDArray[np.uint8], reach: int) -> tuple[int, float]:
    """The level that most pixels have, give or take `reach`, and how large a share of them."""
    counts = np.bincount(small.ravel(), minlength=256)
    around = np.convolve(counts, np.ones(2 * reach + 1, np.int64), mode="same")
    back = int(around.argmax())
    return back, int(around[back]) / small.size


def _is_card(picture: Picture, small: NDArray[np.uint8], back: int) -> bool:
    """Whether what stands out from a plain screen of level `back` is no more than a text or a logo."""
    written = np.abs(small.astype(np.int16) - back) > _PLAIN_LEVEL
    if int(written.sum()) < _SPECK_SHARE * small.size:
        return back > _LIT_LEVEL or _has_colour(picture)
    boxes = _texts(written)
    area = sum(width * height for _, _, width, height in boxes) / small.size
    if area > _WRITTEN_SHARE:
        return False
    # Asked last: colours are made of a scanner's frames only where somebody looks.
    if back > _LIT_LEVEL or _has_colour(picture):
        return len(boxes) <= _MOST_TEXTS
    # A scanner's screen is black, too: here it must be one thing, as wide as a word, and as letters are.
    left, top, width, height = boxes[0]
    return (
        len(boxes) == 1
        and _LEAST_WIDTH * _WIDTH_PX <= width < _WIDTH_PX
        and _has_two_levels(_part(picture.gray, left, top, width, height), back)
    )


def _texts(written: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of each group of things that stand near each other."""
    joined = cv2.morphologyEx(written.view(np.uint8), cv2.MORPH_CLOSE, np.ones(_REACH_PX[::-1], np.uint8))
    found = cv2.connectedComponentsWithStats(joined, connectivity=8)[2][1:, :4]
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in found]


def _part(gray: NDArray[np.uint8], left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
    """The same box of the whole screen."""
    rows, columns = gray.shape
    return gray[
        top * rows // _HEIGHT_PX : -(-(top + height) * rows // _HEIGHT_PX),
        left * columns // _WIDTH_PX : -(-(left + width) * columns // _WIDTH_PX),
    ]


def _has_two_levels(gray: NDArray[np.uint8], back: int) -> bool:
    """Whether what stands out is bright and has one or two levels, as letters have; echoes have all."""
    lit = gray[gray > back + _LIT_LEVEL]
    if lit.size == 0 or int(lit.max()) < _BRIGHT_LEVEL:
        return False
    counts = np.bincount(lit, minlength=256)
    window = np.ones(_LEVEL_WIDTH, np.int64)
    around = np.convolve(counts, window, mode="same")
    first = int(around.argmax())
    counts[max(0, first - _LEVEL_WIDTH // 2) : first + _LEVEL_WIDTH // 2 + 1] = 0
    second = int(np.convolve(counts, window, mode="same").max())
    return int(around[first]) + second >= _TWO_LEVELS_SHARE * lit.size


def _has_colour(picture: Picture) -> bool:
    """Whether most of the screen has a colour: a dark blue is nearly black in gray."""
    pixels = picture.pixels
    if pixels.ndim == 2:
        return False
    seen = pixels[:: max(1, picture.height // 32), :: max(1, picture.width // 32)].astype(np.int16)
    return float(np.median(seen.max(axis=2) - seen.min(axis=2))) > _COLOUR_LEVEL


def _is_bars(small: NDArray[np.uint8]) -> bool:
    """Whether most of the screen is upright bars, each of one level; a text may stand on them."""
    upper = small[: round(_BARS_HEIGHT * _HEIGHT_PX)]
    column = _column(upper[::_EVERY_ROW])
    differs = cv2.absdiff(upper, np.broadcast_to(column, upper.shape))
    if np.count_nonzero(differs <= _PLAIN_LEVEL) < _ALIKE_SHARE * upper.size:
        return False
    return _are_bars(column, _STEP_LEVEL)


def _column(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What most rows show in each column."""
    return np.asarray(np.median(rows, axis=0), np.uint8)


def _are_bars(column: NDArray[np.uint8], step: int) -> bool:
    """Whether the levels of the small picture's columns are those of bars; a larger step parts two."""
    edges = np.flatnonzero(np.abs(np.diff(column.astype(np.int16))) > step) + 1
    widths = np.diff(np.concatenate(([0], edges, [_WIDTH_PX])))
    bars = widths[widths >= _BAR_WIDTH * _WIDTH_PX]
    if not _BARS[0] <= len(bars) <= _BARS[1] or int(bars.sum()) < _BARS_WIDTH * _WIDTH_PX:
        return False
    return int(bars.max()) <= _UNEQUAL * float(np.median(bars))
