"""Where a command is found. No Typer here: the table of all commands is read before the window opens."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command of the program.

    Attributes:
        place: "module:name" of its Typer application, or of a function that makes the command.
        section: The heading that it stands under in `semc --help`.
        help: What it is for.
    """

    place: str
    section: str
    help: str
