"""What a drawn shape measures: in pixels, and in millimetres where the calibration is known. Never else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from semc_core.language import N_
from semc_core.measure.calibration import Calibration, at_place
from semc_core.measure.ellipse import Ellipse, Points
from semc_core.measure.shapes import Kind, Place, ellipse_of

Unit = Literal["px", "px²", "mm", "mm²", "°"]

_PIXELS: Final = Calibration(1.0, 1.0, "")

HC, BPD, OFD, AC = N_("HC"), N_("BPD outer-outer"), N_("OFD outer-outer"), N_("AC")
BPD_INNER, FL = N_("BPD outer-inner"), N_("FL")
_HEAD: Final = {"Circumference": HC, "Short axis": BPD, "Long axis": OFD}
_ABDOMEN: Final = {"Circumference": AC}
_NAMES: Final = {
    "head": _HEAD,
    "abdomen": _ABDOMEN,
    "bpd_outer_outer": {"Length": BPD},
    "bpd_outer_inner": {"Length": BPD_INNER},
    "ofd": {"Length": OFD},
    "femur": {"Length": FL},
}
"""What each value is called where the shape shows something of a fetus."""


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a measurement.

    Attributes:
        name: What was measured, for people.
        number: In `unit`.
        unit: Of both numbers.
        low: Least of the interval that holds the true value in 90 of 100; None without one.
        high: Its most.
    """

    name: str
    number: float
    unit: Unit
    low: float | None = None
    high: float | None = None


def values(
    kind: Kind,
    points: Sequence[Place],
    calibration: Calibration | None,
    structure: str = "",
    error: float | None = None,
) -> tuple[Value, ...]:
    """What a shape measures: in millimetres with a calibration, else in pixels.

    Without a calibration an angle is that of square pixels.

    Args:
        kind: Of the shape.
        points: Its points, pixels.
        calibration: Millimetres per pixel.
        structure: What it shows, one of `shapes.STRUCTURES`, or "".
        error: The share of the circumference within which 90 of 100 lie; None where that is not known.
    """
    unit: Unit = "px" if calibration is None else "mm"
    scale = calibration or _PIXELS
    found = _of_ellipse(ellipse_of(points), scale, unit) if kind == "ellipse" else None
    if found is None:
        found = _of_corners(kind, np.array(points, np.float64) * (scale.mm_x, scale.mm_y), unit)
    names = _NAMES.get(structure, {})
    named = tuple(replace(each, name=names.get(each.name, each.name)) for each in found)
    if error is None:
        return named
    first = named[0]
    spread = replace(first, low=first.number * (1 - error), high=first.number * (1 + error))
    return (spread, *named[1:])


def _of_ellipse(drawn: Ellipse, scale: Calibration, unit: Unit) -> tuple[Value, ...]:
    ellipse = scale.in_mm(drawn)
    return (
        Value(N_("Circumference"), ellipse.circumference, unit),
        Value(N_("Long axis"), 2 * ellipse.major, unit),
        Value(N_("Short axis"), 2 * ellipse.minor, unit),
        Value(N_("Area"), ellipse.area, _square(unit)),
    )


def _of_corners(kind: Kind, corners: Points, unit: Unit) -> tuple[Value, ...]:
    """`corners` are in `unit` already."""
    if kind == "angle":
        return (Value(N_("Angle"), _angle(corners), "°"),)
    if kind == "area":
        closed = np.vstack([corners, corners[:1]])
        return (
            Value(N_("Area"), _area(corners), _square(unit)),
            Value(N_("Circumference"), _length(closed), unit),
        )
    return (Value(N_("Length"), _length(corners), unit),)


def _square(unit: Unit) -> Unit:
    return "px²" if unit == "px" else "mm²"


def _length(corners: Points) -> float:
    return float(np.hypot(*np.diff(corners, axis=0).T).sum())


def _area(corners: Points) -> float:
    """By the shoelace formula, from the first corner, so that large coordinates cost no digits."""
    x, y = (corners - corners[0]).T
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


def _angle(corners: Points) -> float:
    """Degrees between the arms, 0-180."""
    (first_x, first_y), (second_x, second_y) = corners[0] - corners[1], corners[2] - corners[1]
    cross, dot = first_x * second_y - first_y * second_x, first_x * second_x + first_y * second_y
    return math.degrees(math.atan2(abs(float(cross)), float(dot)))


def scale_at(scales: Iterable[Calibration], points: Sequence[Place]) -> Calibration | None:
    """The calibration that is meant for all of the points; None where there is none such."""
    known = tuple(scales)
    found = {at_place(known, x, y) for x, y in points}
    return found.pop() if len(found) == 1 else None
