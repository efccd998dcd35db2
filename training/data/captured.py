"""Rendered pictures as they are captured: cropped as live does, sometimes a little wrongly, some lossy."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import Preprocessing, prepare, whole
from semc_core.types import Crop
from training.data.frame_set import Row


class Pictures:
    """Collects the pictures of one patient.

    Args:
        rng: Decides how each is captured.
        size: Side of the stored, letterboxed pictures, pixels.

    Attributes:
        pictures: uint8 (size, size) each.
        rows: What is known of each.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self.rows: list[Row] = []
        self._rng = rng
        # Gray levels as they are: the network's own mean and deviation are applied when it is trained.
        self._fit = Preprocessing(size, size, mean=(0.0,), std=(1 / 255,))

    def add(self, pixels: NDArray[np.uint8], row: Row) -> None:
        """Capture a screen, uint8 (height, width), of which `row` is known."""
        pixels = _as_video(self._rng, pixels)
        crop = _inexact(self._rng, find_crop(pixels) or whole(pixels), pixels)
        self.pictures.append(np.rint(prepare(pixels, crop, self._fit)[0]).astype(np.uint8))
        self.rows.append(row)


def _as_video(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half of the pictures pass through JPEG, like frames of a recorded or streamed video."""
    if rng.random() < 0.5:
        return pixels
    quality = int(rng.integers(30, 90))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _inexact(rng: np.random.Generator, crop: Crop, pixels: NDArray[np.uint8]) -> Crop:
    """Mostly the crop that was found; sometimes a few percent off, or the whole frame."""
    fate = rng.random()
    if fate < 0.6:
        return crop
    if fate < 0.65:
        return whole(pixels)
    off = rng.uniform(-0.05, 0.07, 4)  # of each side outwards
    left = max(0, round(crop.left - off[0] * crop.width))
    top = max(0, round(crop.top - off[1] * crop.height))
    right = min(pixels.shape[1], round(crop.left + crop.width * (1 + off[2])))
    bottom = min(pixels.shape[0], round(crop.top + crop.height * (1 + off[3])))
    return Crop(left, top, right - left, bottom - top)
