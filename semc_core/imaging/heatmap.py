"""Where in the picture the model sees a plane, as a picture to lay over the frame. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Preprocessing, fit
from semc_core.types import Crop, Prediction

_CELL_PX: Final = 16
_STRONGEST: Final = 0.6
"""Opacity where the evidence is full: the tissue below must stay visible."""


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
    """

    rgba: NDArray[np.uint8]
    left: float
    top: float
    width: float
    height: float
    crop: Crop


def heat_map(prediction: Prediction, class_index: int, crop: Crop, preprocessing: Preprocessing) -> HeatMap:
    """The evidence for one class, cell by cell.

    A class's logit is the mean of its activation map (plus a constant), so each cell of the maps is what
    that place alone would say: its softmax over the classes is the share of this class there, 0-1. The
    scale is the same for every frame: nothing is stretched to look strong.

    Args:
        prediction: With maps float32 (K, h, w), of the frame that it will be laid over.
        class_index: 0 to K - 1.
        crop: The frame's region of interest, inside the frame.
        preprocessing: The model's.
    """
    share = evidence(prediction.maps)[class_index]
    rows, columns = share.shape
    size = (columns * _CELL_PX, rows * _CELL_PX)
    fine = np.clip(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    levels = np.round(fine * 255).astype(np.uint8)
    rgba = np.empty((*levels.shape, 4), np.uint8)
    rgba[..., :3] = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    rgba[..., 3] = np.round(fine * (_STRONGEST * 255)).astype(np.uint8)
    rgba.flags.writeable = False
    left, top, width, height = fit(crop, preprocessing).covered()
    return HeatMap(rgba, left, top, width, height, crop)


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
        uint8 (H, W, 3) RGB.
    """
    picture = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels.copy()
    crop = heat.crop
    x = (crop.left + np.arange(crop.width) + 0.5 - heat.left) * (heat.rgba.shape[1] / heat.width) - 0.5
    y = (crop.top + np.arange(crop.height) + 0.5 - heat.top) * (heat.rgba.shape[0] / heat.height) - 0.5
    grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    laid = cv2.remap(heat.rgba, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    below = crop.cut(picture)
    opacity = laid[..., 3:].astype(np.float32) / 255
    below[:] = np.round(below * (1 - opacity) + laid[..., :3] * opacity).astype(np.uint8)
    return picture
