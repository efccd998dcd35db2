"""What the region finder's network sees: a part of the frame, always of the same small size."""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.types import Crop

WIDTH: Final = 320
HEIGHT: Final = 240
CELL: Final = 4
"""Pixels of a look along each side of a cell of the network's answer."""


def look_at(gray: NDArray[np.uint8], part: Crop) -> NDArray[np.uint8]:
    """Part of a frame stretched to uint8 (240, 320).

    Of very large parts only every nth pixel is taken, so that it costs the same for each resolution.

    Args:
        gray: uint8 (H, W).
        part: Inside of the frame.
    """
    pixels = part.cut(gray)
    step = min(pixels.shape[0] // (2 * HEIGHT), pixels.shape[1] // (2 * WIDTH))
    if step > 1:
        pixels = pixels[::step, ::step]
    shrinks = pixels.shape[0] > HEIGHT and pixels.shape[1] > WIDTH
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast("NDArray[np.uint8]", cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=method))


def widened(box: Crop, share: float, height: int, width: int) -> Crop:
    """A box larger by a share of its size at each side, inside of a frame of (height, width)."""
    x, y = round(share * box.width), round(share * box.height)
    left, top = max(0, box.left - x), max(0, box.top - y)
    right, bottom = min(width, box.left + box.width + x), min(height, box.top + box.height + y)
    return Crop(left, top, right - left, bottom - top)
