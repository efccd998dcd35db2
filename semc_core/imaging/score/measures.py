"""What can be measured of a picture's quality: plain numbers, without judgement.

All of it on gray inside the region of interest, shrunk first: about a millisecond of one core for a frame.

Shapes: H, W pixels of the frame; h, w of the region shrunk to 256 px.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Outline, clipped, halved, shrunk
from semc_core.types import Crop

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SIDE_PX: Final = 256
_BEAMS: Final = 48  # width and depth of the picture in which shadows are looked for
_QUANTISED: Final = 1 / 12  # variance that rounding to whole gray levels adds
_FINE: Final = 0.8  # px of the shrunk picture: what is finer is detail
_COARSE: Final = 1.5  # px of half of it: what is coarser is structure
_BORDER: Final = 0.02  # of the frame: so near to its edge the picture touches it
_FLOOR: Final = 0.2  # of the sector's mean: a row that is darker throughout tells nothing of a shadow
_SHADOW: Final = 0.35  # of what its row shows: darker is shadow
_BRIGHTEST: Final = 0.9  # quantile of a row; half of it is what it shows if the shadow is wide
_LEAST_RUN: Final = 0.3  # of the depth, to the bottom
_MOSTLY: Final = 0.85  # of a shadow's depth that must be dark
_ROW_REFERENCE: Final = 0.7  # quantile of a row that is what it shows without a shadow
_STILL: Final = 0.5  # gray levels of noise between two frames of a picture at rest
_LEVELS: Final = np.arange(256)
_NEAR_WHITE: Final = (_LEVELS / 255) ** 6
_PLACES: Final = np.linspace(-0.5, 0.5, _BEAMS)
_ROWS: Final = np.arange(1, _BEAMS + 1)[:, None]


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers of one picture.

    Attributes:
        detail: Logarithm of the energy of fine detail over that of coarse structure; does not depend on gain.
        brightness: Mean gray level of the sector.
        highlights: Gray level that a hundredth of the sector exceeds.
        saturated: Mean of the sixth power of the gray level over white: what is near white counts.
        contrast: Spread of the gray levels over their mean.
        size: Side of a square of the sector's area over that of the frame's.
        off_centre: How far the sector, or what it shows, lies to one side, as a share of the width.
        cut_off: Share of the frame's four sides at which the sector ends: only there it may go on.
        shadowed: Share of the sector that lies in shadows.
        motion: Since the frame before, per cent of the region's longer side; None without one.
    """

    detail: float
    brightness: float
    highlights: float
    saturated: float
    contrast: float
    size: float
    off_centre: float
    cut_off: float
    shadowed: float
    motion: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shrunk:
    """The region of interest at working size, by which the next frame's motion is measured.

    Attributes:
        gray: uint8 (h, w), read-only.
        smooth: float32 (h, w) without the finest detail.
        half: float32 (h / 2, w / 2), the same at half the size.
        coarse: float32 (h / 2, w / 2), large structures.
        crop: Which region of its frame.
    """

    gray: Gray
    smooth: Floats
    half: Floats
    coarse: Floats
    crop: Crop


def shrink(gray: Gray, crop: Crop) -> Shrunk:
    """The region of a frame, its longer side 256 px.

    Args:
        gray: uint8 (H, W).
        crop: Region of interest; clipped to the frame.

    Raises:
        UsageError: The crop lies outside of the frame.
    """
    inside = clipped(crop, gray)
    scale = _SIDE_PX / max(inside.width, inside.height)
    # Even, so that it can be halved.
    width, height = (2 * max(4, round(side * scale / 2)) for side in (inside.width, inside.height))
    small = _fitted(inside.cut(gray), width, height)
    smooth = cast("Floats", cv2.GaussianBlur(small.astype(np.float32), (5, 5), _FINE))
    half = cast("Floats", cv2.resize(smooth, (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    coarse = cast("Floats", cv2.GaussianBlur(half, (9, 9), _COARSE))
    return Shrunk(small, smooth, half, coarse, inside)


def _fitted(region: Gray, width: int, height: int) -> Gray:
    """uint8 (height, width).

    What was halved is smooth enough to be fitted linearly, in a seventh of the time that averaging over
    uneven parts of pixels takes; the scores agree. Of what is smaller detail would be made up.
    """
    near = halved(region, width, height)
    if near.shape == region.shape:
        return shrunk(region, width, height)
    return cast("Gray", cv2.resize(near, (width, height), interpolation=cv2.INTER_LINEAR))


def measure(
    picture: Shrunk, frame: tuple[int, int], outline: Outline = (), before: Shrunk | None = None
) -> Measures:
    """Measure a picture.

    Args:
        picture: Of `shrink`.
        frame: Height and width of its frame, pixels.
        outline: The sector; () takes the whole region.
        before: The frame before, if it is about as far back as a live picture's frames are.
    """
    sector = _sector(picture.crop, outline, picture.gray.shape)
    brightness, highlights, saturated, contrast = _levels(picture.gray, sector.mask)
    beams = cast("Floats", cv2.remap(picture.coarse, sector.across, sector.down, cv2.INTER_LINEAR))
    return Measures(
        detail=_detail(picture, sector),
        brightness=brightness,
        highlights=highlights,
        saturated=saturated,
        contrast=contrast,
        size=math.sqrt(picture.crop.width * picture.crop.height * sector.share / (frame[0] * frame[1])),
        off_centre=_off_centre(picture, beams, frame),
        cut_off=_cut_off(picture.crop, sector, frame),
        shadowed=_shadowed(beams, brightness),
        motion=_motion(picture, sector, before),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sector:
    """What depends on the region's shape alone: kept from frame to frame.

    Attributes:
        mask: uint8 (h, w), 255 inside, a little smaller than the sector: its edge is no detail.
        half: uint8 (h / 2, w / 2), the same at half the size.
        share: Of the region, that is sector.
        sides: Shares of the region's left, right, upper and lower side that are sector.
        across: float32 (beams, beams), where a rectified picture's columns come from.
        down: The same of its rows.
    """

    mask: Gray
    half: Gray
    share: float
    sides: tuple[float, float, float, float]
    across: Floats
    down: Floats


@lru_cache(maxsize=16)
def _sector(crop: Crop, outline: Outline, shape: tuple[int, int]) -> _Sector:
    height, width = shape
    full = np.full(shape, 255, np.uint8)
    if outline:
        corners = (np.array(outline, np.float64) - [crop.left, crop.top]) * [
            width / crop.width,
            height / crop.height,
        ]
        full[:] = 0
        cv2.fillPoly(full, [np.round(corners).astype(np.int32)], 255)
        if not full.any():
            full[:] = 255
    edge = np.ones((7, 7), np.uint8)
    mask = cast("Gray", cv2.erode(full, edge, borderType=cv2.BORDER_CONSTANT, borderValue=255))
    if not mask.any():
        mask = full
    half = cast("Gray", cv2.resize(mask, (width // 2, height // 2), interpolation=cv2.INTER_NEAREST))
    if not half.any():
        half[:] = 255
    across, down = _beam_map(half)
    return _Sector(mask, half, float((full > 0).mean()), _sides(full), across, down)


def _sides(mask: Gray) -> tuple[float, float, float, float]:
    deep = round(_BORDER * _SIDE_PX)
    strips = (mask[:, :deep].T, mask[:, -deep:].T, mask[:deep], mask[-deep:])
    left, right, upper, lower = (float((strip.max(axis=0) > 0).mean()) for strip in strips)
    return left, right, upper, lower


def _beam_map(mask: Gray) -> tuple[Floats, Floats]:
    """Where a picture of straight beams comes from: each row stretched between the sector's sides."""
    rows = np.flatnonzero(mask.any(axis=1))
    chosen = rows[np.linspace(0, len(rows) - 1, _BEAMS).round().astype(int)]
    lit = mask[chosen] > 0
    left = lit.argmax(axis=1).astype(np.float32)
    right = mask.shape[1] - 1 - lit[:, ::-1].argmax(axis=1).astype(np.float32)
    place = np.linspace(0, 1, _BEAMS, dtype=np.float32)
    across = left[:, None] + (right - left)[:, None] * place
    down = np.repeat(chosen.astype(np.float32)[:, None], _BEAMS, axis=1)
    return across.astype(np.float32), down


def _levels(gray: Gray, mask: Gray) -> tuple[float, float, float, float]:
    """Mean, highlights, saturated share and relative spread of the gray levels."""
    counts = cv2.calcHist([gray], [0], mask, [256], [0, 256]).ravel().astype(np.float64)
    total = counts.sum()
    mean = float(counts @ _LEVELS / total)
    spread = math.sqrt(max(0.0, float(counts @ (_LEVELS - mean) ** 2 / total)))
    highlights = int(np.searchsorted(np.cumsum(counts), 0.99 * total))
    saturated = float(counts @ _NEAR_WHITE / total)
    return mean, float(highlights), saturated, spread / max(4.0, mean)


def _detail(picture: Shrunk, sector: _Sector) -> float:
    fine = picture.gray.astype(np.float32)
    detail = _energy(fine, picture.smooth, sector.mask) - _QUANTISED
    structure = _energy(picture.half, picture.coarse, sector.half)
    return math.log((max(0.0, detail) + 0.01) / (structure + 0.1))


def _energy(first: Floats, second: Floats, mask: Gray) -> float:
    """Mean squared difference inside the mask."""
    return float(cv2.norm(first, second, cv2.NORM_L2SQR, mask)) / int(np.count_nonzero(mask))


def _off_centre(picture: Shrunk, beams: Floats, frame: tuple[int, int]) -> float:
    """The larger of two: what is lit lies to one side of the sector; the sector leaves the frame there."""
    columns = beams.mean(axis=0)
    shown = abs(float(columns @ _PLACES / max(1.0, columns.sum())))
    crop, (height, width) = picture.crop, frame
    left, right, _, bottom = _touching(crop, frame)
    aside = (crop.left + crop.width / 2) / width - 0.5
    below = (crop.top + crop.height / 2) / height - 0.5
    across = abs(aside) if (right if aside > 0 else left) else 0.0
    down = below if below > 0 and bottom else 0.0
    return shown + 2 * max(across, down)


def _touching(crop: Crop, frame: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Whether the region reaches the left, right, upper and lower edge of the frame."""
    height, width = frame
    right, bottom = crop.left + crop.width, crop.top + crop.height
    return (
        crop.left <= _BORDER * width,
        right >= (1 - _BORDER) * width,
        crop.top <= _BORDER * height,
        bottom >= (1 - _BORDER) * height,
    )


def _cut_off(crop: Crop, sector: _Sector, frame: tuple[int, int]) -> float:
    touching = zip(sector.sides, _touching(crop, frame), strict=True)
    return sum(share for share, touches in touching if touches) / 4


def _shadowed(beams: Floats, brightness: float) -> float:
    """Share of the rectified picture in beams that are dark from somewhere down to the bottom."""
    usual, brightest = round(_ROW_REFERENCE * _BEAMS), round(_BRIGHTEST * _BEAMS)
    row = np.partition(beams, (usual, brightest), axis=1)
    reference = np.maximum(row[:, usual], row[:, brightest] / 2)
    tells = reference > _FLOOR * brightness
    told = beams[tells]
    if not told.size:
        return 0.0
    dark = told < _SHADOW * reference[tells, None]
    # From the bottom up, as far as most of it is dark: an echo in the shadow does not end it.
    rows = _ROWS[: len(told)]
    mostly = dark[::-1].cumsum(axis=0) >= _MOSTLY * rows
    run = np.where(mostly, rows, 0).max(axis=0)
    return float(run[run >= _LEAST_RUN * len(told)].sum() / dark.size)


def _motion(picture: Shrunk, sector: _Sector, before: Shrunk | None) -> float | None:
    """By how much the picture moved: its change over its slope, as of a picture that only shifts."""
    if before is None or before.crop != picture.crop:
        return None
    now, mask = picture.coarse, sector.half
    across = cv2.Sobel(now, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(now, cv2.CV_32F, 0, 1, scale=1 / 8)
    slope = cv2.norm(across, cv2.NORM_L2SQR, mask) + cv2.norm(down, cv2.NORM_L2SQR, mask)
    pixels = int(np.count_nonzero(mask))
    change = max(0.0, cv2.norm(now, before.coarse, cv2.NORM_L2SQR, mask) - _STILL**2 * pixels)
    return float(100 * math.sqrt(change / (slope + 0.05 * pixels)) / max(now.shape))
