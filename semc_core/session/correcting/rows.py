"""The rows of a session's tables that a change is about."""

from __future__ import annotations

from typing import Final

from semc_core.errors import SessionError
from semc_core.language import N_, _
from semc_core.session.state import Row, State

_MISSING: Final = {
    "planes": N_("The session has no such plane ({number}); choose one of those listed."),
    "regions": N_("The session has no such region ({number}); choose one of those listed."),
    "measurements": N_("The session has no such measurement ({number}); choose one of those listed."),
}


def needed_row(state: State, table: str, number: int) -> Row:
    """A row of the planes, the regions or the measurements.

    Raises:
        SessionError: There is none.
    """
    row = state.rows[table].get(number)
    if row is None:
        raise SessionError(_(_MISSING[table], number=number))
    return row
