"""Small pictures of frames, for strips and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.types import read_only

if TYPE_CHECKING:
    pass


THUMBNAIL_PX: Final = 160


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy at most 160 px wide, read-only. uint8 (h, w) or (h, w, 3)."""
    height, width = pixels.shape[:2]
    if width <= THUMBNAIL_PX:
        return read_only(pixels.copy())
    size = (THUMBNAIL_PX, max(1, round(height * THUMBNAIL_PX / width)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return read_only(small.astype(np.uint8, copy=False))
