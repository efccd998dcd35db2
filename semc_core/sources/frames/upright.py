"""How a decoded picture is to be shown: turned, mirrored, and its pixels made square."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from numpy.typing import NDArray

from semc_core.picture_options import PictureOptions

_MATRIX: Final = struct.Struct("=9i")
_WIDEST: Final = 8
"""A pixel is at most so many times as wide as high, or as high as wide; else the file is wrong."""
_SHAPES: Final = {"4:3": Fraction(4, 3), "16:9": Fraction(16, 9)}


@dataclass(frozen=True, slots=True)
class Upright:
    """From a picture as it is stored to one as it is shown. First widened, then transposed, then mirrored.

    Attributes:
        aspect: Width of a stored pixel over its height; the picture's width is multiplied by it.
        transposed: Whether rows become columns.
        mirrored: Whether left and right change places.
        flipped: Whether top and bottom change places.
    """

    aspect: Fraction = Fraction(1)
    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def turned(self) -> bool:
        """Whether the picture is turned or mirrored."""
        return self.transposed or self.mirrored or self.flipped

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns as shown, of a picture stored in so many."""
        width = self._width(width)
        return (width, height) if self.transposed else (height, width)

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (H, W) or (H, W, 3) as stored -> as shown; the same array where nothing is to be done."""
        height, stored = pixels.shape[:2]
        width = self._width(stored)
        if width != stored:
            how = cv2.INTER_LINEAR if width > stored else cv2.INTER_AREA
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)
        if not self.turned:
            return pixels
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        return np.ascontiguousarray(
            pixels[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1],
        )

    def wished(self, options: PictureOptions, height: int, width: int) -> Upright:
        """The same as the user wants it, for a picture that is stored in so many rows and columns."""
        aspect = self.aspect
        if (shape := _SHAPES.get(options.aspect)) is not None:
            aspect = pixel_aspect((1 / shape if self.transposed else shape) * Fraction(height, width))
        return replace(
            self,
            aspect=aspect,
            mirrored=self.mirrored != (options.flip in ("horizontal", "180")),
            flipped=self.flipped != (options.flip in ("vertical", "180")),
        )

    def _width(self, width: int) -> int:
        return max(1, round(width * self.aspect))


class Uprights:
    """How the frames of one stream are shown.

    A frame's side data refer to the frame and it to them, so that it stays in memory until cycles are
    collected. They are looked at once for each rotation and size that comes up, not for each frame.
    """

    def __init__(self, aspect: Fraction, options: PictureOptions | None = None) -> None:
        """`aspect` is what `pixel_aspect` says of the stream, `options` what the user wants."""
        self._aspect, self._options = aspect, options or PictureOptions()
        self._known: dict[tuple[int, int, int], Upright] = {}

    def of(self, frame: av.VideoFrame) -> Upright:
        """How this frame of the stream is shown."""
        key = frame.rotation, frame.height, frame.width
        known = self._known.get(key)
        if known is None:
            upright = upright_of(frame, self._aspect).wished(self._options, frame.height, frame.width)
            known = self._known[key] = upright
        return known


def upright_of(frame: av.VideoFrame, aspect: Fraction = Fraction(1)) -> Upright:
    """How `frame` is shown, by its display matrix; `aspect` is what `pixel_aspect` says of its stream."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    data = bytes(matrix) if isinstance(matrix, SideData) else b""
    if len(data) < _MATRIX.size:
        return Upright(aspect)
    # A row vector (x, y, 1) times the matrix is where the pixel is shown.
    x_by_x, y_by_x, _, x_by_y, y_by_y, *_ = _MATRIX.unpack_from(data)
    if abs(x_by_x) + abs(y_by_y) >= abs(y_by_x) + abs(x_by_y):
        return Upright(aspect, transposed=False, mirrored=x_by_x < 0, flipped=y_by_y < 0)
    return Upright(aspect, transposed=True, mirrored=x_by_y < 0, flipped=y_by_x < 0)


def pixel_aspect(claimed: Fraction | None) -> Fraction:
    """Width over height of a pixel, by what a stream claims; 1 where it claims nothing that can be."""
    if not claimed or not Fraction(1, _WIDEST) <= claimed <= _WIDEST:
        return Fraction(1)
    return Fraction(claimed)
