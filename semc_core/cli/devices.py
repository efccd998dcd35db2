"""`semc devices`: the cameras and capture cards of this machine."""

from __future__ import annotations

import argparse

HELP = "List the cameras and capture cards of this machine."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `semc devices`."""
    parser.add_argument(
        "--no-probe",
        action="store_true",
        help="do not open the devices to learn what they offer (opening one may light its lamp)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table. Returns 0, also when there is no device."""
    from rich.console import Console
    from rich.table import Table

    from semc_core.sources.camera import list_devices

    found = list_devices(probe=not args.no_probe)
    console = Console()
    if not found:
        console.print("No camera or capture card was found. Plug one in and try again.")
        return 0
    table = Table("Index", "Name", "Gives unless asked otherwise", "Open it with")
    for device in found:
        offers = device.offers or ("not tried" if args.no_probe else "cannot be opened")
        table.add_row(str(device.index), device.name or "(no name)", offers, f"camera:{device.index}")
    console.print(table)
    return 0
