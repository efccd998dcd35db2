"""How a plane came about and who decided on it, in the same words wherever it is shown or exported."""

from __future__ import annotations

from enum import Enum

from semc_core.labels import short_name
from semc_core.session.corrections import FIRST_ADDED
from semc_core.session.records import PERSON, PlaneEntry


class Decision(Enum):
    """How a plane came to have its name; the value says it in words.

    A person who chose another frame of a plane, or took back its rejection, has confirmed its name.
    """

    FOUND = "Found by the program"
    CONFIRMED = "Found by the program, confirmed by a person"
    RENAMED = "Found by the program, renamed by a person"
    SAVED = "Saved by a person, named by the program"
    SAVED_AND_NAMED = "Saved and named by a person"
    ADDED = "Added by a person"


def decision(plane: PlaneEntry) -> Decision:
    """How the plane stands."""
    if plane.plane_id >= FIRST_ADDED:
        return Decision.ADDED
    named = plane.found_as != plane.plane
    if plane.by_hand:
        return Decision.SAVED_AND_NAMED if named else Decision.SAVED
    if named:
        return Decision.RENAMED
    return Decision.CONFIRMED if plane.chosen_by == PERSON else Decision.FOUND


def decided(plane: PlaneEntry) -> str:
    """The same in words, with the program's name for a plane that a person renamed."""
    words = decision(plane).value
    if plane.plane_id >= FIRST_ADDED or plane.found_as is None or plane.found_as == plane.plane:
        return words
    return f"{words} (was {short_name(plane.found_as)})"
