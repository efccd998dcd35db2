"""`semc serve`: receive ultrasound by DICOM, analyse it unattended, and send back what was found."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from semc_core.cli.shared.options import PLACE, AsJson, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.text import counted, readable

if TYPE_CHECKING:
    from semc_core.serve.inbox import Received
    from semc_core.serve.settings import ServeSettings

_EXAMPLES = """\b
Examples:
    semc serve --write-settings
    semc serve
    semc serve --list"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def serve(
    settings: Annotated[
        Path | None,
        Argument(
            click_type=PLACE,
            metavar="SETTINGS",
            help="the settings' file (TOML)",
            show_default="serve.toml in the user's data folder",
        ),
    ] = None,
    write: Annotated[
        bool, Option("--write-settings", help="write settings to begin with, and end; edit them")
    ] = False,
    listed: Annotated[
        bool, Option("--list", help="list what was received and what became of it, and end")
    ] = False,
    retry: Annotated[bool, Option("--retry", help="let what failed be analysed again, and end")] = False,
    as_json: AsJson = False,
) -> int:
    """Serve until Ctrl+C or SIGTERM. Returns 0.

    Raises:
        SemcError: The settings or what they name cannot be used.
    """
    from semc_core.errors import UsageError
    from semc_core.paths import data_folder
    from semc_core.serve.settings import SETTINGS_NAME, load_settings, write_settings

    if as_json and not listed:
        raise UsageError("--json goes with --list.")
    data = data_folder()
    path = data / SETTINGS_NAME if settings is None else settings
    if write:
        write_settings(path, data / "serve")
        print(f"Written: {path}. Edit it, then: semc serve{'' if settings is None else f' {path}'}")
        return 0
    loaded = load_settings(path)
    if listed or retry:
        return _look(loaded, retry=retry, as_json=as_json)
    return _serve(loaded, data)


def _serve(settings: ServeSettings, data: Path) -> int:
    from semc_core.serve.service import Service

    with Service(settings, data) as service:
        print(
            f'Listening at {settings.host}, port {service.port}, as "{settings.title}". Ctrl+C ends it.',
            flush=True,
        )
        # Nobody sets it: Ctrl+C and SIGTERM end the wait.
        service.watch(threading.Event())
    return 0


def _look(settings: ServeSettings, *, retry: bool, as_json: bool) -> int:
    from contextlib import closing

    from semc_core.serve.inbox import Inbox

    with closing(Inbox(settings.place)) as inbox:
        if retry:
            print(f"To be analysed again: {counted(inbox.retry(), 'object')}.")
            return 0
        found = inbox.all()
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        _print(found)
    return 0


def _print(found: tuple[Received, ...]) -> None:
    """Each in a line that a terminal of 80 columns holds; what is long stands below, and is not cut."""
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    if not found:
        print("Nothing was received yet.")
        return
    table = Table("Object", "Received (UTC)", "From", "State", "Planes")
    for one in found:
        table.add_row(
            str(one.object_id), one.received_utc[:19].replace("T", " "), escape(one.sender), one.state,
            str(one.planes) if one.session else "",
        )  # fmt: skip
    console = Console()
    console.print(table)
    for one in found:
        about = f"session {one.session}, by {one.model}" if one.session else one.model
        if told := ". ".join(part for part in (about, one.message) if part):
            console.print(f"{one.object_id}: {readable(told)}", markup=False, highlight=False, soft_wrap=True)
