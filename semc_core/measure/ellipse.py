"""Ellipses: their axes, their circumference, and the one that lies best on an outline.

Places are continuous pixels: the pixel in row r and column c covers c to c + 1 and r to r + 1, so its middle
is (c + 0.5, r + 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_POINTS: Final = 6
_OUTLIER: Final = 4.0
"""Points further off than so many median distances are left out of the second fit."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in a picture.

    Attributes:
        x: Middle, pixels from the left edge.
        y: Middle, pixels from the upper edge.
        major: Longer half axis, pixels.
        minor: Shorter half axis, pixels.
        angle: Of the longer axis, radians, from the x axis towards the y axis; 0 up to pi.
    """

    x: float
    y: float
    major: float
    minor: float
    angle: float

    @property
    def circumference(self) -> float:
        """Pixels; see `circumference`."""
        return circumference(self.major, self.minor)

    @property
    def area(self) -> float:
        """Square pixels."""
        return math.pi * self.major * self.minor

    def points(self, count: int = 180) -> Points:
        """(count, 2) places (x, y) along it, evenly in its parameter."""
        t = np.linspace(0, 2 * math.pi, count, endpoint=False)
        along, across = self.major * np.cos(t), self.minor * np.sin(t)
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.stack([self.x + along * cos - across * sin, self.y + along * sin + across * cos], axis=1)

    def grown(self, by: float) -> Ellipse:
        """With both half axes longer by so many pixels, or shorter.

        Raises:
            ValueError: Nothing would be left.
        """
        return _ordered(self.x, self.y, self.major + by, self.minor + by, self.angle)

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far from the middle places lie: 0 there, 1 on the ellipse, 2 at twice its size."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along = ((x - self.x) * cos + (y - self.y) * sin) / self.major
        across = ((y - self.y) * cos - (x - self.x) * sin) / self.minor
        return np.sqrt(along * along + across * across)

    def distance(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nearly (in first order) the distance of places from the outline, pixels, negative inside."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along = (x - self.x) * cos + (y - self.y) * sin
        across = (y - self.y) * cos - (x - self.x) * sin
        level = np.sqrt((along / self.major) ** 2 + (across / self.minor) ** 2)
        slope = np.hypot(along / self.major**2, across / self.minor**2) / np.maximum(level, 1e-9)
        return (level - 1) / np.maximum(slope, 1e-9)

    def moved(self, matrix: NDArray[np.float64]) -> Ellipse:
        """Where an affine map puts it, which may stretch and mirror.

        Args:
            matrix: (2, 3), as in (x', y') = matrix @ (x, y, 1).

        Raises:
            ValueError: The map leaves nothing of it.
        """
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        axes = np.array([[self.major * cos, -self.minor * sin], [self.major * sin, self.minor * cos]])
        turned, lengths, _ = np.linalg.svd(matrix[:, :2] @ axes)
        x, y = matrix @ np.array([self.x, self.y, 1.0])
        return _ordered(
            float(x), float(y), float(lengths[0]), float(lengths[1]), math.atan2(turned[1, 0], turned[0, 0])
        )


def circumference(major: float, minor: float) -> float:
    """The circumference of an ellipse with these half axes.

    Ramanujan's second approximation (1914), with h = ((a - b) / (a + b))^2:
    pi (a + b) (1 + 3h / (10 + sqrt(4 - 3h))).
    Its error is below one part in 10^5 for half axes of 5 : 1.
    """
    h = ((major - minor) / (major + minor)) ** 2
    return math.pi * (major + minor) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))


def fit_ellipse(points: Points) -> Ellipse | None:
    """The ellipse through points on an outline, with a second fit without the points far off the first.

    Args:
        points: (N, 2) places (x, y).

    Returns:
        None for fewer than six points, and where no ellipse lies on them.
    """
    first = _fit(points)
    if first is None:
        return None
    off = np.abs(first.distance(points[:, 0], points[:, 1]))
    near = off <= _OUTLIER * max(float(np.median(off)), 1e-6)
    return (_fit(points[near]) if not near.all() else first) or first


def _fit(points: Points) -> Ellipse | None:
    if len(points) < LEAST_POINTS or not np.isfinite(points).all():
        return None
    # About their mean, and of about the size of 1: OpenCV computes in single precision.
    middle = points.mean(axis=0)
    spread = float(np.abs(points - middle).max())
    if spread <= 0:
        return None
    try:
        (x, y), (width, height), degrees = cv2.fitEllipseDirect(
            ((points - middle) / spread).astype(np.float32)
        )
    except cv2.error:
        return None
    numbers = (x, y, width, height, degrees)
    if not all(math.isfinite(each) for each in numbers) or min(width, height) <= 0:
        return None
    at = middle + spread * np.array([x, y])
    return _ordered(
        float(at[0]), float(at[1]), width * spread / 2, height * spread / 2, math.radians(degrees)
    )


def _ordered(x: float, y: float, first: float, second: float, angle: float) -> Ellipse:
    """With the longer half axis first; `angle` is that of `first`."""
    if min(first, second) <= 0:
        raise ValueError("an ellipse needs two axes above 0")
    if second > first:
        first, second, angle = second, first, angle + math.pi / 2
    return Ellipse(x, y, first, second, angle % math.pi)
