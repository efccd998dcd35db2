"""A picture as its decoder gave it; gray and RGB are made when first asked for, once, and shared.

What gray is, everywhere in the program (docs/gray.md): of video that keeps light apart from colour
(Y'CbCr) its luma, scaled to the full range 0-255; of RGB the same weights, those of Rec. 601; of a gray
picture itself.
"""

from __future__ import annotations

import threading
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray


class Planes(Protocol):
    """What a decoder gave, and what gray and RGB are made of it. Never changed; for any thread."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, upright."""
        ...

    @property
    def nbytes(self) -> int:
        """What is kept in memory."""
        ...

    def gray(self) -> NDArray[np.uint8]:
        """uint8 (H, W), 0-255, upright."""
        ...

    def rgb(self) -> NDArray[np.uint8]:
        """uint8 (H, W, 3), upright."""
        ...

    def sampled(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """Luma, Cr and Cb of so many pixels, uint8 (rows, columns, 3), upright."""
        ...


def gray_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W) or (H, W, 3) RGB -> uint8 (H, W), Rec. 601 luma; gray is handed back as it is."""
    return pixels if pixels.ndim == 2 else cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def sampled_of(pixels: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Y, Cr and Cb of evenly spread pixels of uint8 (H, W) or (H, W, 3) RGB: uint8 (rows, columns, 3)."""
    few = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_NEAREST)
    rgb = cv2.cvtColor(few, cv2.COLOR_GRAY2RGB) if few.ndim == 2 else few
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), np.uint8)


def in_8_bits(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Any unsigned pixels as uint8: of 16 bits the highest 8, rounded, so that white stays white."""
    if pixels.dtype == np.uint16:
        return np.asarray((pixels.astype(np.uint32) * 255 + 32767) // 65535, np.uint8)
    return np.asarray(pixels, np.uint8)


class Picture:
    """One decoded picture, upright. Nobody changes it; for any thread.

    Attributes:
        height: Rows.
        width: Columns.
        nbytes: What the decoder's part takes in memory; what was made of it comes on top (see `bare`).
    """

    __slots__ = ("_decoded", "_gray", "_lock", "_pixels", "height", "nbytes", "width")

    def __init__(self, decoded: NDArray[np.uint8] | Planes) -> None:
        """Of pixels, uint8 (H, W) gray or (H, W, 3) RGB, which are made read-only; or of planes."""
        # Held while gray or RGB is made: of two threads that ask, one makes it and the other waits for it.
        self._lock = threading.Lock()
        self._gray: NDArray[np.uint8] | None = None
        self._pixels: NDArray[np.uint8] | None = None
        if isinstance(decoded, np.ndarray):
            decoded = self._pixels = _kept(decoded)
            self._gray = decoded if decoded.ndim == 2 else None
        self._decoded = decoded
        self.nbytes = decoded.nbytes
        self.height, self.width = decoded.shape[:2]

    @property
    def coloured(self) -> bool:
        """Whether `pixels` has three channels."""
        return not isinstance(self._decoded, np.ndarray) or self._decoded.ndim == 3

    @property
    def gray(self) -> NDArray[np.uint8]:
        """uint8 (H, W), 0-255, read-only: what the model, the quality and the region are judged on."""
        with self._lock:
            if self._gray is None:
                decoded = self._decoded
                self._gray = _kept(gray_of(decoded) if isinstance(decoded, np.ndarray) else decoded.gray())
            return self._gray

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """What is shown and saved: uint8 (H, W) where there is no colour, else (H, W, 3) RGB; read-only."""
        with self._lock:
            if self._pixels is None:
                assert not isinstance(self._decoded, np.ndarray)
                self._pixels = _kept(self._decoded.rgb())
            return self._pixels

    def sampled(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """Luma (at whatever range it has), Cr and Cb of pixels spread evenly: uint8 (rows, columns, 3).

        Neither RGB nor gray is made for it.
        """
        decoded = self._decoded
        if not isinstance(decoded, np.ndarray):
            return decoded.sampled(rows, columns)
        return sampled_of(decoded, rows, columns)

    def bare(self) -> Picture:
        """The same picture without what was made of it, by reference: to be kept for long.

        Whoever is handed a kept picture is handed `bare()` of it too, else what he makes stays with it.
        """
        return Picture(self._decoded)


def _kept(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    kept = np.ascontiguousarray(pixels)
    kept.flags.writeable = False
    return kept
