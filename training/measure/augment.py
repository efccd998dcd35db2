"""Random versions of a picture with its outline: what differs between scanners, hands and screens.

Unlike the augmentations of planes these turn, stretch and mirror: a head is a head from any side, and the
outline moves along exactly.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.measure.ellipse import Ellipse

Gray = NDArray[np.uint8]
Levels = NDArray[np.float32]
Rng = np.random.Generator

_TURN: Final = math.radians(25)
_STRETCH: Final = 0.15
_ZOOM: Final = (0.6, 1.55)
_KNOTS: Final = 6
_FONTS: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX)


def augmented(
    rng: Rng, picture: Gray, outline: Ellipse | None, size: tuple[int, int]
) -> tuple[Levels, Ellipse | None]:
    """One random version.

    Args:
        rng: Decides everything.
        picture: uint8 (h, w).
        outline: Of the head, pixels of `picture`; None where there is none.
        size: Rows and columns of the result.

    Returns:
        float32 (rows, columns), 0-1, and where the outline is in it.
    """
    rows, columns = size
    matrix = _move(rng, picture.shape, outline, size)
    shrinks = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if shrinks < 0.75:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / shrinks), np.uint8)
    # Places are continuous here; OpenCV counts from the middle of the first pixel.
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    moved = cv2.warpAffine(picture, shifted, (columns, rows), flags=cv2.INTER_LINEAR)
    moved_outline = None if outline is None else outline.moved(matrix)
    if rng.random() < 0.3:
        moved = _drawn_on(rng, np.asarray(moved, np.uint8), moved_outline)
    return _toned(rng, np.asarray(moved, np.float32) / np.float32(255)), moved_outline


def _move(
    rng: Rng, shape: tuple[int, ...], outline: Ellipse | None, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Turned, scaled, stretched, mirrored and shifted about the middle of the head, or of the picture."""
    height, width = shape[:2]
    scale = min(size[0] / height, size[1] / width) * math.exp(rng.uniform(*np.log(_ZOOM)))
    turn = rng.uniform(-_TURN, _TURN) if rng.random() < 0.8 else rng.uniform(-math.pi, math.pi)
    stretch = math.exp(rng.uniform(-_STRETCH, _STRETCH))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    flip = -1.0 if rng.random() < 0.1 else 1.0
    cos, sin = math.cos(turn), math.sin(turn)
    linear = scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([stretch * mirror, flip / stretch])
    middle = np.array([width / 2, height / 2])
    if outline is not None:
        # As far from the middle of the result as it was from the picture's, or nearer: it stays inside.
        middle = middle + rng.uniform(0, 1) * (np.array([outline.x, outline.y]) - middle)
    shift = rng.uniform(-0.1, 0.1, 2) * np.array([size[1], size[0]])
    return np.column_stack([linear, np.array([size[1] / 2, size[0] / 2]) + shift - linear @ middle])


def _toned(rng: Rng, levels: Levels) -> Levels:
    """Gamma, gain, time gain, blur, speckle, haze, noise, a shadow, a hidden part, compression."""
    rows, columns = levels.shape
    levels = levels ** np.float32(math.exp(rng.uniform(-0.6, 0.6)))
    knots = np.exp(rng.uniform(-0.4, 0.4, (_KNOTS, 1)) + rng.uniform(-0.5, 0.4)).astype(np.float32)
    levels = levels * cv2.resize(knots, (1, rows), interpolation=cv2.INTER_LINEAR).reshape(rows, 1)
    if rng.random() < 0.35:
        levels = np.asarray(cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.4, 1.8)), np.float32)
    if rng.random() < 0.4:
        grain = rng.uniform(1, 3)
        small = rng.standard_normal((round(rows / grain), round(columns / grain / 1.5))).astype(np.float32)
        grains = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
        levels = levels * (1 + np.float32(rng.uniform(0, 0.35)) * grains)
    if rng.random() < 0.25:
        cloud = cv2.resize(
            rng.random((4, 5)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
        )
        levels = levels + np.float32(rng.uniform(0, 0.25)) * cloud * (levels > 0.01)
    if rng.random() < 0.25:
        at, half = rng.uniform(0, columns), rng.uniform(0.03, 0.12) * columns
        band = np.exp(-0.5 * ((np.arange(columns) - at) / half) ** 2)
        start = rng.uniform(0, 0.6) * rows
        below = 1 / (1 + np.exp(-(np.arange(rows) - start) / 4))
        levels = levels * (1 - rng.uniform(0.3, 0.9) * np.outer(below, band)).astype(np.float32)
    if rng.random() < 0.15:
        high, wide = int(rng.uniform(0.05, 0.3) * rows), int(rng.uniform(0.05, 0.3) * columns)
        top, left = int(rng.integers(0, rows - high)), int(rng.integers(0, columns - wide))
        levels[top : top + high, left : left + wide] = 0
    levels = levels + np.float32(rng.uniform(0, 0.04)) * rng.standard_normal(levels.shape).astype(np.float32)
    return np.clip(levels, 0, 1)


def _drawn_on(rng: Rng, picture: Gray, outline: Ellipse | None) -> Gray:
    """Text, calipers, a dotted measurement: what scanners write into their pictures."""
    picture = picture.copy()
    rows, columns = picture.shape
    for _ in range(int(rng.integers(0, 4))):
        text = "".join(chr(each) for each in rng.integers(40, 122, int(rng.integers(2, 12))))
        at = (int(rng.uniform(0, 0.9) * columns), int(rng.uniform(0.05, 1) * rows))
        cv2.putText(
            picture, text, at, int(rng.choice(_FONTS)), rng.uniform(0.25, 0.6), int(rng.integers(120, 256))
        )
    places = rng.uniform(0, 1, (int(rng.integers(0, 5)), 2)) * np.array([columns, rows])
    level = int(rng.integers(150, 256))
    if outline is not None and rng.random() < 0.3:
        # Often there, and often not where the outline is.
        other = outline.grown(rng.uniform(-0.15, 0.15) * outline.minor).points(int(rng.integers(4, 90)))
        places = other + rng.uniform(-3, 3, 2)
    for x, y in places:
        at = (int(x), int(y))
        if len(places) > 8:
            cv2.circle(picture, at, 0, level, -1)
        else:
            cv2.drawMarker(picture, at, level, int(rng.choice([0, 1])), int(rng.integers(4, 10)))
    return picture
