"""What a model file holds: as plain values, and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semc_core.io.documents import plain_values
from semc_core.model.spec import Architecture


def describe(path: Path) -> dict[str, Any]:
    """Everything about a model file as plain JSON values; the whole file is checked.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
    """
    from semc_core.model.architecture import gflop, parameter_count
    from semc_core.model.file import NOVELTY, VERIFY, read_model

    spec, arrays = read_model(path)
    size = spec.preprocessing.height, spec.preprocessing.width
    plain = plain_values(spec)
    if spec.architecture.kind == "sononet":
        plain["architecture"] = {
            n: plain["architecture"][n] for n in ("kind", "preset", "width", "in_channels")
        }
    return {
        "file": path.name,
        "size_mb": round(path.stat().st_size / 1e6, 2),
        "parameters": parameter_count(spec.architecture, len(spec.classes)),
        "gflop_per_frame": round(gflop(spec.architecture, len(spec.classes), *size), 3),
        "gate": _gate_in_words(spec.architecture),
        "novelty": NOVELTY[0] in arrays,
        "can_be_verified": VERIFY[0] in arrays,
        **plain,
    }


def _gate_in_words(architecture: Architecture) -> str:
    if architecture.kind == "sononet":
        return "none, one network"
    if architecture.routing == "top1":
        return "on the features before the experts, chooses one of them"
    if architecture.gate_input == "mean":
        return "none yet, every expert counts the same (fit one with semc model fit-gate)"
    return f"on the {architecture.gate_input} features"


def print_table(described: Mapping[str, Any]) -> None:
    """On screen, a row for each value."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=str(described["file"]), show_header=False)
    table.add_column("what", style="bold", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value in described.items():
        if name != "file":
            _add_rows(table.add_row, name, value)
    Console().print(table, markup=False)


def _add_rows(add_row: Any, name: str, value: Any) -> None:
    """One row per plain value; a group becomes one row per member."""
    if isinstance(value, dict):
        for inner, held in value.items():
            _add_rows(add_row, f"{name}.{inner}", held)
    elif isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        add_row(_escaped(name), _escaped(", ".join(_rounded(item) for item in value)))
    else:
        add_row(_escaped(name), _escaped("-" if value == "" else _rounded(value)))


def _rounded(value: Any) -> str:
    """Four digits say all that a metric or a temperature means; JSON has the rest."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _escaped(value: Any) -> str:
    """Text from a file must not be taken for rich's markup."""
    from semc_core.cli.shared.shown import escape

    return escape(str(value))
