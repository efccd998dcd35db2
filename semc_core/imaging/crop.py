"""Find the ultrasound picture in what a capture card sees: a screen with text, rulers, bars and logos."""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import whole
from semc_core.picture import Picture, sampled
from semc_core.types import Crop

_SMALL_WIDTH: Final = 160
_OVER_BACKGROUND: Final = 9  # gray levels
_OVER_PURE_BLACK: Final = 5  # the same, on a screen that is exactly black: dark depths still show
_PURE_SHARE: Final = 0.1  # of the frame that is exactly black on such a screen
_BACKGROUND_SHARE: Final = 0.04  # of the frame that has the background's very gray
_LEAST_AREA: Final = 0.06  # of the frame
_LEAST_FILL: Final = 0.35  # of the bounding box; a sector of 70 degrees fills 0.6
_EVEN: Final = 3  # gray levels between a cell and its neighbours, at most, where there is no texture
_TEXTURED: Final = 6  # the same, at least, where there surely is
_LEAST_TEXTURE: Final = 0.35  # share of a part's cells that are not even
_PART: Final = 0.15  # a part this large, compared with the largest, belongs to the picture too
_NEARLY_WHOLE: Final = 0.94  # of the frame's width and height

_RECHECK_EVERY: Final = 3
_SAME_AS_CURRENT: Final = 0.85
_SAME_AMONG_THEMSELVES: Final = 0.9
_FINDINGS_TO_SWITCH: Final = 8


def find_crop(picture: Picture | NDArray[np.uint8]) -> Crop | None:
    """The bounding box of the ultrasound picture, convex, linear or phased.

    Args:
        picture: As decoded, which costs least; or its pixels, uint8 (H, W) gray or (H, W, 3) RGB.

    Returns:
        The whole frame where the picture fills it; None where there is no such picture: a black or
        one-coloured screen, a screen of text.
    """
    if isinstance(picture, np.ndarray):
        # A view, for a picture makes its pixels read-only.
        picture = Picture(picture.view())
    gray, pixels = _shrink(picture)
    spread = cast("NDArray[np.uint8]", cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    shown = _over_background(gray, spread)
    if pixels.ndim == 3:
        shown &= ~_coloured(pixels)
    box = _picture_box(spread, _without_text(shown))
    return None if box is None else _enlarge(box, gray.shape, picture.gray)


def overlap(first: Crop, second: Crop) -> float:
    """Intersection over union of two boxes, 0-1."""
    width = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    height = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    shared = max(0, width) * max(0, height)
    return shared / (first.width * first.height + second.width * second.height - shared)


class CropTracker:
    """Keeps the crop steady over a scan. The same frames in the same order give the same crops.

    The first finding sets it; until then it is the whole frame. It is moved only when eight findings in a row
    disagree with it and agree among themselves: the depth was changed, or another screen layout chosen. Once
    set, only every third frame is looked at. A change of the frame's size begins anew.
    """

    def __init__(self) -> None:
        self._fixed: Crop | None = None
        self._shape: tuple[int, ...] = ()
        self._current: Crop | None = None
        self._candidates: list[Crop] = []
        self._since_check = 0

    def update(self, picture: Picture) -> Crop:
        """The crop for this frame."""
        if self._fixed is not None:
            return self._fixed
        if (picture.height, picture.width) != self._shape:
            self._shape = (picture.height, picture.width)
            self._restart()
        if self._current is None:
            self._current = find_crop(picture)
        elif self._since_check + 1 >= _RECHECK_EVERY:
            self._since_check = 0
            self._recheck(self._current, find_crop(picture))
        else:
            self._since_check += 1
        return whole(picture.gray) if self._current is None else self._current

    def fix(self, crop: Crop | None) -> None:
        """Use the user's own crop from now on; None finds it automatically again, from the next frame."""
        self._fixed = crop
        self._restart()

    def _restart(self) -> None:
        self._current = None
        self._candidates = []
        self._since_check = 0

    def _recheck(self, current: Crop, found: Crop | None) -> None:
        if found is None:
            return
        if overlap(found, current) >= _SAME_AS_CURRENT:
            self._candidates.clear()
            return
        if self._candidates and overlap(found, self._candidates[0]) <= _SAME_AMONG_THEMSELVES:
            self._candidates.clear()
        self._candidates.append(found)
        if len(self._candidates) >= _FINDINGS_TO_SWITCH:
            self._current = found
            self._candidates.clear()


def _shrink(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Its gray and its pixels at most 160 px wide.

    Single pixels at twice that size, which costs little, then their average.
    """
    gray = picture.gray
    if picture.width <= _SMALL_WIDTH:
        return gray, picture.pixels
    width, height = _SMALL_WIDTH, max(1, round(picture.height * _SMALL_WIDTH / picture.width))
    if picture.width <= 2 * _SMALL_WIDTH:
        return _averaged(gray, width, height), _averaged(picture.pixels, width, height)
    few = sampled(gray, 2 * width, 2 * height)
    pixels = picture.sampled(2 * width, 2 * height) if picture.coloured else few
    return _averaged(few, width, height), _averaged(pixels, width, height)


def _averaged(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return cast("NDArray[np.uint8]", cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _over_background(gray: NDArray[np.uint8], spread: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cells that differ from the screen's background: the dark gray that most of the even cells have.

    A picture that fills the frame is even nowhere but in its black parts.
    """
    counts = np.bincount(gray[spread <= _EVEN], minlength=256)
    background = int(counts[:128].argmax())
    if counts[max(0, background - 1) : background + 2].sum() < _BACKGROUND_SHARE * gray.size:
        background = 0
    if counts[0] >= _PURE_SHARE * gray.size:
        return gray >= _OVER_PURE_BLACK
    if background <= _OVER_BACKGROUND:
        return gray > background + _OVER_BACKGROUND
    # On a gray screen parts of the picture are as dark as the background, but not as even.
    differs = np.abs(gray.astype(np.int16) - background) > _OVER_BACKGROUND
    # The spread of a cell counts its neighbours: eroded, it ends where the picture does.
    textured = cv2.erode((spread > _TEXTURED).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    shown: NDArray[np.bool_] = differs | textured
    return shown


def _coloured(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cells of strong colour: logos and controls. Tinted gray scales are weaker."""
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    strong: NDArray[np.bool_] = (highest > 60) & (highest - lowest > highest // 2)
    return strong


def _without_text(shown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Opened, so that lines and letters go; then closed, so that speckle holds together. 0 or 1."""
    opened = cv2.morphologyEx(shown.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return cast("NDArray[np.uint8]", closed)


def _picture_box(spread: NDArray[np.uint8], mask: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom (outside) of the largest textured part and of the large parts beside it.

    `spread` is the range of gray in the 3x3 cells round each cell.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size or areas.max() < _LEAST_AREA * mask.size:
        return None
    chosen = [1 + int(i) for i in np.flatnonzero(areas >= _PART * areas.max())]
    parts = [label for label in chosen if (spread[labels == label] > _EVEN).mean() >= _LEAST_TEXTURE]
    if not parts:
        return None
    boxes = stats[parts]
    left, top = boxes[:, cv2.CC_STAT_LEFT].min(), boxes[:, cv2.CC_STAT_TOP].min()
    right = (boxes[:, cv2.CC_STAT_LEFT] + boxes[:, cv2.CC_STAT_WIDTH]).max()
    bottom = (boxes[:, cv2.CC_STAT_TOP] + boxes[:, cv2.CC_STAT_HEIGHT]).max()
    area = boxes[:, cv2.CC_STAT_AREA].sum()
    if area < _LEAST_AREA * mask.size or area < _LEAST_FILL * (right - left) * (bottom - top):
        return None
    return int(left), int(top), int(right), int(bottom)


def _enlarge(box: tuple[int, int, int, int], small_shape: tuple[int, ...], pixels: NDArray[np.uint8]) -> Crop:
    """The box in pixels of the frame."""
    height, width = pixels.shape[:2]
    along_x, along_y = width / small_shape[1], height / small_shape[0]
    left, right = round(box[0] * along_x), round(box[2] * along_x)
    top, bottom = round(box[1] * along_y), round(box[3] * along_y)
    if right - left >= _NEARLY_WHOLE * width and bottom - top >= _NEARLY_WHOLE * height:
        return whole(pixels)
    return Crop(left, top, right - left, bottom - top)
