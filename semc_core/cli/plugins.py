"""`semc plugins`: what other packages add to the program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from typer import Option

from semc_core.cli.shared.options import AsJson, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SemcError
from semc_core.io.plugins import KINDS, Plugin, plugins

app = Commands()


@app.add()
def list_plugins(
    check: Annotated[
        bool, Option("--check", help="load each, which runs its code, and say what is wrong with it")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Print the table; without --check nothing of a plug-in is run. Returns 1 where one cannot be loaded."""
    found = [each for kind in KINDS for each in plugins(kind)]
    faults = {each: _fault(each) if check else "" for each in found}
    if as_json:
        print_json([{**asdict(each), "fault": faults[each]} for each in found])
    else:
        _print(found, faults)
    return 1 if any(faults.values()) else 0


def _fault(plugin: Plugin) -> str:
    try:
        plugin.load()
    except SemcError as error:
        return str(error)
    return ""


def _print(found: list[Plugin], faults: dict[Plugin, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    console = Console()
    if not found:
        console.print("No plug-in is installed.")
        return
    table = Table("Adds", "Name", "Package", "Code")
    for each in found:
        package = f"{each.package} {each.version}".strip()
        table.add_row(each.kind, escape(each.name), escape(package), escape(each.place))
    console.print(table)
    for fault in filter(None, faults.values()):
        console.print(fault, style="red", markup=False, highlight=False, soft_wrap=True)
