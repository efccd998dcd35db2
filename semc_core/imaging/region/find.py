"""Find the ultrasound pictures in a frame: a scanner's screen, a desktop with windows, a bare picture.

The network looks at the whole frame, then once more at each place that it found, with a margin. What it
answers is cut at one half, and dents of the outline that no sector has are filled.

Shapes: h, w cells of the network's answer; H, W pixels of the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Outline
from semc_core.imaging.region.look import HEIGHT, WIDTH, look_at, widened
from semc_core.imaging.region.network import careful_share, sector_share
from semc_core.imaging.region.shape import without_dents
from semc_core.types import Crop

Shares = NDArray[np.float32]
Mask = NDArray[np.uint8]

_SECTOR: Final = 0.5  # share from which a cell is sector
_SURE: Final = 0.9  # share from which that is beyond doubt
_LEAST_AREA: Final = 0.012  # of the frame
_BESIDE: Final = 0.3  # compared with the largest, another picture is at least so large
_MOST: Final = 4
_MARGIN: Final = 0.12  # of the second look, of the picture's size
_ONE_LOOK: Final = 0.9  # of the frame's width and height: the first look is near enough
_NEARLY_WHOLE: Final = 0.97  # of the frame's width and height
_EVEN: Final = 1  # gray levels between a cell and its neighbours, at most, where there is no texture
_LEAST_TEXTURE: Final = 0.25  # share of a picture that is not even
_SMOOTH: Final = 0.004  # of its height: how far an outline's corners may be left out


@dataclass(frozen=True, slots=True)
class Region:
    """An ultrasound picture in a frame.

    Attributes:
        box: The smallest box that holds it.
        outline: Its sector: corners of a polygon, (x, y) in pixels of the frame; () where only the box is
            known.
    """

    box: Crop
    outline: Outline = ()


def find_regions(gray: NDArray[np.uint8]) -> list[Region]:
    """The ultrasound pictures, the one with the largest part that is surely sector first.

    Of two beside each other it cannot be seen which is live: both are told. The same frame has the same
    answer.

    Args:
        gray: uint8 (H, W).
    """
    height, width = gray.shape
    frame = Crop(0, 0, width, height)
    look = look_at(gray, frame)
    shares = sector_share(look)
    found = []
    for part in _parts(shares):
        box = _scaled(part, shares.shape, frame)
        near = widened(box, _MARGIN, height, width)
        if near.width >= _ONE_LOOK * width and near.height >= _ONE_LOOK * height:
            near, seen, closer = frame, look, careful_share(look, shares)
        else:
            seen = look_at(gray, near)
            closer = careful_share(seen)
        region = _region(gray, near, seen, closer, box)
        if region is not None:
            found.append((_sure_area(shares, box, frame), region))
    # Of equal ones the left, then the upper.
    found.sort(key=lambda pair: (-pair[0], pair[1].box.left, pair[1].box.top))
    return [region for _, region in found]


def find_region(gray: NDArray[np.uint8]) -> Region | None:
    """The ultrasound picture, of several the first of `find_regions`.

    Args:
        gray: uint8 (H, W).

    Returns:
        The whole frame where the picture fills it; None where there is no such picture: a black or
        one-coloured screen, a screen of text.
    """
    regions = find_regions(gray)
    return regions[0] if regions else None


def find_near(gray: NDArray[np.uint8], box: Crop) -> Crop | None:
    """The box of the picture at a place where there was one, by a single look: a third of `find_regions`.

    It is there or it is not; where exactly, `find_regions` tells better.

    Args:
        gray: uint8 (H, W).
        box: Where it was.
    """
    near = widened(box, _MARGIN, *gray.shape)
    look = look_at(gray, near)
    mask = _textured(look, sector_share(look), near, box)
    if mask is None:
        return None
    # What fills a sector's dents does not reach beyond its box.
    found = _in_frame(Crop(*cv2.boundingRect(mask)), near, gray)
    return None if found.width < 2 or found.height < 2 else found


def _parts(shares: Shares) -> list[Crop]:
    """Boxes, in cells, of the connected parts that are sector, the largest first."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((shares > _SECTOR).astype(np.uint8), connectivity=4)
    parts = stats[1:][np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")]
    if not len(parts):
        return []
    least = max(_LEAST_AREA * shares.size, _BESIDE * int(parts[0, cv2.CC_STAT_AREA]))
    return [
        Crop(*(int(side) for side in part[:4])) for part in parts[:_MOST] if part[cv2.CC_STAT_AREA] >= least
    ]


def _scaled(box: Crop, shape: tuple[int, ...], onto: Crop) -> Crop:
    """A box in a grid of `shape` that covers `onto`, as a box in the frame."""
    along_x, along_y = onto.width / shape[1], onto.height / shape[0]
    left, right = onto.left + round(box.left * along_x), onto.left + round((box.left + box.width) * along_x)
    top, bottom = onto.top + round(box.top * along_y), onto.top + round((box.top + box.height) * along_y)
    return Crop(left, top, right - left, bottom - top)


def _sure_area(shares: Shares, box: Crop, frame: Crop) -> int:
    """How many cells of the first look in `box` are surely sector; a wallpaper is large, but doubtful."""
    along_x, along_y = shares.shape[1] / frame.width, shares.shape[0] / frame.height
    left, top = round(box.left * along_x), round(box.top * along_y)
    inside = shares[top : top + round(box.height * along_y), left : left + round(box.width * along_x)]
    return int((inside > _SURE).sum())


def _region(gray: NDArray[np.uint8], near: Crop, look: Mask, shares: Shares, wanted: Crop) -> Region | None:
    """The part of a look's answer that overlaps the wanted box most, with exact edges."""
    mask = _textured(look, shares, near, wanted)
    if mask is None:
        return None
    outlines, _ = cv2.findContours(without_dents(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(outlines, key=cv2.contourArea)
    within = Crop(*cv2.boundingRect(longest))
    box = _in_frame(within, near, gray)
    if box.width < 2 or box.height < 2:
        return None
    corners = np.asarray(cv2.approxPolyDP(longest, _SMOOTH * HEIGHT, True), np.int32)[:, 0]
    return Region(box, _stretched(corners, within, box))


def _textured(look: Mask, shares: Shares, near: Crop, wanted: Crop) -> Mask | None:
    """The part of a look's answer that overlaps the wanted box most; None without any, or without texture."""
    fine = cv2.resize(shares, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) > _SECTOR
    mask = _overlapping(fine.astype(np.uint8), near, wanted)
    return None if mask is None or _texture(look, mask) < _LEAST_TEXTURE else mask


def _in_frame(box: Crop, near: Crop, gray: NDArray[np.uint8]) -> Crop:
    """A box of a look at `near` as a box in the frame; the whole frame where it is nearly that."""
    found = _scaled(box, (HEIGHT, WIDTH), near)
    if found.width >= _NEARLY_WHOLE * gray.shape[1] and found.height >= _NEARLY_WHOLE * gray.shape[0]:
        return Crop(0, 0, gray.shape[1], gray.shape[0])
    return found


def _overlapping(mask: Mask, near: Crop, wanted: Crop) -> Mask | None:
    """The connected part of a mask over `near` that has most in common with `wanted`; None without any."""
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    along_x, along_y = mask.shape[1] / near.width, mask.shape[0] / near.height
    left, top = round((wanted.left - near.left) * along_x), round((wanted.top - near.top) * along_y)
    inside = labels[top : top + round(wanted.height * along_y), left : left + round(wanted.width * along_x)]
    counts = np.bincount(inside.ravel(), minlength=count)[1:]
    if not counts.size or not counts.max():
        return None
    return cast("Mask", (labels == 1 + int(counts.argmax())).astype(np.uint8))


def _texture(look: Mask, mask: Mask) -> float:
    """Share of a picture's pixels in a look that differ from their neighbours; of a surface none do."""
    spread = cv2.morphologyEx(look, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    inside = mask > 0
    return float((spread[inside] > _EVEN).mean()) if inside.any() else 0.0


def _stretched(corners: NDArray[np.int32], within: Crop, box: Crop) -> Outline:
    """Corners of a polygon whose bounding box is `within`, moved so that it is `box`."""
    x = box.left + (corners[:, 0] - within.left) * (box.width / max(1, within.width - 1))
    y = box.top + (corners[:, 1] - within.top) * (box.height / max(1, within.height - 1))
    return tuple((round(float(across)), round(float(down))) for across, down in zip(x, y, strict=True))
