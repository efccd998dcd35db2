"""What an ablation found, as tables with mean and spread: JSON for programs, Markdown for people."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from training.ablation import FIGURE, TABLE, VARIANTS, Variant
from training.benchmark import Benchmark
from training.data.splits import Split

SHOWN: Final = ("accuracy", "precision", "recall", "f1")
_BASES: Final = {"table": "plain", "figure": "all"}
_LEARNED: Final = VARIANTS["all"]

Results = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""By variant and seed."""


def summary(benchmark: Benchmark, results: Results, machine: Mapping[str, str]) -> dict[str, Any]:
    """Mean and spread of every variant, and its difference to the plain network or the learned alpha.

    A difference is taken seed by seed, since runs of one seed see the same frames in the same order.

    Args:
        benchmark: See there.
        results: As `ablate.train_one` gives them; any may be missing.
        machine: Names and versions, for the record.

    Returns:
        Plain JSON values.
    """
    return {
        "benchmark": benchmark.facts() | {"digest": benchmark.digest()},
        "machine": dict(machine),
        "judged_on": "test patients, frames that are clearly standard or clearly not",
        "table": [_row(each, results, _BASES["table"]) for each in TABLE if results.get(each.name)],
        "figure": [_row(each, results, _BASES["figure"]) for each in FIGURE if results.get(each.name)]
        + ([_row(_LEARNED, results, _BASES["figure"])] if results.get("all") else []),
        "runs": [results[name][seed] for name in VARIANTS for seed in sorted(results.get(name, {}))],
    }


def _row(variant: Variant, results: Results, base: str) -> dict[str, Any]:
    own, others = results[variant.name], results.get(base, {})
    shared = sorted(set(own) & set(others))
    return {
        "variant": variant.name,
        "title": variant.title,
        "seeds": sorted(own),
        "alpha": _spread([own[seed]["alpha_mean"][-1] for seed in sorted(own)]),
        **{name: _spread([own[seed]["test"][name] for seed in sorted(own)]) for name in SHOWN},
        "f1_difference": None
        if variant.name == base or not shared
        else _spread([own[seed]["test"]["f1"] - others[seed]["test"]["f1"] for seed in shared])
        | {"to": base},
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, sample standard deviation (null of one value), least and greatest."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "least": min(values),
        "greatest": max(values),
        "count": len(values),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The tables of `summary` for people, in per cent."""
    b = found["benchmark"]
    counts = [len(_patients(b, split)) for split in Split]
    lines = [
        f"# Ablation: {b['name']}",
        "",
        f"Preset {b['preset']}, {b['steps']} steps of {b['batch']} frames, learning rate {b['rate']:g}. "
        f"Trained on {counts[0]} simulated patients ({b['train']}), tested on {counts[2]} others "
        f"({b['test']}), on the frames that are clearly standard or clearly not. "
        "Mean and standard deviation over the seeds, "
        "in per cent; differences in points, seed by seed.",
        "",
        "## ACE, SAMC and L_mc (table 4 of the paper)",
        "",
        *_table(found["table"], "F1 against plain"),
        "",
        "## Alpha, fixed and learned (figure 3 of the paper)",
        "",
        *_table(found["figure"], "F1 against learned", alpha=True),
        "",
        "Machine: " + ", ".join(f"{name} {value}" for name, value in found["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _patients(benchmark: Mapping[str, Any], split: Split) -> range:
    first, last = str(benchmark[split.value]).split(":")
    return range(int(first), int(last))


def _table(rows: Sequence[Mapping[str, Any]], against: str, alpha: bool = False) -> list[str]:
    heads = [
        "",
        "seeds",
        *(["alpha at the end"] if alpha else []),
        "accuracy",
        "precision",
        "recall",
        "F1",
        against,
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row["title"], str(len(row["seeds"]))]
        cells += [f"{row['alpha']['mean']:.2f}"] if alpha else []
        cells += [_percent(row[name]) for name in SHOWN]
        cells.append("-" if row["f1_difference"] is None else _percent(row["f1_difference"], sign="+"))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _percent(spread: Mapping[str, Any], sign: str = "") -> str:
    std = "" if spread["std"] is None else f" ± {100 * spread['std']:.1f}"
    return f"{100 * spread['mean']:{sign}.1f}{std}"
