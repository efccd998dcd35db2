"""What it means for the state of a session that another fetus is scanned, or a plane is of another one."""

from __future__ import annotations

from semc_core.errors import SessionError
from semc_core.language import _
from semc_core.session.correcting.changes import MoveToFetus, SetFetus
from semc_core.session.correcting.measuring import Written
from semc_core.session.correcting.rows import needed_row
from semc_core.session.correcting.sentences import fetus_text
from semc_core.session.fetuses import LETTERS, fetuses_of
from semc_core.session.state import Edit, State, made


def turned(state: State, highest: dict[str, int], change: SetFetus | MoveToFetus) -> Written:
    """What `change` means: the plane that it is about, the kind of the entry, its text, and the edits.

    Raises:
        SessionError: There is no such fetus or plane.
    """
    if change.fetus not in LETTERS:
        raise SessionError(_("Fetuses are called A, B, C and D; choose one of them."))
    return _turn(state, highest, change) if isinstance(change, SetFetus) else _move(state, change)


def _turn(state: State, highest: dict[str, int], change: SetFetus) -> Written:
    rows, time_s = state.rows["turns"], float(change.time_s)
    before = fetuses_of(rows, state.rows["fetuses"]).at(time_s) or LETTERS[0]
    edit: Edit | None = None
    if before != change.fetus:
        same = next((number for number, row in rows.items() if row["time_s"] == time_s), None)
        if same is not None:
            edit = state.changed("turns", same, fetus=change.fetus)
        else:
            row = {
                "turn_id": highest.get("turns", 0) + 1,
                "time_s": time_s,
                "fetus": change.fetus,
            }
            edit = made("turns", row)
    return None, "set fetus", fetus_text(change, ""), () if edit is None else (edit,)


def _move(state: State, change: MoveToFetus) -> Written:
    number = change.plane_id
    row, moved = needed_row(state, "planes", number), state.rows["fetuses"]
    fetuses = fetuses_of(state.rows["turns"], moved)
    edit: Edit | None = None
    if (fetuses.of_plane(number, row["time_s"]) or LETTERS[0]) == change.fetus:
        pass
    elif number in moved and (fetuses.at(row["time_s"]) or LETTERS[0]) == change.fetus:
        edit = state.removed("fetuses", number)
    elif number in moved:
        edit = state.changed("fetuses", number, fetus=change.fetus)
    else:
        edit = made("fetuses", {"plane_id": number, "fetus": change.fetus})
    return number, "move to fetus", fetus_text(change, row["plane"]), () if edit is None else (edit,)
