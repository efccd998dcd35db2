"""What is drawn over a picture to measure it: kinds, the points that each needs, and what can be none.

Places are continuous pixels, as in `ellipse`. Points of each kind:
    distance: its two ends.
    ellipse: the two ends of one axis, and one end of the other, which stands on the middle of the first.
    trace: the corners of an open line, two or more.
    area: the corners of a closed line, three or more; the last is joined to the first.
    angle: the end of one arm, the corner, the end of the other arm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np

from semc_core.errors import UsageError
from semc_core.language import _
from semc_core.measure.ellipse import Ellipse, Points

Kind = Literal["distance", "ellipse", "trace", "area", "angle"]
Place = tuple[float, float]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
POINTS: Final = MappingProxyType(
    {"distance": (2, 2), "ellipse": (3, 3), "trace": (2, 2000), "area": (3, 2000), "angle": (3, 3)}
)
"""Least and most points of each kind."""
DIGITS: Final = 3
"""Of a pixel's coordinate that is kept."""
LEAST_PX: Final = 1.0
"""A shape that is smaller than this was not meant."""

STRUCTURES: Final = MappingProxyType(
    {
        "head": "ellipse",
        "abdomen": "ellipse",
        "bpd_outer_outer": "distance",
        "bpd_outer_inner": "distance",
        "ofd": "distance",
        "femur": "distance",
    }
)
"""What of a fetus a shape may show, and the kind of shape that it needs. "" is nothing in particular."""


def check_shape(kind: str, points: Sequence[Place], width: int, height: int) -> None:
    """Hold a shape against the picture that it was drawn over.

    Raises:
        UsageError: The kind is none, there are too few points or too many, one is beside the picture or not
            finite, or nothing would be measured.
    """
    if kind not in POINTS:
        raise UsageError(f"There is no kind of measurement named {kind}.")
    least, most = POINTS[kind]
    if not least <= len(points) <= most:
        raise UsageError(_("This measurement does not have the points that its kind needs; draw it again."))
    for x, y in points:
        # Written so that what is not a number is refused, too.
        if not (0 <= x <= width and 0 <= y <= height):
            raise UsageError(_("A point lies beside the picture; draw the measurement inside of it."))
    if not _is_large(kind, np.array(points, np.float64)):
        raise UsageError(_("That is too small to be measured; draw it again."))


def _is_large(kind: str, points: Points) -> bool:
    if kind == "angle":
        return bool((np.hypot(*(points[[0, 2]] - points[1]).T) >= LEAST_PX).all())
    if kind == "ellipse":
        first, second = half_axes(points)
        return min(first, second) >= LEAST_PX / 2
    low, high = points.min(axis=0), points.max(axis=0)
    return float(np.hypot(*(high - low))) >= LEAST_PX


def check_structure(structure: str, kind: str) -> None:
    """Raises UsageError where this kind of shape cannot show this."""
    if structure and STRUCTURES.get(structure) != kind:
        raise UsageError(_("This cannot be measured with that tool; choose another name or another tool."))


def half_axes(points: Points) -> tuple[float, float]:
    """Of an ellipse's three points: half of the axis whose ends are given, and half of the other, pixels."""
    middle, along = (points[0] + points[1]) / 2, (points[1] - points[0]) / 2
    half = float(np.hypot(*along))
    if half == 0:
        return 0.0, float(np.hypot(*(points[2] - middle)))
    across = points[2] - middle
    return half, abs(float(along[0] * across[1] - along[1] * across[0])) / half


def ellipse_of(points: Sequence[Place]) -> Ellipse:
    """The ellipse of its three points.

    Raises:
        ValueError: An axis is 0.
    """
    given = np.array(points, np.float64)
    first, second = half_axes(given)
    if min(first, second) <= 0:
        raise ValueError("an ellipse needs two axes above 0")
    (x, y), (along_x, along_y) = (given[0] + given[1]) / 2, given[1] - given[0]
    angle = math.atan2(along_y, along_x)
    if second > first:
        first, second, angle = second, first, angle + math.pi / 2
    return Ellipse(float(x), float(y), first, second, angle % math.pi)


def points_of(ellipse: Ellipse) -> tuple[Place, Place, Place]:
    """Its three points: the ends of the longer axis, and the upper or right end of the shorter one."""
    along_x, along_y = ellipse.major * math.cos(ellipse.angle), ellipse.major * math.sin(ellipse.angle)
    across_x, across_y = ellipse.minor * math.sin(ellipse.angle), -ellipse.minor * math.cos(ellipse.angle)
    return (
        (ellipse.x - along_x, ellipse.y - along_y),
        (ellipse.x + along_x, ellipse.y + along_y),
        (ellipse.x + across_x, ellipse.y + across_y),
    )


def rounded(points: Sequence[Place]) -> tuple[Place, ...]:
    """The points as they are kept: to a thousandth of a pixel."""
    return tuple((round(float(x), DIGITS), round(float(y), DIGITS)) for x, y in points)
