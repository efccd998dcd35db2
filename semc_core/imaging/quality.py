"""Is the picture a live one? Nothing may be saved from a frozen, black or flat one, or from a card's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.no_signal import is_no_signal
from semc_core.imaging.preprocess import shrunk
from semc_core.types import Crop, FramePacket

LIVE: Final = "live"
FROZEN: Final = "frozen"
BLACK: Final = "black"
FLAT: Final = "flat"
NO_SIGNAL: Final = "no signal"
COLOUR: Final = "colour"

FROZEN_AFTER_S: Final = 0.6
"""Longer than a scanner of 2 frames/s shows each picture, even where one is late."""

_WIDTH_PX: Final = 128
_HEIGHT_PX: Final = 96
_BLOCK_PX: Final = 8
_LIT_LEVEL: Final = 24
_LIT_SHARE: Final = 0.004
# Real clips differ by 2.3 gray levels and more within 0.4 s; capture noise of +-2 at 640 x 480 by 0.3.
_STILL_LEVEL: Final = 0.8
_TRIMMED_SHARE: Final = 0.1
_SMOOTH_LEVEL: Final = 2
_SMOOTH_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """What the gate says of one frame.

    Attributes:
        picture: "live", "frozen", "black", "flat" or "no signal".
        moving: Whether the picture differs from the last one that differed.
    """

    picture: str
    moving: bool


class QualityGate:
    """Judge frame after frame, on a gray copy of the region of interest of 128 x 96 px.

    * no signal: the whole screen is what a capture card shows by itself, see `no_signal`. That says nothing
      of the picture before or after it.
    * black: nearly no pixel is lit.
    * flat: the lit pixels have no texture (one colour, colour bars, ramps, an empty screen); an ultrasound
      picture is speckle all over.
    * frozen: for more than 0.6 s of presentation time the picture stayed the same. It is compared with the
      last picture that differed, so slow motion adds up; in blocks, of which the tenth that changed most is
      left out, so that a clock or a pointer does not make a frozen picture live.

    The same frames always give the same answers.
    """

    def __init__(self) -> None:
        self._reference: NDArray[np.uint8] | None = None
        self._changed_s = 0.0

    def update(self, packet: FramePacket, crop: Crop) -> PictureQuality:
        """Judge the next frame. `crop` is the region of interest, pixels."""
        if is_no_signal(packet.picture):
            return PictureQuality(NO_SIGNAL, moving=False)
        gray = small_gray(packet.gray, crop, _WIDTH_PX, _HEIGHT_PX)
        moving = self._reference is None or difference(gray, self._reference) > _STILL_LEVEL
        if moving or packet.pts_s < self._changed_s:
            self._reference, self._changed_s = gray, packet.pts_s
        if is_black(gray):
            return PictureQuality(BLACK, moving)
        if is_flat(gray):
            return PictureQuality(FLAT, moving)
        frozen = packet.pts_s - self._changed_s > FROZEN_AFTER_S
        return PictureQuality(FROZEN if frozen else LIVE, moving)


def is_black(gray: NDArray[np.uint8]) -> bool:
    """Whether nearly no pixel of the small gray picture is lit."""
    return int(np.count_nonzero(gray > _LIT_LEVEL)) < _LIT_SHARE * gray.size


def is_flat(gray: NDArray[np.uint8]) -> bool:
    """Whether most lit pixels of the small gray picture are as their neighbours say: no texture."""
    lit = gray > _LIT_LEVEL
    return smooth_share(gray, lit) > _SMOOTH_SHARE


def smooth_share(gray: NDArray[np.uint8], lit: NDArray[np.bool_]) -> float:
    """Share of the lit pixels whose second derivative is small."""
    bend = np.abs(cv2.Laplacian(gray, cv2.CV_16S))
    return float(np.count_nonzero(lit & (bend <= _SMOOTH_LEVEL))) / max(1, int(np.count_nonzero(lit)))


def difference(gray: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Mean absolute difference in gray levels over the lit blocks, without those that changed most."""
    size = (_WIDTH_PX // _BLOCK_PX, _HEIGHT_PX // _BLOCK_PX)
    # cv2.resize averages uint8 to whole levels; the difference looked for is less than one.
    changed = cv2.resize(cv2.absdiff(gray, reference).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    brightness = cv2.resize(cv2.max(gray, reference), size, interpolation=cv2.INTER_AREA)
    lit = np.sort(changed[brightness > _LIT_LEVEL])
    if lit.size == 0:
        lit = np.sort(changed.ravel())
    kept = lit[: max(1, round(lit.size * (1 - _TRIMMED_SHARE)))]
    return float(kept.mean())


def small_gray(gray: NDArray[np.uint8], crop: Crop, width: int, height: int) -> NDArray[np.uint8]:
    """The crop of uint8 (H, W), (height, width), by averaging. An empty crop gives the whole frame."""
    region = crop.cut(gray)
    return shrunk(region if region.size else gray, width, height)
