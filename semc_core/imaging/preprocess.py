"""How a frame becomes the network's input: one function for live, review, training and tests.

Gray, crop, (mask,) (CLAHE,) resize, letterbox, normalise (by fixed numbers or by the picture itself), in
this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.language import _
from semc_core.picture import gray_of
from semc_core.types import Crop


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a frame becomes the network's input; the same in live, review, training and tests.

    Attributes:
        height: Input rows.
        width: Input columns.
        fit: "letterbox" (keep the shape, pad with black) or "stretch".
        mean: Subtracted after scaling to 0-1, one per channel.
        std: Divided by after that.
        clahe: Whether CLAHE (clip 2, 8x8 tiles) is applied to gray first, as in the released code.
        per_image: Whether each input is first brought to mean 0 and standard deviation 1 by itself, instead
            of being scaled to 0-1. An input of one colour becomes 0.
        mask: Whether what lies outside of the picture's outline is black for the network, words for example.
    """

    height: int
    width: int
    fit: str = "letterbox"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    clahe: bool = False
    per_image: bool = False
    mask: bool = False


Outline = tuple[tuple[int, int], ...]
"""Corners of a polygon round the picture's sector, (x, y) in pixels of the frame."""

_CLAHE_CLIP: Final = 2.0
_CLAHE_TILES: Final = (8, 8)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Where a crop lies in the network's input, and the way back to the frame.

    Attributes:
        crop: The part of the frame, pixels of the frame.
        height: Rows of the input.
        width: Columns of the input.
        left: First input column that shows the crop; the columns before are padding.
        top: First input row that shows the crop.
        inner_width: Input columns that show the crop.
        inner_height: Input rows that show the crop.
    """

    crop: Crop
    height: int
    width: int
    left: int
    top: int
    inner_width: int
    inner_height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels per frame pixel, (along x, along y)."""
        return self.inner_width / self.crop.width, self.inner_height / self.crop.height

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """A place in the input, in input pixels, as a place in the frame, in frame pixels."""
        along_x, along_y = self.scale
        return self.crop.left + (x - self.left) / along_x, self.crop.top + (y - self.top) / along_y

    def covered(self) -> tuple[float, float, float, float]:
        """What the whole input, padding too, covers of the frame: left, top, width, height, frame pixels.

        A map (h, w) stretched over this rectangle lies where it belongs; it may reach out of the frame.
        """
        left, top = self.to_frame(0, 0)
        right, bottom = self.to_frame(self.width, self.height)
        return left, top, right - left, bottom - top


def whole(pixels: NDArray[np.uint8]) -> Crop:
    """The crop that leaves nothing out."""
    return Crop(0, 0, pixels.shape[1], pixels.shape[0])


def clipped(crop: Crop, pixels: NDArray[np.uint8]) -> Crop:
    """The part of `crop` that lies inside the frame.

    Raises:
        UsageError: Nothing of it does.
    """
    left, top = max(0, crop.left), max(0, crop.top)
    width = min(crop.left + crop.width, pixels.shape[1]) - left
    height = min(crop.top + crop.height, pixels.shape[0]) - top
    if width < 1 or height < 1:
        raise UsageError(_("The region of interest lies outside of the picture; choose it again."))
    return Crop(left, top, width, height)


def fit(crop: Crop, spec: Preprocessing) -> Fitted:
    """Where `crop`, which lies inside its frame, is put in the input."""
    if spec.fit == "stretch":
        return Fitted(crop, spec.height, spec.width, 0, 0, spec.width, spec.height)
    scale = min(spec.width / crop.width, spec.height / crop.height)
    inner_width = min(spec.width, max(1, round(crop.width * scale)))
    inner_height = min(spec.height, max(1, round(crop.height * scale)))
    left, top = (spec.width - inner_width) // 2, (spec.height - inner_height) // 2
    return Fitted(crop, spec.height, spec.width, left, top, inner_width, inner_height)


def prepare(
    pixels: NDArray[np.uint8], crop: Crop, spec: Preprocessing, outline: Outline = ()
) -> NDArray[np.float32]:
    """Make the network's input of one frame.

    Args:
        pixels: uint8 (H, W) gray or (H, W, 3) RGB.
        crop: The ultrasound picture; clipped to the frame.
        spec: From the model file.
        outline: The picture's sector; used where the model file asks for it. None known: ().

    Returns:
        float32 (C, h, w), normalised; every channel shows the gray picture. Padding is black, normalised
        alike.

    Raises:
        UsageError: The crop lies outside of the frame.
    """
    return normalised(placed(pixels, crop, spec, outline), spec)


def placed(
    pixels: NDArray[np.uint8], crop: Crop, spec: Preprocessing, outline: Outline = ()
) -> NDArray[np.uint8]:
    """The input of one frame before it is normalised, uint8 (h, w); see `prepare`."""
    inside = clipped(crop, pixels)
    place = fit(inside, spec)
    gray = gray_of(inside.cut(pixels))
    if spec.mask and outline:
        gray = _black_outside(gray, inside, outline)
    if spec.clahe:
        gray = cast("NDArray[np.uint8]", cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES).apply(gray))
    small = shrunk(gray, place.inner_width, place.inner_height)
    padded = np.zeros((spec.height, spec.width), np.uint8)
    padded[place.top : place.top + place.inner_height, place.left : place.left + place.inner_width] = small
    return padded


def normalised(shown: NDArray[np.uint8], spec: Preprocessing) -> NDArray[np.float32]:
    """float32 (C, h, w) of what `placed` gives."""
    tables = _own_normalisation(shown, spec) if spec.per_image else _normalisation(spec)
    return np.stack([cast("NDArray[np.float32]", cv2.LUT(shown, table)) for table in tables])


def _black_outside(gray: NDArray[np.uint8], crop: Crop, outline: Outline) -> NDArray[np.uint8]:
    """`gray`, which shows `crop`, with black where the outline does not reach."""
    mask = np.zeros_like(gray)
    corners = np.array(outline, np.int32) - np.array([crop.left, crop.top], np.int32)
    cv2.fillPoly(mask, [corners], 255)
    return cast("NDArray[np.uint8]", cv2.bitwise_and(gray, mask))


def shrunk(gray: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (height, width): averaged when shrinking, else linear.

    Halves first, see `halved`: that is seven times faster, and differs from averaging in one step by
    rounding.
    """
    gray = halved(gray, width, height)
    shrinks = width < gray.shape[1] or height < gray.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast("NDArray[np.uint8]", cv2.resize(gray, (width, height), interpolation=method))


def halved(gray: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 (H, W) halved, by averaging, as often as it stays at least as large as (height, width).

    An odd last row or column is left out at each halving, less than half a pixel of the result.
    """
    while gray.shape[1] >= 2 * width and gray.shape[0] >= 2 * height:
        half = (gray.shape[1] // 2, gray.shape[0] // 2)
        even = gray[: 2 * half[1], : 2 * half[0]]
        gray = cast("NDArray[np.uint8]", cv2.resize(even, half, interpolation=cv2.INTER_AREA))
    return gray


@lru_cache(maxsize=16)
def _normalisation(spec: Preprocessing) -> tuple[NDArray[np.float32], ...]:
    """For each channel the normalised value of each of the 256 gray levels."""
    return _tables(np.arange(256, dtype=np.float64) / 255, spec)


def _own_normalisation(picture: NDArray[np.uint8], spec: Preprocessing) -> tuple[NDArray[np.float32], ...]:
    """The same where the levels are first brought to the picture's own mean 0 and standard deviation 1."""
    mean, deviation = float(picture.mean()), float(picture.std())
    levels = (np.arange(256, dtype=np.float64) - mean) / (deviation if deviation > 0 else np.inf)
    return _tables(levels, spec)


def _tables(levels: NDArray[np.float64], spec: Preprocessing) -> tuple[NDArray[np.float32], ...]:
    return tuple(
        ((levels - mean) / std).astype(np.float32) for mean, std in zip(spec.mean, spec.std, strict=True)
    )
