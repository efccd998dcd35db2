"""Stored colours as RGB of 8 bits, and which colours a compressed picture really holds."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import convert_color_space

_CLEARLY: Final = 3.0
"""By how much one reading of the colours must be nearer to gray than the other, to be believed."""
_WITHOUT_COLOUR: Final = 128
_FROM_PARTIAL: Final = np.array(
    [[1.1644, 0.0, 1.5960], [1.1644, -0.3917, -0.8129], [1.1644, 2.0172, 0.0]], np.float32
)
"""DICOM PS3.3 C.7.6.3.1.2, inverted: of Y - 16, Cb - 128, Cr - 128."""
_PARTIAL_ZERO: Final = np.array([16, 128, 128], np.float32)


def to_8_bit(pixels: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    """Colour of any depth as uint8."""
    return np.asarray(pixels if bits_stored <= 8 else pixels >> (bits_stored - 8), np.uint8)


def to_rgb(values: NDArray[Any], colour: str, bits_stored: int) -> NDArray[np.uint8]:
    """(H, W, 3) or (H, W, 4) of the photometric interpretation `colour` as uint8 (H, W, 3) RGB."""
    pixels = to_8_bit(values, bits_stored)
    if colour in ("YBR_FULL", "YBR_FULL_422"):
        return np.asarray(convert_color_space(pixels, "YBR_FULL", "RGB"), np.uint8)
    if colour.startswith("YBR_PARTIAL"):
        levels = (pixels.astype(np.float32) - _PARTIAL_ZERO) @ _FROM_PARTIAL.T
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    if colour == "HSV":
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_HSV2RGB_FULL), np.uint8)
    if colour == "CMYK":
        ink = pixels.astype(np.int16)
        return np.asarray(np.clip(255 - ink[..., :3] - ink[..., 3:], 0, 255), np.uint8)
    return np.ascontiguousarray(pixels[..., 1:]) if colour == "ARGB" else pixels


def looks_like_rgb(values: NDArray[Any], bits_stored: int) -> bool | None:
    """Whether a picture's three samples are RGB, not brightness and colour difference; None: either.

    Pictures of ultrasound are gray for the most part: as RGB their samples are alike, as brightness and
    colour difference the last two lie around the middle.
    """
    first, second, third = np.moveaxis(to_8_bit(values, bits_stored)[..., :3].astype(np.int16), -1, 0)
    as_rgb = float(np.mean(np.abs(second - first)) + np.mean(np.abs(third - first)))
    as_ybr = float(np.mean(np.abs(second - _WITHOUT_COLOUR)) + np.mean(np.abs(third - _WITHOUT_COLOUR)))
    if as_rgb * _CLEARLY < as_ybr:
        return True
    return False if as_ybr * _CLEARLY < as_rgb else None
