"""What is known of a data set, printed for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from semc_core.text import counted
from training.data.checks import Report, name_of
from training.data.enough import what_is_lacking
from training.data.index import SPLITS, DataIndex, Sample

_SHOWN: Final = 5
"""Examples of each kind of finding; the JSON report has all."""


def print_index(index: DataIndex, console: Console) -> None:
    """Classes, splits and groups."""
    title = f"{index.name}: {counted(len(index.samples), 'picture')}"
    table = Table("class", *SPLITS, "no split", "groups", title=title)
    for name, counts in index.counts().items():
        groups = {sample.group for sample in index.samples if sample.label == name}
        numbers = [counts.get(split, 0) for split in (*SPLITS, "")]
        table.add_row(name, *(str(number) if number else "-" for number in numbers), str(len(groups)))
    homes = {
        split: len({sample.group for sample in index.samples if sample.split == split})
        for split in (*SPLITS, "")
    }
    counts_of_groups = [str(homes[split]) if homes[split] else "-" for split in (*SPLITS, "")]
    table.add_row("groups", *counts_of_groups, str(len(index.groups)), style="dim")
    console.print(table)
    for note in index.notes:
        console.print(f"Note: {note}", markup=False, soft_wrap=True)


def print_report(report: Report, console: Console) -> None:
    """All that a check found, with examples."""
    print_index(report.index, console)
    sizes = [f"{width}x{height} ({count})" for (width, height), count in report.sizes.most_common(_SHOWN)]
    others = len(report.sizes) - _SHOWN
    more = f" and {counted(others, 'other size')}" if others > 0 else ""
    console.print(f"Sizes: {', '.join(sizes) or 'none'}{more}", markup=False, soft_wrap=True)
    _print_sets("have the same pixels", report.exact, console)
    _print_sets("of different groups look the same", report.near, console)
    _print_sets("have the same pixels and different labels", report.contradictions, console)
    if report.unreadable:
        console.print(f"Pictures that cannot be read: {len(report.unreadable)}", style="red")
        for _, problem in report.unreadable[:_SHOWN]:
            console.print(f"  {problem}", markup=False, soft_wrap=True)
    for leak in report.leaks:
        console.print(f"Leak: {leak}", style="red", markup=False, soft_wrap=True)
    lacking = what_is_lacking(report.index)
    if not report.ok:
        console.print("The data set must be mended before training.")
    elif lacking:
        console.print(f"It cannot be trained on yet. {lacking}", markup=False, soft_wrap=True)
    else:
        console.print("The data set may be trained on.")


def _print_sets(what: str, sets: Sequence[Sequence[Sample]], console: Console) -> None:
    if not sets:
        return
    pictures = f"{sum(len(each) for each in sets)} pictures"
    console.print(
        f"{pictures} {what}, in {len(sets)} sets, such as" if len(sets) > 1 else f"{pictures} {what}:"
    )
    for each in sets[:_SHOWN]:
        console.print(
            f"  {', '.join(name_of(sample) for sample in each[:_SHOWN])}", markup=False, soft_wrap=True
        )
