"""Where in the picture the model sees a plane, as a picture to lay over the frame. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Outline, Preprocessing, fit
from semc_core.types import Crop, Prediction

_CELL_PX: Final = 16
_STRONGEST: Final = 0.6
"""Opacity where the evidence is full: the tissue below must stay visible."""
TINT: Final = (255, 170, 40)
"""Red, green, blue: amber is none of the colours of Doppler, and not gray as tissue."""
_TINT_STRONGEST: Final = 0.3
"""Seven tenths of the tissue's contrast are left below the tint."""
_LINES_AT: Final = (0.5, 0.8)
_LINE_CELL_PX: Final = 48
"""Lines are drawn on a finer grid than colours: their corners would be seen."""


class HeatStyle(StrEnum):
    """How a heat map is drawn.

    FULL: Colours from dark to bright, for a report in which it is looked at by itself.
    TINT: One colour, laid lightly over tissue that is to be read.
    CONTOUR: Lines round where the evidence is more than a half, and more than four fifths.
    """

    FULL = "full"
    TINT = "tint"
    CONTOUR = "contour"


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """A small picture and the place in the frame over which it is to be stretched.

    Attributes:
        rgba: uint8 (h, w, 4), not premultiplied, read-only.
        left: Left edge, frame pixels. May lie outside of the frame and of the crop: the network's input has
            padding around the crop.
        top: Top edge, frame pixels.
        width: Frame pixels.
        height: Frame pixels.
        crop: Draw only inside this.
        outline: Draw only inside this sector, too; () where it is not known.
        lines: float32 (N, 2) each, read-only: places (x, y) of a closed line in frame pixels, the outermost
            first. Of `HeatStyle.CONTOUR` only, whose `rgba` shows nothing.
    """

    rgba: NDArray[np.uint8]
    left: float
    top: float
    width: float
    height: float
    crop: Crop
    outline: Outline = ()
    lines: tuple[NDArray[np.float32], ...] = ()


def heat_map(
    prediction: Prediction,
    class_index: int,
    crop: Crop,
    preprocessing: Preprocessing,
    style: HeatStyle = HeatStyle.FULL,
    outline: Outline = (),
) -> HeatMap:
    """The evidence for one class, cell by cell.

    A class's logit is the mean of its activation map (plus a constant), so each cell of the maps is what
    that place alone would say: its softmax over the classes is the share of this class there, 0-1. The
    scale is the same for every frame: nothing is stretched to look strong.

    Args:
        prediction: With maps float32 (K, h, w), of the frame that it will be laid over.
        class_index: 0 to K - 1.
        crop: The frame's region of interest, inside the frame.
        preprocessing: The model's.
        style: How it is drawn.
        outline: The picture's sector in the crop; () where it is not known.
    """
    share = evidence(prediction.maps)[class_index]
    left, top, width, height = fit(crop, preprocessing).covered()
    rgba = np.zeros((1, 1, 4), np.uint8) if style is HeatStyle.CONTOUR else _coloured(share, style)
    rgba.flags.writeable = False
    lines = _lines(share, left, top, width, height) if style is HeatStyle.CONTOUR else ()
    return HeatMap(rgba, left, top, width, height, crop, outline, lines)


def _coloured(share: NDArray[np.float32], style: HeatStyle) -> NDArray[np.uint8]:
    """uint8 (h, w, 4) of the evidence of each cell, 0-1."""
    rows, columns = share.shape
    size = (columns * _CELL_PX, rows * _CELL_PX)
    fine = np.clip(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    levels = np.round(fine * 255).astype(np.uint8)
    rgba = np.empty((*levels.shape, 4), np.uint8)
    if style is HeatStyle.TINT:
        rgba[..., :3] = TINT
    else:
        rgba[..., :3] = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    strongest = _TINT_STRONGEST if style is HeatStyle.TINT else _STRONGEST
    rgba[..., 3] = np.round(fine * (strongest * 255)).astype(np.uint8)
    return rgba


def _lines(
    share: NDArray[np.float32], left: float, top: float, width: float, height: float
) -> tuple[NDArray[np.float32], ...]:
    """Round the cells with more evidence than `_LINES_AT`; see `HeatMap.lines`."""
    rows, columns = share.shape
    size = (columns * _LINE_CELL_PX, rows * _LINE_CELL_PX)
    fine = cv2.resize(share, size, interpolation=cv2.INTER_CUBIC)
    scale = np.array([width / size[0], height / size[1]], np.float32)
    lines = []
    for level in _LINES_AT:
        found, _ = cv2.findContours((fine > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_TC89_L1)
        for corners in found:
            line = (corners[:, 0].astype(np.float32) + 0.5) * scale + np.array([left, top], np.float32)
            line.flags.writeable = False
            lines.append(line)
    return tuple(lines)


def evidence(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the classes in every cell: float32 (K, h, w) -> the same."""
    shifted = np.exp(maps - maps.max(axis=0, keepdims=True))
    shares: NDArray[np.float32] = shifted / shifted.sum(axis=0, keepdims=True)
    return shares


def blend(pixels: NDArray[np.uint8], heat: HeatMap) -> NDArray[np.uint8]:
    """A copy of a frame with the heat map laid over it, in the frame's resolution.

    Args:
        pixels: uint8 (H, W) gray or (H, W, 3) RGB, the frame that the heat map was made for.
        heat: From `heat_map`.

    Returns:
        uint8 (H, W, 3) RGB; without the lines of a contour.
    """
    picture = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels.copy()
    crop = heat.crop
    x = (crop.left + np.arange(crop.width) + 0.5 - heat.left) * (heat.rgba.shape[1] / heat.width) - 0.5
    y = (crop.top + np.arange(crop.height) + 0.5 - heat.top) * (heat.rgba.shape[0] / heat.height) - 0.5
    grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    laid = cv2.remap(heat.rgba, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    below = crop.cut(picture)
    opacity = laid[..., 3:].astype(np.float32) / 255
    if heat.outline:
        inside = np.zeros(opacity.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.array(heat.outline, np.int32) - [crop.left, crop.top]], 1)
        opacity *= inside[..., None]
    below[:] = np.round(below * (1 - opacity) + laid[..., :3] * opacity).astype(np.uint8)
    return picture
