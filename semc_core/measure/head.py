"""Find the outline of a fetal head in a picture, as an ellipse, or say why there is none.

The picture is looked at twice: whole, to find the head, and once more around it, at a larger scale.

Shapes: B pictures, h x w cells of the network's mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Fitted, clipped, fit, prepare, whole
from semc_core.language import N_
from semc_core.measure.ellipse import Ellipse, Points, fit_ellipse
from semc_core.model.outline import OutlineSpec
from semc_core.paths import HEAD_MODEL
from semc_core.picture import gray_of
from semc_core.runtime.openvino.outline import OutlineRuntime
from semc_core.types import Crop

NO_HEAD: Final = N_("No head was found in it.")
NO_OUTLINE: Final = N_("There may be a head, but its outline is not clear; measure it by hand.")
CUT_OFF: Final = N_("The head is cut off at the edge of the picture; measure it by hand.")
TOO_SMALL: Final = N_("The picture is too small to measure in.")

LEAST_SIDE: Final = 64
"""Pixels; in a smaller picture nothing is measured."""
_RAYS: Final = 180
_STEP: Final = 0.25
"""Cells from one sample of a ray to the next."""
_LEAST_RAYS: Final = 0.7
"""Share of the rays that must meet the outline inside of the picture."""
_MARGIN: Final = 1.35
"""The second look shows so many times the ellipse's box."""
_OUTSIDE: Final = -8.0
"""Logit of cells of other parts than the largest."""

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class HeadFound:
    """What was found in one picture.

    Attributes:
        outline: The outer border of the skull, pixels of the picture; None where nothing is to be measured.
        presence: Probability that there is a head, 0-1.
        agreement: Overlap (intersection over union) of the network's mask with the ellipse, 0-1.
        why: Why there is no outline, a sentence; "" where there is one.
    """

    outline: Ellipse | None
    presence: float
    agreement: float = 0.0
    why: str = ""


class HeadFinder:
    """Finds heads with the model that comes with the program, or with another."""

    def __init__(self, path: Path = HEAD_MODEL, threads: int | None = None, looks: int = 2) -> None:
        """Load the model.

        Args:
            path: The outline model's file.
            threads: Most threads that may be used; all cores by default.
            looks: 1 leaves out the second, closer look.

        Raises:
            ModelFileError: The file is missing, damaged, or no outline model.
            RuntimeFault: It cannot be run.
        """
        self._runtime = OutlineRuntime(path, threads)
        self._looks = looks

    @property
    def spec(self) -> OutlineSpec:
        """From the model file."""
        return self._runtime.spec

    def find(self, pictures: Sequence[NDArray[np.uint8]]) -> list[HeadFound]:
        """What is found in each of `pictures`, uint8 (H, W) or (H, W, 3) RGB.

        Raises:
            RuntimeFault: The model could not be run.
        """
        grays = [gray_of(picture) for picture in pictures]
        found = self._look(grays, [whole(gray) for gray in grays])
        for _ in range(1, self._looks):
            again = [index for index, each in enumerate(found) if each.outline is not None]
            crops = [_around(found[index].outline, grays[index]) for index in again]
            closer = self._look([grays[index] for index in again], crops)
            for index, each in zip(again, closer, strict=True):
                # The whole picture says whether there is a head: the network was judged on that.
                if each.outline is not None:
                    found[index] = HeadFound(each.outline, found[index].presence, each.agreement)
        return found

    def close(self) -> None:
        """Release the model. May be called twice."""
        self._runtime.close()

    def _look(self, grays: Sequence[Gray], crops: Sequence[Crop]) -> list[HeadFound]:
        large = [index for index, gray in enumerate(grays) if min(gray.shape) >= LEAST_SIDE]
        found = [HeadFound(None, 0.0, why=TOO_SMALL) for _ in grays]
        if not large:
            return found
        how = self.spec.preprocessing
        inputs = np.stack([prepare(grays[index], crops[index], how) for index in large])
        masks, presences = self._runtime.run(inputs)
        for index, cells, presence in zip(large, masks, presences, strict=True):
            place = fit(clipped(crops[index], grays[index]), how)
            found[index] = judged(cells, _sigmoid(float(presence)), place, grays[index].shape, self.spec)
        return found


def judged(
    cells: NDArray[np.float32], presence: float, place: Fitted, shape: tuple[int, ...], spec: OutlineSpec
) -> HeadFound:
    """The outline that a mask shows, if it can be relied upon.

    Args:
        cells: float32 (h, w), logits.
        presence: Probability of a head.
        place: Where the picture lies in the input.
        shape: Rows and columns of the picture.
        spec: With the limits.
    """
    if presence < spec.presence:
        return HeadFound(None, presence, why=NO_HEAD)
    part = largest_part(cells)
    if part is None:
        return HeadFound(None, presence, why=NO_OUTLINE)
    points, share = border_points(part)
    ellipse = fit_ellipse(points)
    if ellipse is None:
        return HeadFound(None, presence, why=CUT_OFF if share < _LEAST_RAYS else NO_OUTLINE)
    agreement = overlap(part, ellipse)
    if share < _LEAST_RAYS:
        return HeadFound(None, presence, agreement, CUT_OFF)
    if agreement < spec.agreement:
        return HeadFound(None, presence, agreement, NO_OUTLINE)
    outline = ellipse.moved(_to_frame(place))
    if not (0 < outline.x < shape[1] and 0 < outline.y < shape[0]):
        return HeadFound(None, presence, agreement, NO_OUTLINE)
    return HeadFound(outline, presence, agreement)


def largest_part(cells: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The logits with all but the largest connected part far below 0; None where nothing is above 0."""
    above = (cells > 0).astype(np.uint8)
    count, numbers, figures, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))
    others = (numbers != largest) & (above > 0)
    return np.where(others, np.float32(_OUTSIDE), cells).astype(np.float32)


def border_points(cells: NDArray[np.float32]) -> tuple[Points, float]:
    """Where rays from the middle of the mask leave it for the last time, between the cells.

    Args:
        cells: float32 (h, w), logits; the mask is where they are above 0.

    Returns:
        (N, 2) places (x, y) in cells, and the share of the rays that met the border inside.
    """
    rows, columns = np.nonzero(cells > 0)
    x, y = float(columns.mean()) + 0.5, float(rows.mean()) + 0.5
    angles = np.linspace(0, 2 * math.pi, _RAYS, endpoint=False)
    far = np.arange(0, math.hypot(*cells.shape), _STEP)
    along_x, along_y = x + np.outer(np.cos(angles), far), y + np.outer(np.sin(angles), far)
    inside = (along_x >= 0) & (along_x <= cells.shape[1]) & (along_y >= 0) & (along_y <= cells.shape[0])
    levels = cv2.remap(
        cells,
        (along_x - 0.5).astype(np.float32),
        (along_y - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    levels = np.where(inside, levels, np.nan)
    last = far.size - 1 - np.argmax((levels > 0)[:, ::-1], axis=1)
    after = np.minimum(last + 1, far.size - 1)
    ray = np.arange(_RAYS)
    own, following = levels[ray, last], levels[ray, after]
    met = (own > 0) & (following <= 0)
    share = own[met] / (own[met] - following[met])
    distance = far[last[met]] + share * _STEP
    points = np.stack([x + distance * np.cos(angles[met]), y + distance * np.sin(angles[met])], axis=1)
    return points.astype(np.float64), float(met.mean())


def overlap(cells: NDArray[np.float32], ellipse: Ellipse) -> float:
    """Intersection over union of the mask (logits above 0) and an ellipse, in cells."""
    rows, columns = np.mgrid[0 : cells.shape[0], 0 : cells.shape[1]].astype(np.float64)
    drawn, mask = ellipse.level(columns + 0.5, rows + 0.5) <= 1, cells > 0
    union = int((drawn | mask).sum())
    return float((drawn & mask).sum() / union) if union else 0.0


def _to_frame(place: Fitted) -> NDArray[np.float64]:
    """From cells to pixels of the picture, (2, 3)."""
    along_x, along_y = place.scale
    left, top = place.to_frame(0, 0)
    return np.array([[2 / along_x, 0, left], [0, 2 / along_y, top]])


def _around(outline: Ellipse | None, gray: Gray) -> Crop:
    """A part of the picture around the outline, in the shape of the network's input."""
    assert outline is not None
    points = outline.points(64)
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = (high - low) * _MARGIN
    width, height = max(width, height * 4 / 3), max(height, width * 3 / 4)
    left, top = (low + high - (width, height)) / 2
    crop = Crop(math.floor(left), math.floor(top), math.ceil(width), math.ceil(height))
    right, bottom = min(crop.left + crop.width, gray.shape[1]), min(crop.top + crop.height, gray.shape[0])
    left, top = max(0, crop.left), max(0, crop.top)
    return Crop(left, top, max(1, right - left), max(1, bottom - top))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))
