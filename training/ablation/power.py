"""How many patients and seeds a comparison needs: variance components, and the power that they leave.

The difference of two networks, trained with S seeds each and judged on the same G patients, is of patient g
and seed s: d + p_g + s_s + r_gs. Other patients would give another p (variance `patients`), other seeds
another s (`seeds`), and the rest is of the two together. The mean over both has the variance

    patients / G + seeds / S + rest / (G S)

and is tested by Student's t with Satterthwaite's degrees of freedom, since with few seeds their variance is
hardly known. Measures like F1 are no means over patients; of those a patient's part is the jackknife's
pseudo-value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch

from semc_core.groups.bootstrap import Floats, GroupDraws
from training.ablation.measures import Predicted, measured

_CELLS: Final = 1000
_MOST_GROUPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of a difference; in shares, not points: of F1 0.01² is one point squared.

    Attributes:
        patients: Of what other patients would change.
        seeds: Of what other seeds would change.
        rest: Of what only this patient with this seed has.
    """

    patients: float
    seeds: float
    rest: float

    def variance(self, groups: int, seeds: int) -> float:
        """Of the mean over so many patients and seeds."""
        return self.patients / groups + self.seeds / seeds + self.rest / (groups * seeds)

    def freedom(self, groups: int, seeds: int) -> float:
        """Degrees of freedom with which that variance is estimated (Satterthwaite)."""
        of_groups = seeds * self.patients + self.rest
        of_seeds = groups * self.seeds + self.rest
        spread = of_groups**2 / (groups - 1) + of_seeds**2 / (seeds - 1)
        spread += self.rest**2 / ((groups - 1) * (seeds - 1))
        return (of_groups + of_seeds - self.rest) ** 2 / spread if spread > 0 else math.inf


def components(table: Floats) -> Components:
    """Estimate them from differences, float64 (S, G), by two-way analysis of variance; none is below 0.

    Raises:
        ValueError: There are fewer than two seeds or patients.
    """
    return _components(table, 1.0)


def cautious(table: Floats, sure: float = 0.8) -> Components:
    """As `components`, but with an upper limit of the variance of the seeds, which few seeds hardly tell.

    Args:
        table: float64 (S, G).
        sure: Chance, 0-1, that the true variance of the seeds is not greater.

    Raises:
        ValueError: See `components`.
    """
    freedom = len(table) - 1
    return _components(table, freedom / _chi_squared(1 - sure, freedom) if freedom else 1.0)


def _components(table: Floats, stretch: float) -> Components:
    """`stretch` is what the mean square of the seeds is multiplied by."""
    seeds, groups = table.shape
    if seeds < 2 or groups < 2:
        raise ValueError("Variance components need two seeds and two patients at least.")
    of_seeds, of_groups, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    rest = table - of_seeds[:, None] - of_groups[None, :] + mean
    rest_square = float((rest**2).sum()) / ((seeds - 1) * (groups - 1))
    seeds_square = groups * float(of_seeds.var(ddof=1))
    groups_square = seeds * float(of_groups.var(ddof=1))
    return Components(
        max(0.0, (groups_square - rest_square) / seeds),
        max(0.0, (stretch * seeds_square - rest_square) / groups),
        rest_square,
    )


def _chi_squared(chance: float, freedom: float) -> float:
    """Below which chi-squared lies with that chance."""
    half, low, high = torch.tensor(freedom / 2, dtype=torch.float64), 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        below = float(torch.special.gammainc(half, torch.tensor(middle / 2, dtype=torch.float64)))
        low, high = (middle, high) if below < chance else (low, middle)
    return high


def interval(table: Floats, level: float = 0.05) -> tuple[float, float]:
    """Ends of the mean difference's interval over patients and seeds: the test that `power` is of.

    Args:
        table: float64 (S, G), two seeds and two patients or more.
        level: Chance that the interval misses.

    Raises:
        ValueError: See `components`.
    """
    seeds, groups = table.shape
    of = components(table)
    reach = _limit(level, of.freedom(groups, seeds)) * math.sqrt(of.variance(groups, seeds))
    return float(table.mean()) - reach, float(table.mean()) + reach


def pooled(found: Sequence[Components]) -> Components:
    """The mean of several, as of several comparisons with the same patients."""
    return Components(
        *(float(np.mean([getattr(each, part.name) for each in found])) for part in fields(Components))
    )


def power(difference: float, of: Components, groups: int, seeds: int, level: float = 0.05) -> float:
    """The chance, 0-1, that a true difference is found to be none of 0.

    Args:
        difference: That there is in truth, in shares: 0.01 is a point of F1.
        of: See there.
        groups: Patients that are tested on, two or more.
        seeds: Trainings of each network, two or more.
        level: Chance of finding a difference where there is none.
    """
    variance = of.variance(groups, seeds)
    if variance <= 0:
        return 1.0 if difference else level
    freedom = of.freedom(groups, seeds)
    return _beyond(_limit(level, freedom), abs(difference) / math.sqrt(variance), freedom)


def groups_needed(
    difference: float, of: Components, seeds: int, chance: float = 0.8, level: float = 0.05
) -> int | None:
    """The fewest patients with which `power` is at least `chance`; None where no number is enough.

    Args:
        difference: See `power`.
        of: See there.
        seeds: See `power`.
        chance: Power, 0-1.
        level: See `power`.
    """

    def enough(groups: int) -> bool:
        return power(difference, of, groups, seeds, level) >= chance

    if not enough(_MOST_GROUPS):
        return None
    low, high = 1, _MOST_GROUPS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _beyond(limit: float, shift: float, freedom: float) -> float:
    """The chance that (Z + shift) / sqrt(V / freedom) lies beyond ± limit; Z normal, V chi-squared."""
    if not math.isfinite(freedom) or freedom > 1e5:
        return float(_normal(np.array([shift - limit, -shift - limit])).sum())
    # Over u = sqrt(V / freedom), where nearly all of it lies.
    spread = 1 / math.sqrt(2 * freedom)
    u = np.linspace(max(1e-9, 1 - 12 * spread), 1 + 12 * spread, _CELLS)
    log_density = (freedom - 1) * np.log(u) - freedom * u * u / 2
    weights = np.exp(log_density - log_density.max())
    inside = _normal(shift - limit * u) + _normal(-shift - limit * u)
    return float((inside * weights).sum() / weights.sum())


def _normal(x: Floats) -> Floats:
    """The normal distribution's share below each."""
    found: Floats = torch.special.ndtr(torch.from_numpy(x)).numpy()
    return found


def _limit(level: float, freedom: float) -> float:
    """Beyond which Student's t lies with the chance `level`, both sides together."""
    low, high = 0.0, 1e4
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _beyond(middle, 0.0, freedom) > level else (low, middle)
    return high


def pseudo_values(predicted: Predicted, name: str) -> Floats:
    """float64 (G,): each patient's part in a measure, in the order of their names (the jackknife's).

    Args:
        predicted: Of one network.
        name: One of `training.ablation.measures.MEASURES`.
    """
    without = GroupDraws(predicted.groups, draws=0)
    count = without.count
    without.weights = (1 - np.eye(count)).astype(np.float32)
    values = measured(predicted, without)[name]
    parts: Floats = count * values[0] - (count - 1) * values[1:]
    return parts


def table_of(new: Mapping[int, Predicted], old: Mapping[int, Predicted], name: str) -> Floats:
    """float64 (S, G): differences of two networks, by the seeds that both have and by patient.

    Args:
        new: By seed; all on the same frames.
        old: See `new`.
        name: See `pseudo_values`.
    """
    shared = sorted(set(new) & set(old))
    return np.stack([pseudo_values(new[seed], name) - pseudo_values(old[seed], name) for seed in shared])
