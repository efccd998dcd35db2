"""A clock of bars: a moment as a pattern on a screen, which is read from the pictures that come of it.

A light frame on a dark ground holds two rows of upright bars; the lower row is the upper one with black and
white exchanged. A bar is read by which of its halves is lighter, so the levels do not matter (gamma, limited
range, a lamp's reflection), and one whose halves do not clearly differ makes the picture unreadable: two
moments in one picture (a torn one, a long exposure), blur, too small a picture. The moment stands there in
Gray code with check bits and marks at both ends, which a mirrored or turned picture has elsewhere: a picture
gives the right number or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

WRAP_MS: Final = 1 << 16
"""After so many milliseconds the clock begins again."""
LIKELY_MS: Final = WRAP_MS // 2
"""A moment that seems to be longer ago lies in the future, or was read of another clock."""

_BITS: Final = 16
_CHECK_BITS: Final = 8
_POLYNOMIAL: Final = 0x107  # CRC-8
_BEGIN: Final = (1, 1, 0)
_END: Final = (0, 1, 0)
_BARS: Final = len(_BEGIN) + _BITS + _CHECK_BITS + len(_END)
_CELL: Final = 16
"""Pixels of a bar's width and of half its height in the pattern as it is drawn first, and as it is read."""
_GROUND: Final = 1
_FRAME: Final = 1
_MARGIN: Final = _GROUND + _FRAME + 1  # cells: ground, frame, ground
_ROWS: Final = 5
"""Cells of a bar's height, twice."""
_DARK: Final = 30
_LIGHT: Final = 225
_WIDTH_READ: Final = 640
"""A picture of twice the width or more is averaged down to about this: that takes noise away, and time."""
_LEAST_DIFFERENCE: Final = 24.0
_LEAST_SHARE: Final = 0.5
"""Of the largest difference of a bar's halves, the least one."""
_LEAST_CELL_PX: Final = 3.5
_MOST_FOUND: Final = 8


def draw(moment_s: float, width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width): the clock at a moment, on a ground with a fine pattern that is no plain card.

    Args:
        moment_s: `time.monotonic()`; it is shown in milliseconds, up to `WRAP_MS`.
        width: Pixels, at least 256.
        height: Pixels.
    """
    cells = _cells(int(moment_s * 1000) % WRAP_MS)
    wide = width * 15 // 16 // cells.shape[1] * cells.shape[1]
    high = min(height * 3 // 4, wide * cells.shape[0] // cells.shape[1])
    pattern = cv2.resize(cells, (wide, high), interpolation=cv2.INTER_NEAREST)
    shown = _ground(width, height).copy()
    left, top = (width - wide) // 2, (height - high) // 2
    shown[top : top + high, left : left + wide] = pattern
    return shown


def read(gray: NDArray[np.uint8]) -> int | None:
    """The milliseconds in uint8 (H, W), 0 to `WRAP_MS` - 1; None where no clock, or no clear one, is seen."""
    height, width = gray.shape
    if (step := width // _WIDTH_READ) > 1 and height >= step:
        size = (width // step, height // step)
        whole = gray[: size[1] * step, : size[0] * step]
        gray = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
    for corners in _frames(gray):
        value = _value(gray, corners)
        if value is not None:
            return value
    return None


def age_ms(read_ms: int, at_s: float) -> float | None:
    """How long before `at_s`, `time.monotonic()`, the clock said `read_ms`; None where that cannot be."""
    age = (at_s * 1000 - read_ms) % WRAP_MS
    return age if age < LIKELY_MS else None


def _cells(value: int) -> NDArray[np.uint8]:
    """uint8 (rows, columns): the pattern, one pixel a cell."""
    bars = np.array(_bars(value), bool)
    half = np.where(bars, _LIGHT, _DARK).astype(np.uint8)
    other = np.where(bars, _DARK, _LIGHT).astype(np.uint8)
    inside = np.concatenate([np.tile(half, (_ROWS, 1)), np.tile(other, (_ROWS, 1))])
    framed = np.pad(inside, _MARGIN - _GROUND - _FRAME, constant_values=_DARK)
    framed = np.pad(framed, _FRAME, constant_values=_LIGHT)
    return np.pad(framed, _GROUND, constant_values=_DARK)


def _bars(value: int) -> tuple[int, ...]:
    gray = value ^ (value >> 1)
    code = (gray << _CHECK_BITS) | _check(gray)
    bits = (code >> place & 1 for place in reversed(range(_BITS + _CHECK_BITS)))
    return (*_BEGIN, *bits, *_END)


def _check(gray: int) -> int:
    """The remainder of CRC-8."""
    rest = gray << _CHECK_BITS
    for place in reversed(range(_BITS)):
        if rest >> (place + _CHECK_BITS) & 1:
            rest ^= _POLYNOMIAL << place
    return rest


@lru_cache(maxsize=2)
def _ground(width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width), dark, with something in it."""
    texture = np.random.default_rng(0).integers(16, 80, (-(-height // 8), -(-width // 8)), np.uint8)
    return np.repeat(np.repeat(texture, 8, axis=0), 8, axis=1)[:height, :width]


def _frames(gray: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """float32 (4, 2): corners (x, y) of what may be the clock's frame, the largest first."""
    low, high = np.percentile(gray[::4, ::4], (2, 98))
    lit = (gray > (low + high) / 2).astype(np.uint8)
    contours, _ = cv2.findContours(lit, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    least = _LEAST_CELL_PX**2 * (_BARS + 2 * _MARGIN) * (2 * _ROWS + 2 * _MARGIN)
    large = [each for each in contours if cv2.contourArea(each) >= least]
    for contour in sorted(large, key=cv2.contourArea, reverse=True)[:_MOST_FOUND]:
        corners = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
        if len(corners) == 4 and cv2.isContourConvex(corners):
            yield _in_order(corners.reshape(4, 2).astype(np.float32))


def _in_order(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same, clockwise from the upper left."""
    across, along = corners.sum(axis=1), corners[:, 0] - corners[:, 1]
    return corners[[across.argmin(), along.argmax(), across.argmax(), along.argmin()]]


def _value(gray: NDArray[np.uint8], corners: NDArray[np.float32]) -> int | None:
    """The number inside the frame with these corners; None where there is none."""
    inner = _MARGIN - _GROUND
    columns, rows = (_BARS + 2 * inner) * _CELL, (2 * _ROWS + 2 * inner) * _CELL
    square = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    flat = cv2.warpPerspective(gray, cv2.getPerspectiveTransform(corners, square), (columns, rows))
    bars = flat[:, inner * _CELL : -inner * _CELL].reshape(rows, _BARS, _CELL)
    bars = bars[:, :, _CELL // 4 : -_CELL // 4]
    upper, lower = (
        bars[(top + 1) * _CELL : (top + _ROWS - 1) * _CELL].mean(axis=(0, 2))
        for top in (inner, inner + _ROWS)
    )
    difference = upper - lower
    strength = np.abs(difference)
    if strength.max() < _LEAST_DIFFERENCE or strength.min() < _LEAST_SHARE * strength.max():
        return None
    return _decoded([int(each > 0) for each in difference])


def _decoded(bars: Sequence[int]) -> int | None:
    begin, end = len(_BEGIN), len(bars) - len(_END)
    code = int("".join(map(str, bars[begin:end])), 2)
    gray = code >> _CHECK_BITS
    marked = tuple(bars[:begin]) == _BEGIN and tuple(bars[end:]) == _END
    if not marked or code & ((1 << _CHECK_BITS) - 1) != _check(gray):
        return None
    value = gray
    for shift in (1, 2, 4, 8):
        value ^= value >> shift
    return value
