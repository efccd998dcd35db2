"""`semc model info FILE`: what a model file says of itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from semc_core.paths import DEFAULT_MODEL

HELP = "Show what a model file holds."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`info` with its file and form of output."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser("info", help=HELP, description=HELP)
    info.add_argument("file", type=Path, nargs="?", default=DEFAULT_MODEL, help="default: the shipped model")
    info.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Print the description. Raises ModelFileError if there is no usable model file."""
    described = describe(args.file)
    if args.json:
        print(json.dumps(described, indent=2))
    else:
        _print_table(described)
    return 0


def describe(path: Path) -> dict[str, Any]:
    """Everything about a model file as plain JSON values; the whole file is checked.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
    """
    import torch

    from semc_core.model.file import NOVELTY, read_model
    from semc_core.model.network import SemcNetwork, gflop, parameter_count

    spec, arrays = read_model(path)
    # On "meta" nothing is allocated or computed, only counted.
    with torch.device("meta"):
        network = SemcNetwork(spec.architecture, len(spec.classes))
    plain: dict[str, Any] = json.loads(json.dumps(asdict(spec)))
    return {
        "file": path.name,
        "size_mb": round(path.stat().st_size / 1e6, 2),
        "parameters": parameter_count(network),
        "gflop_per_frame": round(gflop(network, spec.preprocessing.height, spec.preprocessing.width), 3),
        "novelty": NOVELTY[0] in arrays,
        **plain,
    }


def _print_table(described: Mapping[str, Any]) -> None:
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
        add_row(_escaped(name), _escaped(", ".join(str(item) for item in value)))
    else:
        add_row(_escaped(name), _escaped("-" if value == "" else value))


def _escaped(value: Any) -> str:
    """Text from a file must not be taken for rich's markup."""
    from rich.markup import escape

    return escape(str(value))
