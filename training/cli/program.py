"""Running a command that is called by `python -m training...`, as `semc` runs its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typer.main import get_command

from semc_core.cli.shared.tree import invoke
from semc_core.errors import SemcError

if TYPE_CHECKING:
    from typer import Typer


def run(app: Typer, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit code: 0 done, 1 could not, 2 wrong usage, 130 interrupted.

    Args:
        app: The command, or several under one name.
        name: As it is typed, such as "python -m training".
        arguments: What was typed behind it; None for the program's own.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return invoke(get_command(app), given, name)
    except SemcError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
