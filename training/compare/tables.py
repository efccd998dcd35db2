"""What a comparison found: plain values, tables for the terminal, and CSV.

Every measure is a mean over seeds, with the nested interval over patients and seeds; a difference is paired
by seed and patient.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from rich.table import Table

from semc_core.groups.bootstrap import DRAWS, Floats, GroupDraws
from semc_core.text import counted
from training.ablation.measures import Predicted, measured
from training.ablation.tables import headline
from training.compare.plan import Results, RunResult, mean_validation
from training.evaluation.metrics import measures
from training.evaluation.nested import Measured, difference_of, mean_of
from training.models import NETWORKS

PAPER: Final = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1"}
"""Of the surest class, precision to F1 means over the classes that frames are of; the paper's table."""

FURTHER: Final = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "f1_at_thresholds": "F1 at thresholds",
    "calibration_error": "ECE",
}
"""See `training.ablation.measures.MEASURES`."""

MEASURES: Final = PAPER | FURTHER
DECIDES: Final = "f1"
"""By this the methods are ranked on the validation patients, and by its difference they are told apart."""

FORMAT: Final = 1
_FEW: Final = 10
_SHARE: Final = (0.0, 1.0)
_DIFFERENCE: Final = (-1.0, 1.0)


def summary(
    methods: Sequence[str],
    results: Results,
    problems: Mapping[str, str],
    against: str,
    about: Mapping[str, Any],
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Mean and interval of every method in every measure, and its difference to one of them.

    Args:
        methods: That were asked for, in the order of the table.
        results: Of those that came through; any may be missing.
        problems: Why a method did not come through, by its name.
        against: The method that the others are held against; "best" is that with the best F1 on the
            validation patients.
        about: Further plain values for the document, such as the data, the choices and the machine.
        draws: Of the bootstrap; with 0 there are no intervals, which take a while.

    Returns:
        Plain JSON values.
    """
    means = {name: mean_validation(of) for name, of in results.items() if of}
    best = max(means, key=lambda name: means[name]) if means else None
    base = best if against == "best" else against
    found = {name: _measured(results[name], draws) for name in methods if name in means}
    groups = _groups(results)
    rows = [
        _row(name, results.get(name, {}), found, base, groups) | {"problem": problems.get(name)}
        for name in methods
    ]
    claims = [
        {"what": f"{row['method']} in place of {base}", "differences": row["differences"], "test": None}
        for row in rows
        if row["differences"] is not None
    ]
    missing = f"Nothing is compared: there is no result of {base}." if found and base not in found else ""
    return {
        "format": FORMAT,
        "headline": missing or headline(claims, DECIDES),
        "decides": DECIDES,
        "against": base,
        "best_on_validation": best,
        "test_patients": groups,
        "draws": draws,
        **about,
        "methods": rows,
    }


def _groups(results: Results) -> int:
    first = next((result for of in results.values() for result in of.values()), None)
    return 0 if first is None else len(set(first["group_of"]))


def _measured(of: Mapping[int, RunResult], draws: int) -> Measured:
    return {seed: measured_run(result, draws) for seed, result in of.items()}


def measured_run(result: RunResult, draws: int) -> dict[str, Floats]:
    """Each of `MEASURES`, float64 (1 + D,): of all test frames, then of every draw; NaN where not defined."""
    predicted = predicted_of(result)
    drawn = GroupDraws(predicted.groups, draws)
    count = predicted.probabilities.shape[1]
    cells = predicted.truth * count + predicted.probabilities.argmax(axis=1)
    matrices = np.concatenate(drawn.cells(cells, count * count)).reshape(-1, count, count)
    plain = measures(matrices)
    return {name: plain[name] for name in PAPER} | measured(predicted, drawn)


def predicted_of(result: RunResult) -> Predicted:
    """What a run says of the test frames."""
    truth = np.array(result["truth"], np.int64)
    probabilities = np.array(result["probabilities"], np.float64)
    called = probabilities >= np.array(result["thresholds"])
    groups = [str(number) for number in result["group_of"]]
    nowhere = np.full(len(truth), -1, np.int64)
    return Predicted(truth, probabilities, called, groups, nowhere, np.zeros(len(truth)))


def _row(
    name: str, of: Mapping[int, RunResult], found: Mapping[str, Measured], base: str | None, groups: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"method": name, "title": NETWORKS.get(name, name), "seeds": sorted(of)}
    if name not in found:
        empty = ("validation_f1", *MEASURES, "differences", "parameters", "milliseconds", "ran_on", "minutes")
        return row | dict.fromkeys(empty)
    own, results = found[name], list(of.values())
    differences = None
    if base is not None and base != name and base in found:
        differences = _differences(own, found[base], groups)
    return row | {
        "validation_f1": mean_validation(of),
        **{key: mean_of(own, key, groups, within=_SHARE).as_json() for key in MEASURES},
        "differences": differences,
        "parameters": results[0]["parameters"],
        "milliseconds": statistics.median(each["milliseconds"] for each in results),
        "ran_on": results[0]["ran_on"],
        "minutes": statistics.fmean(each["seconds"] for each in results) / 60,
    }


def _differences(new: Measured, old: Measured, groups: int) -> dict[str, Any] | None:
    """In every measure, by the seeds that both have; None where they have none."""
    found = {key: difference_of(new, old, key, groups, within=_DIFFERENCE) for key in MEASURES}
    known = {key: each.as_json() for key, each in found.items() if each is not None}
    return known or None


def tables(found: Mapping[str, Any]) -> list[Table]:
    """The paper's measures, the further ones, and the differences, in per cent and points."""
    rows: Sequence[Mapping[str, Any]] = found["methods"]
    done = [row for row in rows if row["seeds"]]
    made = []
    for title, names in (("As in the paper's table", PAPER), ("Further measures", FURTHER)):
        table = Table("method", "seeds", *names.values(), title=f"{title}, per cent")
        for row in done:
            table.add_row(row["method"], str(len(row["seeds"])), *(percent(row[name]) for name in names))
        made.append(table)
    apart = Table(
        "method",
        *(f"{MEASURES[name]}, points" for name in (DECIDES, "auroc")),
        "parameters",
        "ms a frame",
        "minutes to train",
        title=f"Against {found['against']}, paired, and what it costs",
    )
    for row in done:
        apart.add_row(
            row["method"],
            *(points(row["differences"], name) for name in (DECIDES, "auroc")),
            f"{row['parameters'] / 1e6:.2f} M",
            f"{row['milliseconds']:.1f}",
            f"{row['minutes']:.1f}",
        )
    return [*made, apart]


def percent(of: Mapping[str, Any] | None) -> str:
    """A mean with its interval below it."""
    if of is None or of["mean"] is None:
        return "-"
    value = f"{100 * of['mean']:.1f}"
    return value if of["low"] is None else f"{value}\n{100 * of['low']:.1f} to {100 * of['high']:.1f}"


def points(differences: Mapping[str, Any] | None, name: str) -> str:
    """A difference with its interval below it."""
    of = None if differences is None else differences[name]
    if of is None or of["mean"] is None:
        return "-"
    value = f"{100 * of['mean']:+.1f}"
    return value if of["low"] is None else f"{value}\n{100 * of['low']:+.1f} to {100 * of['high']:+.1f}"


def sentences(found: Mapping[str, Any]) -> list[str]:
    """What must be known to read the tables: what failed, what they are of, how the intervals are made."""
    rows = found["methods"]
    failed = [f"No result of {row['method']}: {row['problem']}" for row in rows if row["problem"]]
    others = sorted({row["ran_on"] for row in rows if row["ran_on"] and "OpenVINO" not in row["ran_on"]})
    by_torch = [row["method"] for row in rows if row["ran_on"] in others]
    fewest = min((len(row["seeds"]) for row in rows if row["seeds"]), default=0)
    patients = counted(found["test_patients"], "test patient or video", "test patients or videos")
    if 0 < found["test_patients"] < _FEW:
        failed.append(
            f"There are only {patients}; the intervals are too narrow with so few."
            if found["test_patients"] > 1
            else "All test frames are of one patient or video, so there are no intervals."
        )
    if fewest == 1:
        failed.append("With one seed the intervals say nothing of other seeds.")
    if by_torch:
        failed.append(f"OpenVINO cannot run {', '.join(by_torch)}: timed by PyTorch ({', '.join(others)}).")
    return [
        *failed,
        f"Means over the seeds, on {patients}; below each its 95 % interval over patients and seeds together "
        "(nested bootstrap, made wider for few seeds). Precision, recall, F1, AUROC and AP (average "
        "precision) are means over the classes that test frames are of; F1 at thresholds that were chosen on "
        "the validation patients; ECE is the calibration error of the probabilities as they are shown.",
        *found.get("notes", ()),
    ]


def as_csv(found: Mapping[str, Any]) -> str:
    """One line for each method, in shares (0-1), empty where something is not known."""
    ends = ("mean", "low", "high")
    names = [f"{key}_{end}" for key in MEASURES for end in ends]
    apart = [f"{key}_difference_{end}" for key in MEASURES for end in ends]
    costs = ("parameters", "milliseconds", "ran_on", "minutes", "validation_f1", "problem")
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["method", "seeds", *names, "difference_to", *apart, *costs])
    for row in found["methods"]:
        differences = row["differences"]
        table.writerow(
            [row["method"], " ".join(map(str, row["seeds"]))]
            + ["" if row[key] is None else _plain(row[key][end]) for key in MEASURES for end in ends]
            + [found["against"] if differences else ""]
            + [_plain(differences[key][end]) if differences else "" for key in MEASURES for end in ends]
            + [_plain(row[name]) for name in costs]
        )
    return text.getvalue()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
