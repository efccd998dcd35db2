"""How many patients, seeds and steps an ablation needs, from the results of a small one.

    PYTHONPATH=. python docs/benchmarks/power.py OUT [OUT ...] [--difference 1.0] [--chance 80]

Each OUT is a folder of `semc ablate`, with two seeds or more; several of them differ in their steps. Printed
are, for each, the variance components of what its tables claim, and the patients that are needed with so many
seeds. `training.ablation.power` does it with components of your own.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from semc_core.text import counted
from training.ablation.measures import MEASURES, Predicted
from training.ablation.power import Components, cautious, components, groups_needed, pooled, table_of
from training.ablation.variants import TABLES, VARIANTS

_SEEDS: Final = (3, 5, 8, 10, 15, 20, 30, 50)

Told = dict[str, dict[int, Predicted]]


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path, nargs="+")
    parser.add_argument("--difference", type=float, default=1.0, help="in points")
    parser.add_argument("--chance", type=float, default=80.0, help="power in per cent")
    parser.add_argument("--measure", choices=list(MEASURES), default="f1_at_thresholds")
    args = parser.parse_args()
    for out in args.out:
        steps, told = read(out)
        print(f"{out.name}: {steps} steps")
        tables = claimed(told, args.measure)
        if not tables:
            print("  nothing to compare: two networks with two seeds each are needed")
            continue
        for what, table in tables.items():
            print(f"  {what}: {in_points(components(table))}; mean {100 * table.mean():+.2f}")
        for name, estimate in (("as estimated", components), ("with the seeds' upper 80 % limit", cautious)):
            whole = pooled([estimate(table) for table in tables.values()])
            print(f"  mean of these, {name}: {in_points(whole)}")
            for seeds in _SEEDS:
                needed = groups_needed(args.difference / 100, whole, seeds, args.chance / 100)
                told_of = "no number of patients is enough" if needed is None else counted(needed, "patient")
                print(f"  {seeds:5} seeds: {told_of}")


def read(out: Path) -> tuple[int, Told]:
    """Steps, and what every network says, by variant and seed."""
    folds: dict[tuple[str, int], list[dict[str, Any]]] = {}
    steps = 0
    for path in sorted((out / "runs").glob("*.json")):
        result = json.loads(path.read_bytes())
        folds.setdefault((result["variant"], result["seed"]), []).append(result["predictions"])
        steps = result["steps"]
    told: Told = {}
    for (name, seed), each in folds.items():
        for variant in VARIANTS.values():
            if variant.trained == name:
                predicted = Predicted.of(each, bool(variant.best_expert_of))
                if predicted is not None:
                    told.setdefault(variant.name, {})[seed] = predicted
    return steps, told


def claimed(told: Told, measure: str) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """For each claim of the tables that can be judged, the differences by seed and patient."""
    found = {}
    for table in TABLES.values():
        for claim in table.claims:
            new, old = told.get(claim.new, {}), told.get(claim.old, {})
            if len(set(new) & set(old)) >= 2:
                found[claim.what] = table_of(new, old, measure)
    return found


def in_points(of: Components) -> str:
    """Standard deviations, in points."""
    parts = {"patients": of.patients, "seeds": of.seeds, "rest": of.rest}
    return ", ".join(f"{name} {100 * math.sqrt(value):.2f}" for name, value in parts.items())


if __name__ == "__main__":
    main()
