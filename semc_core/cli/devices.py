"""`semc devices`: the cameras and capture cards of this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from semc_core.cli.options import AsJson, print_json
from semc_core.cli.tree import Commands

app = Commands()


@app.add()
def devices(
    no_probe: Annotated[
        bool,
        typer.Option(
            "--no-probe",
            help="do not open the devices to learn what they offer (opening one may light its lamp)",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Print the table. Returns 0, also when there is no device."""
    from semc_core.sources.camera import list_devices

    found = list_devices(probe=not no_probe)
    if as_json:
        print_json([{**asdict(device), "open": f"camera:{device.index}"} for device in found])
        return 0
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not found:
        console.print("No camera or capture card was found. Plug one in and try again.")
        return 0
    table = Table("Index", "Name", "Gives unless asked otherwise", "Open it with")
    for device in found:
        offers = device.offers or ("not tried" if no_probe else "cannot be opened")
        table.add_row(str(device.index), device.name or "(no name)", offers, f"camera:{device.index}")
    console.print(table)
    return 0
