"""`semc` itself: what stands before a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from semc_core.cli.shared.entry import Entry
from semc_core.cli.shared.tree import SETTINGS, LazyGroup
from semc_core.paths import log_folder
from semc_core.version import VERSION

_ABOUT = (
    "Finds ultrasound standard planes in live and recorded scans. Research software, not a medical device. "
    "Without a command, the window opens."
)


def program(entries: Mapping[str, Entry]) -> LazyGroup:
    """The whole command line, none of its commands loaded."""
    app = typer.Typer(
        cls=LazyGroup,
        help=_ABOUT,
        epilog=f"The log is in {log_folder()}",
        context_settings=SETTINGS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_before)
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    group.entries = entries
    return group


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"SEMC Live {VERSION}")
        raise typer.Exit


def _before(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Nothing is done before a command."""
