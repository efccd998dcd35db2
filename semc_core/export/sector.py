"""Where in an exported picture tissue can be: text beside it may be blackened without a question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.types import Crop

_LEAST_BRIGHT: Final = 12
_STROKE_PX: Final = 9
_MARGIN_PX: Final = 7


def sector_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which pixels belong to the sector, rather too many than too few; uint8 (H, W), 0 or 1.

    It is the largest connected part of the picture that is not black and wider than letters are, with its
    shadows and dents, and a little more. Where there is none, everything belongs to it.

    Args:
        pixels: uint8 (H, W) or (H, W, 3); black where nothing is exported.
    """
    bright = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    shown = (bright > _LEAST_BRIGHT).astype(np.uint8)
    # Speckle has dark grains: first they are filled, then what is as thin as a letter goes.
    grain = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    filled = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    wide = cv2.morphologyEx(filled, cv2.MORPH_OPEN, grain)
    count, parts, stats, _middles = cv2.connectedComponentsWithStats(wide, connectivity=4)
    if count < 2:
        return np.ones(bright.shape, np.uint8)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    mask = (parts == largest).astype(np.uint8)
    outlines, _tree = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.fillPoly(mask, [np.asarray(cv2.convexHull(np.concatenate(outlines)), np.int32)], 1)
    margin = np.ones((2 * _MARGIN_PX + 1, 2 * _MARGIN_PX + 1), np.uint8)
    return np.asarray(cv2.dilate(mask, margin), np.uint8)


def lies_beside(box: Crop, sectors: Iterable[NDArray[np.uint8]]) -> bool:
    """Whether no pixel of `box` belongs to any of the sectors; False without a sector."""
    each_free = [not box.cut(sector).any() for sector in sectors]
    return bool(each_free) and all(each_free)
