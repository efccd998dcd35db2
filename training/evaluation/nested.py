"""Intervals over patients and seeds together: what would come out with other patients and other seeds.

A nested bootstrap: in each draw the patients are drawn again, the same ones for all seeds and for both
networks of a difference, and the seeds, the same ones for both. Patients are drawn whole.

Of few seeds a bootstrap draws too little spread: S seeds lie nearer to their own mean than to that of all
seeds, by sqrt((S - 1) / S), and how far they spread is hardly known. The first is made up for in each draw;
for the second the draws are stretched as Student's t is wider than the normal distribution, with
Satterthwaite's degrees of freedom of a variance of which one part is of G patients, and the other of S seeds.

Shapes: G patients, S seeds, D draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from semc_core.groups.bootstrap import Floats

_TAILS: Final = (2.5, 97.5)
_NORMAL: Final = 1.959964
_STUDENT: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
"""Beyond which a twentieth of Student's t lies, both sides together, with 1, 2, ... 10 degrees of freedom."""

Measured = Mapping[int, Mapping[str, Floats]]
"""By seed and measure: float64 (1 + D,), of all test frames, then of every draw of their patients, the same
draws for all seeds and networks; NaN where it is not defined."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A mean over seeds.

    Attributes:
        mean: Over the seeds, on the patients as they are; NaN where it is not defined.
        low: Lower end of the 95 % interval over patients and seeds; None of fewer than two patients, or where
            half of the draws do not define it. With one seed it is over patients alone.
        high: Upper end.
        seeds: S.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; a mean that is not defined is null."""
        mean = self.mean if np.isfinite(self.mean) else None
        return {"mean": mean, "low": self.low, "high": self.high, "seeds": self.seeds}


def mean_of(
    of: Measured,
    name: str,
    groups: int,
    *,
    stretch: bool = True,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Nested:
    """The mean of a measure over seeds, with its interval; see `nested`."""
    values = [of[number][name] for number in sorted(of)]
    return nested(values, groups, stretch=stretch, within=within)


def difference_of(
    new: Measured,
    old: Measured,
    name: str,
    groups: int,
    *,
    stretch: bool = True,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Nested | None:
    """How much greater a measure of `new` is, paired by seed and patient; None without a common seed."""
    shared = sorted(set(new) & set(old))
    if not shared:
        return None
    values = [new[number][name] - old[number][name] for number in shared]
    return nested(values, groups, stretch=stretch, within=within)


def nested(
    values: Sequence[Floats],
    groups: int,
    *,
    stretch: bool = True,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Nested:
    """The mean over seeds, with its interval, of what was measured in the same draws of patients.

    Args:
        values: Of each seed float64 (1 + D,): of all patients, then of every draw of them. Of a difference
            the differences, seed by seed.
        groups: Patients.
        stretch: Make up for few seeds; see above.
        within: Least and greatest value that the measure can have; the interval does not leave them.
    """
    table = np.stack(values)  # (S, 1 + D)
    seeds, draws = len(table), table.shape[1] - 1
    mean = float(table[:, 0].mean())
    if groups < 2 or draws == 0:
        return Nested(mean, None, None, seeds)
    chosen = np.random.default_rng([seeds, draws]).integers(0, seeds, (draws, seeds))
    drawn = table[chosen, 1 + np.arange(draws)[:, None]].mean(axis=1)
    of_all = table[:, 1:].mean(axis=0)
    known = np.isfinite(drawn) & np.isfinite(of_all) if stretch else np.isfinite(drawn)
    if not np.isfinite(mean) or known.sum() < draws / 2:
        return Nested(mean, None, None, seeds)
    kept = drawn[known]
    if stretch and seeds > 1:
        kept = _stretched(mean, of_all[known], kept, groups, seeds)
    low, high = np.clip(np.percentile(kept, _TAILS), *within)
    return Nested(mean, float(low), float(high), seeds)


def _stretched(mean: float, of_all: Floats, drawn: Floats, groups: int, seeds: int) -> Floats:
    """float64 (D,): the draws with the spread that more seeds would show, and as uncertain as few make it.

    Args:
        mean: Of all patients and seeds.
        of_all: float64 (D,), of each draw of patients with all seeds once.
        drawn: float64 (D,), of each draw of patients and seeds.
        groups: G.
        seeds: S, two or more.
    """
    away = (drawn - of_all) * math.sqrt(seeds / (seeds - 1))
    of_groups, of_seeds = float(of_all.var()), float(away.var())
    unsure = of_groups**2 / (groups - 1) + of_seeds**2 / (seeds - 1)
    freedom = (of_groups + of_seeds) ** 2 / unsure if unsure > 0 else math.inf
    return mean + _student(freedom) / _NORMAL * (of_all + away - mean)


def _student(freedom: float) -> float:
    """Beyond which a twentieth of Student's t lies, both sides together; `freedom` is 1 or more."""
    z = _NORMAL
    if freedom >= len(_STUDENT):  # Cornish and Fisher's series, right to 0.003 from there on
        return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    # Between whole numbers nearly straight over 1 / freedom.
    places = [1 / number for number in range(len(_STUDENT), 0, -1)]
    return float(np.interp(1 / freedom, places, _STUDENT[::-1]))
