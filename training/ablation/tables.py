"""What an ablation found, as tables with means and intervals: JSON for programs, Markdown for people."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from semc_core.groups.bootstrap import DRAWS
from semc_core.text import counted
from training.ablation.intervals import differences, measured_by_seed, own
from training.ablation.measures import MEASURES, Predicted, beside_planes
from training.ablation.power import interval, table_of
from training.ablation.runs import Results
from training.ablation.variants import TABLES, VARIANTS, Table, Variant
from training.benchmark import Benchmark
from training.data.splits import Split, parse_patients
from training.evaluation.nested import Measured

SHOWN: Final = ("accuracy", "precision", "recall", "f1")
_DECIDES: Final = {False: "f1_at_thresholds", True: "auroc"}
"""The measure by which a part is said to help: on simulated patients, and on real ones, who are few."""

_COMPARED: Final = ("auroc", "f1_at_thresholds")

_TITLES: Final = {"parts": "table", "alpha": "figure"}
"""Tables that stand in the summary under a name of their own, too."""


class _Found:
    """The results, with what is measured of each variant."""

    def __init__(self, results: Results, draws: int, decides: str) -> None:
        self.results = results
        self._decides = decides
        self._draws = draws
        self._predicted: dict[str, dict[int, Predicted]] = {}
        self._measured: dict[str, Measured] = {}
        for name, variant in VARIANTS.items():
            found = {
                seed: Predicted.of([fold["predictions"] for fold in folds], bool(variant.best_expert_of))
                for seed, folds in results.get(variant.trained, {}).items()
            }
            known = {seed: each for seed, each in found.items() if each is not None}
            if known:
                self._predicted[name] = known

    @property
    def names(self) -> set[str]:
        """Variants that there is something of."""
        return set(self._predicted)

    @property
    def groups(self) -> int:
        """Patients that are tested on."""
        each = next(iter(next(iter(self._predicted.values())).values()))
        return len(set(each.groups))

    def measured(self, name: str) -> Measured:
        """See `measured_by_seed`; done once."""
        if name not in self._measured:
            self._measured[name] = measured_by_seed(self._predicted[name], self._draws)
        return self._measured[name]

    def tested(self, new: str, old: str) -> dict[str, Any] | None:
        """The interval of the difference that decides, by `power.interval`; None of one seed or patient."""
        one, other = self._predicted[new], self._predicted[old]
        if len(set(one) & set(other)) < 2 or self.groups < 2:
            return None
        low, high = interval(table_of(one, other, self._decides))
        return {"measure": self._decides, "low": low, "high": high}

    def beside(self, name: str) -> dict[str, Any]:
        """See `beside_planes`: mean and spread over the seeds."""
        of_seeds = [beside_planes(each) for each in self._predicted[name].values()]
        return {off: spread([each[off] for each in of_seeds]) for off in of_seeds[0]}

    def spreads(self, variant: Variant) -> dict[str, Any]:
        """Of the trainings themselves: alpha, and what is measured where the surest class is called."""
        folds = [folds for _, folds in sorted(self.results[variant.trained].items())]
        told = {"alpha": spread([statistics.fmean(f["alpha_mean"][-1] for f in each) for each in folds])}
        if variant.best_expert_of:
            return told | dict.fromkeys(SHOWN)
        shown = {
            name: spread([statistics.fmean(f["test"][name] for f in each) for each in folds])
            for name in SHOWN
        }
        return told | shown


def summary(
    benchmark: Benchmark, results: Results, machine: Mapping[str, str], draws: int = DRAWS
) -> dict[str, Any]:
    """Mean, spread and interval of every variant, and its difference to the first of its table.

    A difference is taken seed by seed and patient by patient, since runs of one seed see the same frames in
    the same order, and all runs are judged on the same patients.

    Args:
        benchmark: See there.
        results: As `train_one` gives them; any may be missing.
        machine: Names and versions, for the record.
        draws: Of the bootstrap; with 0 there are no intervals, which take a while.

    Returns:
        Plain JSON values.
    """
    decides = _DECIDES[benchmark.left_out is not None]
    found = _Found(results, draws, decides)
    tables = {name: _rows(table, found) for name, table in TABLES.items()}
    claims = [
        {
            "table": name,
            "what": claim.what,
            "new": claim.new,
            "old": claim.old,
            "differences": between,
            "test": found.tested(claim.new, claim.old) if draws else None,
        }
        for name, table in TABLES.items()
        for claim in table.claims
        if {claim.new, claim.old} <= found.names
        and (between := _between(found, claim.new, claim.old)) is not None
    ]
    runs = [fold for seeds in results.values() for seed in sorted(seeds) for fold in seeds[seed]]
    return {
        "headline": headline(claims, decides),
        "decides": decides,
        "benchmark": benchmark.facts() | {"digest": benchmark.digest()},
        "machine": dict(machine),
        "judged_on": "test patients, frames that are clearly standard or clearly not",
        "patients": found.groups if found.names else 0,
        **{key: tables[name] for name, key in _TITLES.items()},
        "tables": tables,
        "claims": claims,
        "runs": [{name: value for name, value in run.items() if name != "predictions"} for run in runs],
    }


def _rows(table: Table, found: _Found) -> list[dict[str, Any]]:
    return [_row(VARIANTS[name], table, found) for name in table.rows if name in found.names]


def _row(variant: Variant, table: Table, found: _Found) -> dict[str, Any]:
    of, base = found.measured(variant.name), table.base
    against = None
    if variant.name != base and base in found.names:
        against = _between(found, variant.name, base)
    return {
        "variant": variant.name,
        "title": dict(table.titles).get(variant.name, variant.title),
        "seeds": sorted(of),
        **found.spreads(variant),
        **{name: own(of, name, found.groups).as_json() for name in MEASURES},
        "beside": found.beside(variant.name),
        "f1_difference": _argmax_difference(variant, base, found.results),
        "differences": None if against is None else against | {"to": base},
    }


def _between(found: _Found, new: str, old: str) -> dict[str, Any] | None:
    return differences(found.measured(new), found.measured(old), found.groups)


def _argmax_difference(variant: Variant, base: str, results: Results) -> dict[str, Any] | None:
    """Of F1 where the surest class is called, seed by seed."""
    new, old = results[variant.trained], results.get(base, {})
    shared = sorted(set(new) & set(old))
    if variant.name == base or variant.best_expert_of or not shared:
        return None
    f1s = [[statistics.fmean(f["test"]["f1"] for f in of[seed]) for of in (new, old)] for seed in shared]
    return spread([own - other for own, other in f1s]) | {"to": base}


def headline(claims: Iterable[Mapping[str, Any]], decides: str) -> str:
    """First what was not shown to help, then what harms, then what helps.

    By the test of `power`, since bootstrap intervals of few seeds are too short; of one seed by those.

    Args:
        claims: As `summary` has them.
        decides: One of `MEASURES`.
    """
    groups: dict[str, list[str]] = {"none": [], "helps": [], "harms": []}
    for claim in claims:
        of = claim["differences"][decides] | (claim["test"] or {})
        kind = "none"
        if of["low"] is not None:
            kind = "helps" if of["low"] > 0 else "harms" if of["high"] < 0 else "none"
        groups[kind].append(f"{claim['what']} {_signed(of)}")
    starts = {"none": "Not shown to help", "harms": "Harms", "helps": "Helps"}
    said = [f"{start}: {'; '.join(groups[kind])}." for kind, start in starts.items() if groups[kind]]
    return " ".join(said) if said else "Nothing is compared yet."


def _signed(of: Mapping[str, Any]) -> str:
    """Points with their interval."""
    if of["mean"] is None:
        return "not defined"
    value = f"{100 * of['mean']:+.1f}"
    if of["low"] is None:
        return value
    return f"{value} ({100 * of['low']:+.1f} to {100 * of['high']:+.1f})"


def spread(values: Sequence[float]) -> dict[str, Any]:
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
    lines = [
        found["headline"],
        "",
        f"# Ablation: {found['benchmark']['name']}",
        "",
        _told(found),
        "",
        "AUROC, AP (average precision) and F1 are means over the classes, each against all others; F1 at "
        "thresholds that were chosen on the validation patients; ECE is the calibration error. Means over "
        "the seeds, in per cent, differences in points; in brackets the 95 % interval over patients and "
        "seeds together, paired in both (bootstrap). The first line goes by "
        f"{MEASURES[found['decides']]} and by Student's t over patients and seeds: bootstrap intervals of "
        "few seeds are too short.",
    ]
    for name, rows in found["tables"].items():
        if len(rows) > (1 if name != "parts" else 0):
            lines += ["", f"## {TABLES[name].title}", "", *_table(TABLES[name], rows)]
    machine = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    return "\n".join([*lines, "", f"Machine: {machine}."]) + "\n"


def _told(found: Mapping[str, Any]) -> str:
    b = found["benchmark"]
    training = (
        f"Preset {b['preset']}, {b['steps']} steps of {b['batch']} frames, learning rate {b['rate']:g}. "
    )
    if b.get("left_out"):
        tested = counted(found["patients"], "patient")
        names = ", ".join(b["left_out"]["sources"])
        return f"{training}Each of {names} is tested by networks that learned from the others: {tested}."
    learned = len(parse_patients(b[Split.TRAIN.value]))
    return (
        f"{training}Trained on {learned} simulated patients ({b['train']}), tested on {found['patients']} "
        f"others ({b['test']}), on the frames that are clearly standard or clearly not."
    )


def _table(table: Table, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    offs = list(rows[0]["beside"])
    base = next((row["title"] for row in rows if row["variant"] == table.base), table.base)
    heads = ["", "seeds", *(["alpha at the end"] if table.alpha else []), *MEASURES.values()]
    heads += [f"AUROC at {off} off" for off in offs]
    heads += [f"{MEASURES[name]} against {base}" for name in _COMPARED]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row["title"], str(len(row["seeds"]))]
        cells += [f"{row['alpha']['mean']:.2f}"] if table.alpha else []
        cells += [_percent(row[name]) for name in MEASURES]
        cells += [f"{100 * row['beside'][off]['mean']:.1f}" for off in offs]
        against = row["differences"]
        cells += ["-" if against is None else _signed(against[name]) for name in _COMPARED]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _percent(of: Mapping[str, Any]) -> str:
    if of["mean"] is None:
        return "-"
    value = f"{100 * of['mean']:.1f}"
    return value if of["low"] is None else f"{value} ({100 * of['low']:.1f} to {100 * of['high']:.1f})"
