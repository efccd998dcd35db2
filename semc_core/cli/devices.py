"""`semc devices`: the cameras and capture cards of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semc_core.cli.shared.options import AsJson, print_json
from semc_core.cli.shared.tree import Commands

if TYPE_CHECKING:
    from semc_core.sources.devices.base import CaptureDevice
    from semc_core.sources.devices.modes import Mode
    from semc_core.sources.devices.true_delay import TrueDelay

app = Commands()


@app.add()
def devices(
    modes: Annotated[
        bool,
        typer.Option(
            "--modes",
            help="ask each driver what sizes and rates it has (opens the device, starts no stream)",
        ),
    ] = False,
    no_probe: Annotated[
        bool, typer.Option("--no-probe", help="open no device; so it is anyway without --modes")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Print the table. Returns 0, also when there is no device."""
    from semc_core.paths import data_folder
    from semc_core.sources.devices.find import this_system
    from semc_core.sources.devices.true_delay import read_delays

    system = this_system()
    ask = modes and not no_probe
    delays = read_delays(data_folder())
    found = [
        _Row(device, system.modes(device) if ask else (), delays.get(device.identity))
        for device in system.devices()
    ]
    if as_json:
        print_json([row.plain() for row in found])
    else:
        _print(found, ask)
    return 0


@dataclass(frozen=True, slots=True)
class _Row:
    """A device, its modes where they were asked for, and its delay where that was measured."""

    device: CaptureDevice
    modes: tuple[Mode, ...]
    delay: TrueDelay | None

    @property
    def best(self) -> str:
        """The mode that is chosen unless the user asks for another; "" if none is known."""
        from semc_core.sources.devices.modes import ranked

        best = ranked(self.modes, self.device.bus_mbps)
        return best[0].text if best else ""

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "index": self.device.index,
            "name": self.device.name,
            "identity": self.device.identity,
            "place": self.device.place,
            "bus_mbps": self.device.bus_mbps,
            "modes": [mode.text for mode in self.modes],
            "offers": self.best,
            "glass": None if self.delay is None else self.delay.plain(),
            "open": f"camera:{self.device.identity}",
        }


def _print(rows: list[_Row], asked: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not rows:
        console.print("No camera or capture card was found. Plug one in and try again.")
        return
    table = Table("Index", "Name", "Where", "Open it with")
    for row in rows:
        device = row.device
        ways = f"camera:{device.index} or\ncamera:{device.identity}"
        table.add_row(str(device.index), device.name or "(no name)", device.place, ways)
    console.print(table)
    for row in rows:
        if row.delay is not None:
            said = f"camera:{row.device.index}: {row.delay.sentence}."
            console.print(said, markup=False, highlight=False, soft_wrap=True)
    for row in rows if asked else ():
        told = ", ".join(mode.text for mode in row.modes) or "does not tell its modes"
        best = f" Chosen by itself: {row.best}." if row.best else ""
        console.print(
            f"camera:{row.device.index}: {told}.{best}", markup=False, highlight=False, soft_wrap=True
        )
