"""Made-up frames that compress as ultrasound does, another for each index."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.picture import Picture
from semc_core.types import FramePacket, read_only


def speckle(index: int, height: int = 96, width: int = 128, *, colour: bool = False) -> NDArray[np.uint8]:
    """A smooth noisy picture; its left half tinted if `colour`."""
    coarse = np.random.default_rng(index).integers(0, 256, (height // 4, width // 4), dtype=np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if colour:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
        pixels[:, : width // 2, 1] //= 2
        pixels[:, : width // 2, 2] //= 4
    return read_only(pixels)


def packet(index: int, pixels: NDArray[np.uint8], time_s: float | None = None) -> FramePacket:
    """A frame of a source of 30 frames/s, or at a time of its own."""
    return FramePacket("test", index, 0.0333 * index if time_s is None else time_s, 0.0, Picture(pixels))
