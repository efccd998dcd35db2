"""Does colour lie over the ultrasound picture: Doppler, power Doppler, elastography?

Counted are saturated pixels inside the sector, on a coarse grid, so that calipers, words and lines, which are
coloured too, are thinner than what is looked for. A tinted gray scale is no colour: what counts is how far a
pixel's colour is from that in the middle of the lit ones.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from semc_core.imaging.preprocess import Outline
from semc_core.picture import Picture
from semc_core.types import Crop

COLOURED_SHARE: Final = 0.0015
"""Share of the sector from which on colour lies over it (docs/colour.md)."""
_COLUMNS: Final = 160
_ROWS: Final = 120
_LIT_LEVEL: Final = 24
_SATURATED: Final = 40.0
"""Distance in the plane of Cb and Cr: gray is at 0, pure red at 114."""
_GRAY: Final = 128
_NEARLY: Final = 14
"""No two colours that differ from gray by no more than this are as far apart as `_SATURATED`."""
_NEIGHBOURS: Final = np.ones((2, 2), np.uint8)


def is_coloured(picture: Picture, crop: Crop, outline: Outline = ()) -> bool:
    """Whether colour lies over the sector; see `coloured_share`."""
    return picture.coloured and coloured_share(picture, crop, outline) >= COLOURED_SHARE


def coloured_share(picture: Picture, crop: Crop, outline: Outline = ()) -> float:
    """Share of the sector, 0 to 1, that is saturated and wider than a line.

    Args:
        picture: The whole frame, with colour.
        crop: Region of interest, pixels.
        outline: Corners of the sector, pixels of the frame; none for the whole crop.
    """
    seen = picture.sampled(_ROWS, _COLUMNS)
    colour = seen[..., 1:]
    if colour.min() >= _GRAY - _NEARLY and colour.max() <= _GRAY + _NEARLY:
        return 0.0
    inside = np.zeros((_ROWS, _COLUMNS), np.uint8)
    scale = np.array([_COLUMNS / picture.width, _ROWS / picture.height])
    right, bottom = crop.left + crop.width, crop.top + crop.height
    corners = outline or ((crop.left, crop.top), (right, crop.top), (right, bottom), (crop.left, bottom))
    cv2.fillPoly(inside, [np.round(np.array(corners) * scale).astype(np.int32)], 1)
    lit = (seen[..., 0] > _LIT_LEVEL) & (inside > 0)
    if not lit.any():
        return 0.0
    # Every fourth says where the middle is.
    away = colour.astype(np.float32) - np.median(colour[lit][::4], axis=0).astype(np.float32)
    saturated = ((np.square(away).sum(axis=2) > _SATURATED**2) & lit).astype(np.uint8)
    wide = cv2.morphologyEx(saturated, cv2.MORPH_OPEN, _NEIGHBOURS)
    return int(np.count_nonzero(wide)) / int(np.count_nonzero(inside))
