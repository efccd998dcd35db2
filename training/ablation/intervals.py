"""Intervals over patients and seeds together: what would come out with other patients and other seeds.

A nested bootstrap: in each draw the seeds are drawn again, and the patients, the same ones for all seeds and
for both networks of a difference. Patients are drawn whole.

Shapes: S seeds, D draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from semc_core.groups.bootstrap import Floats, GroupDraws
from training.ablation.measures import MEASURES, Predicted, measured

_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Nested:
    """A mean over seeds.

    Attributes:
        mean: Over the seeds, on the patients as they are.
        low: Lower end of the 95 % interval over patients and seeds; None of fewer than two patients. With one
            seed it is over patients alone.
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


Measured = Mapping[int, Mapping[str, Floats]]
"""By seed and measure: float64 (1 + D,), as `measures.measured` gives it."""


def measured_by_seed(predicted: Mapping[int, Predicted], draws: int) -> Measured:
    """Every measure of one network for each seed; all networks of a benchmark have the same draws."""
    return {seed: measured(each, GroupDraws(each.groups, draws, seed=1)) for seed, each in predicted.items()}


def nested(values: Sequence[Floats], groups: int) -> Nested:
    """The mean over seeds, with its interval.

    Args:
        values: Of each seed float64 (1 + D,): of all patients, then of every draw of them.
        groups: Patients.
    """
    table = np.stack(values)  # (S, 1 + D)
    seeds, draws = len(table), table.shape[1] - 1
    mean = float(table[:, 0].mean())
    if groups < 2 or draws == 0:
        return Nested(mean, None, None, seeds)
    chosen = np.random.default_rng([seeds, draws]).integers(0, seeds, (draws, seeds))
    drawn = table[chosen, 1 + np.arange(draws)[:, None]].mean(axis=1)
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(mean) or len(known) < draws / 2:
        return Nested(mean, None, None, seeds)
    low, high = np.percentile(known, _TAILS)
    return Nested(mean, float(low), float(high), seeds)


def own(of: Measured, name: str, groups: int) -> Nested:
    """One measure of a network."""
    return nested([of[seed][name] for seed in sorted(of)], groups)


def difference(new: Measured, old: Measured, name: str, groups: int) -> Nested | None:
    """How much greater a measure of `new` is, by seed and patient; None without a common seed."""
    shared = sorted(set(new) & set(old))
    return nested([new[seed][name] - old[seed][name] for seed in shared], groups) if shared else None


def differences(new: Measured, old: Measured, groups: int) -> dict[str, Any] | None:
    """`difference` in every measure, as plain values."""
    found = {name: difference(new, old, name, groups) for name in MEASURES}
    return None if None in found.values() else {k: v.as_json() for k, v in found.items() if v is not None}
