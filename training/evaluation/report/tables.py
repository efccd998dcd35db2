"""An evaluation in the terminal."""

from __future__ import annotations

from rich.table import Table

from semc_core.text import counted
from training.evaluation.bootstrap import Estimate
from training.evaluation.result import Alarms, Part, Result


def result_tables(result: Result) -> list[Table]:
    """In all, per class, per source and kind, where no plane is."""
    found = [_overall(result), _classes(result)]
    if len(result.by_source) > 1:
        found.append(_parts("source", result.by_source))
    if result.by_kind:
        found.append(_parts("kind", result.by_kind))
    if result.alarms:
        found.append(alarm_table(result.alarms))
    return found


def _overall(result: Result) -> Table:
    title = f"{counted(result.frames, 'frame')}, {counted(result.groups, 'group')}"
    table = Table("measure", "value", "95 % interval", title=title)
    rows: list[tuple[str, Estimate]] = [
        ("accuracy", result.scores.accuracy),
        ("precision, mean of classes", result.scores.precision),
        ("recall, mean of classes", result.scores.recall),
        ("F1, mean of classes", result.scores.f1),
        ("AUROC, mean of classes", result.scores.auroc),
    ]
    if result.reliability_before is not None:
        rows.append(("calibration error before", result.reliability_before.error))
    rows += [
        ("calibration error as shown", result.reliability.error),
        ("planes found at the threshold", result.point.found),
        ("of these right", result.point.precision),
        ("called a plane without one", result.point.false_alarms),
    ]
    for name, estimate in rows:
        table.add_row(name, _value(estimate), _interval(estimate))
    return table


def _classes(result: Result) -> Table:
    table = Table("class", "frames", "called", "precision", "recall", "F1", "F1, 95 %", "AUROC")
    for own in result.per_class:
        values = (
            _value(own.precision),
            _value(own.recall),
            _value(own.f1),
            _interval(own.f1),
            _value(own.auroc),
        )
        table.add_row(own.name, str(own.frames), str(own.called), *values)
    return table


def _parts(first: str, parts: tuple[Part, ...]) -> Table:
    table = Table(
        first, "frames", "groups", "accuracy", "95 % interval", "F1", "calibration error", "called a plane"
    )
    for part in parts:
        values = (part.accuracy, part.f1, part.calibration_error, part.called_a_plane)
        accuracy, *others = (_value(each) for each in values)
        counts = (str(part.frames), str(part.groups))
        table.add_row(part.name, *counts, accuracy, _interval(part.accuracy), *others)
    return table


def alarm_table(alarms: tuple[Alarms, ...]) -> Table:
    """What was found where no plane is."""
    table = Table(
        "no planes in", "frames", "called a plane", "reach the threshold", "minutes", "saved", "per minute"
    )
    for own in alarms:
        shares = [f"{count / own.frames:.2%}" for count in (own.called, own.above_threshold)]
        saved = ["-", "-", "-"]
        if own.saved_per_minute is not None:
            saved = [f"{own.minutes:.1f}", str(own.saved), f"{own.saved_per_minute:.2f}"]
        table.add_row(own.name, str(own.frames), *shares, *saved)
    return table


def _value(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def _interval(estimate: Estimate) -> str:
    return "-" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"
