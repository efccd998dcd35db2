"""Where a shape can be taken, what a moved handle makes of it, how far off a place is. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from semc_core.measure.ellipse import Ellipse
from semc_core.measure.shapes import Kind, Place, ellipse_of, points_of
from semc_core.session.records import MeasurementEntry

ROUND: Final = 0.78
"""Of an ellipse that is drawn by one axis, the other at first: about that of a head."""


def handles_of(kind: Kind, points: Sequence[Place]) -> tuple[Place, ...]:
    """Where a shape can be taken: its points; of an ellipse both ends of both axes."""
    if kind != "ellipse" or len(points) < 3:
        return tuple(points)
    (x0, y0), (x1, y1), _ = points
    # The end of the second axis is kept anywhere; it is taken where the ellipse is.
    _, across = _upright(points)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    end = (middle[0] + across[0], middle[1] + across[1])
    return (points[0], points[1], end, (middle[0] - across[0], middle[1] - across[1]))


def _upright(points: Sequence[Place]) -> tuple[Place, Place]:
    """Half of the first axis, and the half of the second that stands on it, on the side of its point."""
    (x0, y0), (x1, y1), (x2, y2) = points
    along = ((x1 - x0) / 2, (y1 - y0) / 2)
    half = math.hypot(*along) or 1.0
    normal = (-along[1] / half, along[0] / half)
    away = (x2 - (x0 + x1) / 2) * normal[0] + (y2 - (y0 + y1) / 2) * normal[1]
    return along, (normal[0] * away, normal[1] * away)


def with_handle(kind: Kind, points: Sequence[Place], handle: int, place: Place) -> tuple[Place, ...]:
    """The points with one handle elsewhere. An ellipse keeps the other end of the axis that is turned."""
    if kind != "ellipse":
        return tuple(place if i == handle else point for i, point in enumerate(points))
    (x0, y0), (x1, y1) = points[0], points[1]
    along, across = _upright(points)
    if handle in (2, 3):
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        mirrored = (2 * middle[0] - place[0], 2 * middle[1] - place[1])
        moved = (points[0], points[1], place if handle == 2 else mirrored)
        return handles_of("ellipse", moved)[:3]
    ends = (place, points[1]) if handle == 0 else (points[0], place)
    half = math.hypot(*across)
    return _with_second_axis(ends, half, math.copysign(1.0, along[0] * across[1] - along[1] * across[0]))


def _with_second_axis(ends: Sequence[Place], half: float, side: float = -1.0) -> tuple[Place, ...]:
    (x0, y0), (x1, y1) = ends
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    normal = (-(y1 - y0) / length * side, (x1 - x0) / length * side)
    third = ((x0 + x1) / 2 + normal[0] * half, (y0 + y1) / 2 + normal[1] * half)
    return (ends[0], ends[1], third)


def drawn_ellipse(ends: Sequence[Place]) -> tuple[Place, ...]:
    """The three points of an ellipse by the ends of its first axis."""
    (x0, y0), (x1, y1) = ends
    return _with_second_axis(ends, math.hypot(x1 - x0, y1 - y0) / 2 * ROUND)


def distance_to(entry: MeasurementEntry, place: Place) -> float:
    """From a place to the line of a measurement, pixels."""
    if entry.kind == "ellipse":
        corners = [tuple(point) for point in ellipse_of(entry.points).points(90).tolist()]
        corners.append(corners[0])
    else:
        corners = list(entry.points)
        if entry.kind == "area":
            corners.append(corners[0])
    return min(_to_segment(place, a, b) for a, b in pairwise(corners))


def _to_segment(place: Place, first: Place, last: Place) -> float:
    (x, y), (x0, y0), (x1, y1) = place, first, last
    across, down = x1 - x0, y1 - y0
    square = across * across + down * down
    share = 0.0 if square == 0 else min(1.0, max(0.0, ((x - x0) * across + (y - y0) * down) / square))
    return math.hypot(x - x0 - share * across, y - y0 - share * down)


def inner_points(ellipse: Ellipse, width: int, height: int) -> tuple[Place, ...]:
    """The three points of an ellipse, of its second axis the end that lies in the frame, if one does."""
    points = points_of(ellipse)
    x, y = points[2]
    if 0 <= x <= width and 0 <= y <= height:
        return points
    return (*points[:2], (2 * ellipse.x - x, 2 * ellipse.y - y))
