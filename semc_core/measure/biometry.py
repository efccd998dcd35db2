"""Measures of a head or an abdomen from its ellipse, in pixels and in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

from semc_core.measure.calibration import Calibration
from semc_core.measure.ellipse import Ellipse, circumference


@dataclass(frozen=True, slots=True)
class HeadMeasures:
    """Of a head's outer outline, in the unit of its ellipse.

    Attributes:
        hc: Head circumference: that of the ellipse.
        bpd: Biparietal diameter, outer border to outer border: the shorter axis.
        ofd: Occipito-frontal diameter, outer border to outer border: the longer axis.
    """

    hc: float
    bpd: float
    ofd: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure with the interval that holds the stated value in 90 of 100 pictures."""

    value: float
    low: float
    high: float


def head_measures(outline: Ellipse) -> HeadMeasures:
    """Circumference and diameters of an outline, in its own unit."""
    return HeadMeasures(outline.circumference, 2 * outline.minor, 2 * outline.major)


def head_measures_mm(outline: Ellipse, calibration: Calibration) -> HeadMeasures:
    """The same in millimetres, of an outline in pixels."""
    return head_measures(calibration.in_mm(outline))


def abdominal_circumference(transverse: float, anteroposterior: float) -> float:
    """AC from the two diameters of an abdomen, outer to outer, in their unit: that of an ellipse."""
    return circumference(max(transverse, anteroposterior) / 2, min(transverse, anteroposterior) / 2)


def with_interval(value: float, error: float) -> Interval:
    """A circumference with its interval; `error` is a share of it, from the model file."""
    return Interval(value, value * (1 - error), value * (1 + error))
