"""How sharp the picture in the region of interest is."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.types import Crop

_SIDE_PX: Final = 256


def sharpness(pixels: NDArray[np.uint8], crop: Crop) -> float:
    """Tenengrad: the mean squared Sobel gradient inside `crop`, on gray of a fixed size.

    The fixed size makes frames of different resolution comparable; the light blur keeps single-pixel noise of
    a capture card from counting as detail. Only differences within one hold mean anything.

    Args:
        pixels: uint8 (H, W) or (H, W, 3) RGB.
        crop: Region of interest, pixels.

    Returns:
        A number of at least 0; larger is sharper.
    """
    gray = small_gray(pixels, crop, _SIDE_PX, _SIDE_PX)
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    return float(cv2.norm(across, cv2.NORM_L2SQR) + cv2.norm(down, cv2.NORM_L2SQR)) / gray.size


def small_gray(pixels: NDArray[np.uint8], crop: Crop, width: int, height: int) -> NDArray[np.uint8]:
    """The crop as gray, (height, width), by area averaging. An empty crop gives the whole frame."""
    region = crop.cut(pixels)
    if region.size == 0:
        region = pixels
    if region.ndim == 3 and region.shape[0] * region.shape[1] > 4 * width * height:
        # Shrinking the colour picture first would cost three channels of averaging.
        region = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    small = cv2.resize(region, (width, height), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return small.astype(np.uint8, copy=False)
