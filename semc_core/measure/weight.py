"""Estimated fetal weight by Hadlock's formulas of 1985, and its centile by his weight standard of 1991.

Sources:
    Hadlock FP, Harrist RB, Sharman RS, Deter RL, Park SK. Estimation of fetal weight with the use of head,
    body, and femur measurements: a prospective study. Am J Obstet Gynecol 1985;151:333-7.
    Hadlock FP, Harrist RB, Martinez-Poyer J. In utero analysis of fetal growth: a sonographic weight
    standard. Radiology 1991;181:129-33.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from semc_core.errors import UsageError
from semc_core.measure.growth import Centile, check_length

HADLOCK_WEIGHT: Final = "Hadlock et al. 1985"
HADLOCK_STANDARD: Final = "Hadlock et al. 1991"
STANDARD_WEEKS: Final = (10.0, 40.0)
SPREAD: Final = 0.127
"""Standard deviation of the weight at any age, as a share of its mean."""
LEAST_G, MOST_G = 200.0, 5000.0
"""What is estimated to be lighter or heavier is refused: the formulas were not made for it."""


@dataclass(frozen=True, slots=True)
class Weight:
    """An estimated weight.

    Attributes:
        grams: Grams.
        source: Formula and what it was given, for people.
    """

    grams: float
    source: str


def estimated_weight(
    ac_mm: float, fl_mm: float, hc_mm: float | None = None, bpd_mm: float | None = None
) -> Weight:
    """Weight from abdomen and femur, and better with the head.

    The formula is that for what is given: AC and FL; HC, AC, FL; BPD, AC, FL; or all four.

    Args:
        ac_mm: Abdominal circumference.
        fl_mm: Femur length.
        hc_mm: Head circumference.
        bpd_mm: Biparietal diameter, outer to inner border, as Hadlock measured it.

    Raises:
        UsageError: A measure is none, or the weight lies outside of what the formulas were made for.
    """
    given = [each for each in (ac_mm, fl_mm, hc_mm, bpd_mm) if each is not None]
    for each in given:
        check_length(each)
    ac, fl = ac_mm / 10, fl_mm / 10
    if hc_mm is not None and bpd_mm is not None:
        hc, bpd, names = hc_mm / 10, bpd_mm / 10, "BPD, HC, AC, FL"
        log = 1.3596 - 0.00386 * ac * fl + 0.0064 * hc + 0.00061 * bpd * ac + 0.0424 * ac + 0.174 * fl
    elif hc_mm is not None:
        names = "HC, AC, FL"
        log = 1.326 - 0.00326 * ac * fl + 0.0107 * hc_mm / 10 + 0.0438 * ac + 0.158 * fl
    elif bpd_mm is not None:
        names = "BPD, AC, FL"
        log = 1.335 - 0.0034 * ac * fl + 0.0316 * bpd_mm / 10 + 0.0457 * ac + 0.1623 * fl
    else:
        names = "AC, FL"
        log = 1.304 + 0.05281 * ac + 0.1938 * fl - 0.004 * ac * fl
    grams = 10**log if log < 6 else math.inf
    if not LEAST_G <= grams <= MOST_G:
        raise UsageError(f"These measures are outside of the range of {HADLOCK_WEIGHT}; check them.")
    return Weight(grams, f"{HADLOCK_WEIGHT}, by {names}")


def weight_centile(grams: float, weeks: float) -> Centile:
    """Where a weight lies among those of its age: mean exp(0.578 + 0.332 w - 0.00354 w^2), deviation 12.7 %.

    Raises:
        UsageError: The age is outside of the standard's range, or the weight is none.
    """
    low, high = STANDARD_WEEKS
    if not low <= weeks <= high:
        raise UsageError(f"{HADLOCK_STANDARD} has weights from {low:g} to {high:g} weeks only.")
    if not (math.isfinite(grams) and grams > 0):
        raise UsageError("A weight must be above 0 g.")
    mean = mean_weight(weeks)
    z = (grams - mean) / (SPREAD * mean)
    return Centile(100 * NormalDist().cdf(z), z, HADLOCK_STANDARD)


def mean_weight(weeks: float) -> float:
    """Grams at an age in exact weeks."""
    return math.exp(0.578 + 0.332 * weeks - 0.00354 * weeks**2)
