"""The table of `semc bench network`, on screen and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from semc_core.cli.bench.network import Row

_COLUMNS: Final[tuple[tuple[str, Callable[[Row], str]], ...]] = (
    ("p50", lambda row: _digits(row.p50_ms)),
    ("p95", lambda row: _digits(row.p95_ms)),
    ("per s", lambda row: _digits(row.frames_per_s)),
    ("ratio", lambda row: _digits(row.ratio)),
    ("peak", lambda row: _percent(row.share_of_peak)),
    ("off by", lambda row: "-" if row.difference is None else f"{row.difference:.0e}"),
    ("same", lambda row: _percent(row.same_class, 1)),
    ("of", lambda row: str(row.frames)),
)

NOTE: Final = (
    "One frame at a time, with the copies to and from the device; p50 and p95 in milliseconds. Ratio: how "
    "many times as fast as eager float32 PyTorch. Peak: share of the fastest matrix product or convolution "
    "in the same precision in the same run. Off by: largest difference of a probability from eager float32; "
    "same: how often the most probable class is the same, of so many frames of simulated patients. semc_live "
    "is the shipped model. The others have random weights, with classifiers that make much of the small "
    "differences between their features, and int8 from the ranges of four frames alone: they tell the speed."
)


def print_table(machine: Mapping[str, str], rows: Sequence[Row]) -> None:
    """On screen, a table for each network; the machine above them."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for name, words in machine.items():
        console.print(f"{name}: {words}", markup=False, highlight=False)
    console.print(NOTE, markup=False, highlight=False)
    for network, group in groupby(rows, _network):
        table = Table(title=network, title_justify="left")
        table.add_column("runtime, precision")
        for name, _ in _COLUMNS:
            table.add_column(name, justify="right", no_wrap=True)
        for row in group:
            table.add_row(f"{row.runtime}, {row.precision}", *_cells(row))
        console.print(table)
    for remark in _remarks(rows):
        console.print(remark, markup=False, highlight=False)


def as_markdown(machine: Mapping[str, str], rows: Sequence[Row]) -> str:
    """To be put into a document; the machine above it."""
    lines = ["; ".join(f"{name}: {words}" for name, words in machine.items()) + ".", "", NOTE, ""]
    names = ["network", "runtime", "precision", *(name for name, _ in _COLUMNS)]
    lines.append("| " + " | ".join(names) + " |")
    lines.append("|---|---|---|" + "---:|" * len(_COLUMNS))
    for row in rows:
        lines.append("| " + " | ".join([_network(row), row.runtime, row.precision, *_cells(row)]) + " |")
    remarks = _remarks(rows)
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines) + "\n"


def _network(row: Row) -> str:
    return f"{row.preset} {row.height}x{row.width}, {row.gflop:.3g} GFLOP"


def _cells(row: Row) -> list[str]:
    if row.p50_ms is None:
        return ["none"] + ["-"] * (len(_COLUMNS) - 1)
    return [make(row) for _, make in _COLUMNS]


def _remarks(rows: Sequence[Row]) -> list[str]:
    """Each once, with the rows it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        if row.remark:
            about.setdefault(row.remark, []).append(f"{row.preset} {row.runtime} {row.precision}")
    return [f"{', '.join(names)}: {remark}" for remark, names in about.items()]


def _digits(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _percent(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}%}"
