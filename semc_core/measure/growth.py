"""Fetal size for age: the centile of a measure by the INTERGROWTH-21st standards, and the age by Hadlock.

Nothing here is a diagnosis. Each formula is used inside of its own range only; outside of it there is no
number but a sentence.

Sources:
    Papageorghiou AT et al. International standards for fetal growth based on serial ultrasound measurements:
    the Fetal Growth Longitudinal Study of the INTERGROWTH-21st Project. Lancet 2014;384:869-79.
    Hadlock FP, Deter RL, Harrist RB, Park SK. Estimating fetal age: computer-assisted analysis of multiple
    fetal growth parameters. Radiology 1984;152:497-501.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import Final, Literal

from semc_core.errors import UsageError

Measure = Literal["HC", "BPD", "OFD", "AC", "FL"]
"""Head circumference, biparietal diameter (outer to outer), occipito-frontal diameter, abdominal
circumference, femur length."""

INTERGROWTH: Final = "INTERGROWTH-21st (Papageorghiou et al. 2014)"
HADLOCK_AGE: Final = "Hadlock et al. 1984"
STANDARD_WEEKS: Final = (14.0, 40.0)
"""Of the INTERGROWTH-21st standards: 14+0 to 40+0."""
DATING_WEEKS: Final = (14.0, 42.0)
"""Of the fetuses from which Hadlock's formulas were made; what gives another age is refused."""


@dataclass(frozen=True, slots=True)
class Centile:
    """Where a measure lies among those of its age.

    Attributes:
        percent: 0-100.
        z: Standard deviations from the mean.
        source: The standard, for people.
    """

    percent: float
    z: float
    source: str


@dataclass(frozen=True, slots=True)
class Age:
    """An age from a measure.

    Attributes:
        weeks: Exact weeks.
        source: Formula and measure, for people.
    """

    weeks: float
    source: str

    @property
    def days(self) -> int:
        """Whole days."""
        return round(self.weeks * 7)

    def __str__(self) -> str:
        """Weeks and days: 20+3."""
        return f"{self.days // 7}+{self.days % 7}"


Curve = Callable[[float], tuple[float, float]]


def _hc(age: float) -> tuple[float, float]:
    square, cube, log = age**2, age**3, math.log(age)
    mean = -28.2849 + 1.69267 * square - 0.397485 * square * log
    return mean, 1.98735 + 0.0136772 * cube - 0.00726264 * cube * log + 0.000976253 * cube * log**2


def _bpd(age: float) -> tuple[float, float]:
    cube, log = age**3, math.log(age)
    mean = 5.60878 + 0.158369 * age**2 - 0.00256379 * cube
    exponent = 0.101242 + 0.00150557 * cube - 0.000771535 * cube * log + 0.0000999638 * cube * log**2
    return mean, math.exp(exponent)


def _ofd(age: float) -> tuple[float, float]:
    square, log = age**2, math.log(age)
    mean = -12.4097 + 0.626342 * square - 0.148075 * square * log
    exponent = -0.880034 + 0.0631165 * square - 0.0317136 * square * log + 0.00408302 * square * log**2
    return mean, math.exp(exponent)


def _ac(age: float) -> tuple[float, float]:
    cube = age**3
    mean = -81.3243 + 11.6772 * age - 0.000561865 * cube
    return mean, -4.36302 + 0.121445 * age**2 - 0.0130256 * cube + 0.00282143 * cube * math.log(age)


def _fl(age: float) -> tuple[float, float]:
    mean = -39.9616 + 4.32298 * age - 0.0380156 * age**2
    return mean, math.exp(0.605843 - 42.0014 / age**2 + 0.00000917972 * age**3)


STANDARDS: Final[Mapping[Measure, Curve]] = MappingProxyType(
    {"HC": _hc, "BPD": _bpd, "OFD": _ofd, "AC": _ac, "FL": _fl}
)
"""Mean and standard deviation in mm at an age in exact weeks."""

DATING: Final[Mapping[Measure, Callable[[float], float]]] = MappingProxyType(
    {
        "HC": lambda cm: 8.96 + 0.540 * cm + 0.0003 * cm**3,
        "BPD": lambda cm: 9.54 + 1.482 * cm + 0.1676 * cm**2,
        "AC": lambda cm: 8.14 + 0.753 * cm + 0.0036 * cm**2,
        "FL": lambda cm: 10.35 + 2.460 * cm + 0.170 * cm**2,
    }
)
"""Age in weeks from a measure in cm. Hadlock measured BPD from outer to inner border."""


def centile(measure: Measure, mm: float, weeks: float) -> Centile:
    """Where a measure lies among those of its age.

    Raises:
        UsageError: The age is outside of the standard's range, or the measure is none.
    """
    check_length(mm)
    low, high = STANDARD_WEEKS
    if not low <= weeks <= high:
        raise UsageError(f"INTERGROWTH-21st has centiles from {low:g} to {high:g} weeks only.")
    mean, deviation = STANDARDS[measure](weeks)
    z = (mm - mean) / deviation
    return Centile(100 * NormalDist().cdf(z), z, INTERGROWTH)


def at_centile(measure: Measure, percent: float, weeks: float) -> float:
    """The measure, mm, at a centile above 0 and below 100.

    Raises:
        UsageError: The age is outside of the standard's range, or the centile is none.
    """
    low, high = STANDARD_WEEKS
    if not low <= weeks <= high:
        raise UsageError(f"INTERGROWTH-21st has centiles from {low:g} to {high:g} weeks only.")
    if not 0 < percent < 100:
        raise UsageError("A centile lies above 0 and below 100.")
    mean, deviation = STANDARDS[measure](weeks)
    return mean + NormalDist().inv_cdf(percent / 100) * deviation


def age_from(measure: Measure, mm: float) -> Age:
    """The age that Hadlock's formula of 1984 gives for one measure.

    Raises:
        UsageError: The measure is none, has no formula, or lies outside of the formula's range.
    """
    check_length(mm)
    formula = DATING.get(measure)
    if formula is None:
        raise UsageError(f"There is no formula here that dates by {measure}; choose another measure.")
    weeks = formula(mm / 10)
    low, high = DATING_WEEKS
    if not low <= weeks <= high:
        raise UsageError(
            f"{measure} {mm:.0f} mm is outside of the {low:g} to {high:g} weeks of {HADLOCK_AGE}."
        )
    return Age(weeks, f"{HADLOCK_AGE}, by {measure}")


def check_length(mm: float) -> None:
    """Raises UsageError where a length in mm is none: 0, negative, not finite."""
    if not (math.isfinite(mm) and mm > 0):
        raise UsageError("A measure must be a length above 0 mm.")
