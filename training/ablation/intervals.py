"""Intervals of an ablation's measures over patients and seeds, by the bootstrap of `evaluation.nested`.

Its tables show what the bootstrap draws; that this is too little of few seeds is made up for in the first
line, which goes by Student's t (`ablation.power`).

Shapes: D draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semc_core.groups.bootstrap import GroupDraws
from training.ablation.measures import MEASURES, Predicted, measured
from training.evaluation.nested import Measured, Nested, difference_of, mean_of


def measured_by_seed(predicted: Mapping[int, Predicted], draws: int) -> Measured:
    """Every measure of one network for each seed; all networks of a benchmark have the same draws."""
    return {seed: measured(each, GroupDraws(each.groups, draws, seed=1)) for seed, each in predicted.items()}


def own(of: Measured, name: str, groups: int) -> Nested:
    """One measure of a network."""
    return mean_of(of, name, groups, stretch=False)


def difference(new: Measured, old: Measured, name: str, groups: int) -> Nested | None:
    """How much greater a measure of `new` is, by seed and patient; None without a common seed."""
    return difference_of(new, old, name, groups, stretch=False)


def differences(new: Measured, old: Measured, groups: int) -> dict[str, Any] | None:
    """`difference` in every measure, as plain values."""
    found = {name: difference(new, old, name, groups) for name in MEASURES}
    return None if None in found.values() else {k: v.as_json() for k, v in found.items() if v is not None}
