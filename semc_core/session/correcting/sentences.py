"""What is said of a person's change, and of who decided on a plane: in the log, in the window, in exports.

The log's words name planes by their numbers and are kept with the session; the window's say what is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from semc_core.labels import NON_STANDARD, short_name
from semc_core.session.correcting.changes import (
    AddMeasurement,
    AddPlane,
    Change,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    MeasureChange,
    MoveMeasurement,
    NameMeasurement,
    Reject,
    Relabel,
    RemoveMeasurement,
    RemoveRegion,
    Restore,
    SetAge,
    SetItem,
    SetNote,
    SetScale,
)
from semc_core.session.records import FIRST_ADDED, PERSON, PlaneEntry
from semc_core.text import scan_time

# In the log.


def plane_text(change: Relabel | Reject | Restore | ChooseFrame | AddPlane, number: int, before: str) -> str:
    """What was done to plane `number`, which had the class name `before`; an added one has its own."""
    match change:
        case Relabel(plane=name) if name == before:
            return f"Confirmed plane {number} as {name}"
        case Relabel(plane=name):
            return f"Plane {number} is {name}, not {short_name(before)}"
        case Reject():
            return f"Rejected plane {number} ({short_name(before)})"
        case Restore():
            return f"Restored plane {number} ({short_name(before)})"
        case ChooseFrame(frame=frame):
            return f"Chose frame {frame.packet.index} for plane {number} ({short_name(before)})"
        case AddPlane(plane=name, frame=frame):
            return f"Added plane {number} ({name}) at {frame.packet.pts_s:.2f} s"


def region_text(change: MarkRegion | RemoveRegion | LabelRegion, before: str) -> str:
    """What was done to a marked stretch of time that was labelled `before`."""
    match change:
        case MarkRegion(start_s=start_s, end_s=end_s, label=label):
            return f"Marked {start_s:.2f} to {end_s:.2f} s as {label}"
        case RemoveRegion():
            return f"Removed the mark {before}"
        case LabelRegion(label=label):
            return f"The mark {before} is {label}"


def note_text(change: SetNote) -> str:
    """Which note was changed."""
    what = "the session" if change.plane_id is None else f"plane {change.plane_id}"
    return f"Changed the note of {what}"


def item_text(change: SetItem) -> str:
    """What was said on an item of a protocol."""
    title = change.title or change.item_id
    return f"{title} is {change.status}" if change.status else f"Took back the word on {title}"


def measure_text(change: MeasureChange, number: int, kind: str) -> str:
    """What was done to measurement `number`, which is of this kind."""
    match change:
        case AddMeasurement(frame_index=index, proposed=True):
            return f"Accepted the {kind} {number} that was proposed on frame {index}"
        case AddMeasurement(frame_index=index):
            return f"Measured the {kind} {number} on frame {index}"
        case MoveMeasurement():
            return f"Moved the {kind} {number}"
        case NameMeasurement(structure=structure):
            return f"The {kind} {number} shows {structure or 'nothing in particular'}"
        case RemoveMeasurement():
            return f"Removed the {kind} {number}"
        case SetScale(length_mm=mm, frame_index=index):
            return f"Set the scale on frame {index}: the line is {mm:g} mm"
        case SetAge(age=None):
            return "Took back the age of the pregnancy"
        case SetAge(age=age):
            return f"The pregnancy is {age} weeks old ({'' if age is None else age.origin})"


# In the window.


def called(plane: PlaneEntry, first: bool = False) -> str:
    """A saved frame in a sentence, or as its `first` word: a capture of no plane has no name."""
    if plane.plane == NON_STANDARD:
        return "The capture" if first else "the capture"
    return plane.plane


def done_sentence(change: Change, before: PlaneEntry | None) -> str:
    """What a correction did, for the status line.

    Args:
        change: That was made.
        before: The plane that it was about, as it was before; None where it was about none.
    """
    where = "" if before is None else f" at {scan_time(before.time_s)}"
    it = "The plane" if before is None else called(before, first=True)
    match change:
        case Relabel(plane=name) if before is not None and before.plane == name:
            return f"The plane{where} is confirmed as {name}."
        case Relabel(plane=name):
            return f"The plane{where} is now {name}" + (
                f" (was {short_name(before.plane)})." if before else "."
            )
        case Reject(reason=reason):
            why = f": {reason}." if reason else "."
            return f"{it}{where} is rejected{why}"
        case Restore():
            return f"{it}{where} is taken back."
        case ChooseFrame(frame=frame):
            return f"{it} now shows frame {frame.packet.index}."
        case AddPlane(plane=name, frame=frame):
            return f"{name} is added at {scan_time(frame.packet.pts_s)}."
        case MarkRegion(start_s=start_s, end_s=end_s):
            return f"The time from {scan_time(start_s)} to {scan_time(end_s)} is marked."
        case LabelRegion(label=label):
            return f"The marked region is now {label}."
        case RemoveRegion():
            return "The marked region is taken away."
        case SetNote(plane_id=plane_id):
            return "The note on the session is kept." if plane_id is None else "The note is kept."
        case SetItem(status=status, title=title):
            return f"{title or 'The item'} is {'not possible' if status else 'possible after all'}."
        case AddMeasurement(kind=kind, proposed=proposed):
            return "The proposal is accepted." if proposed else f"The {kind} is measured."
        case MoveMeasurement():
            return "The measurement is moved."
        case NameMeasurement():
            return "The measurement has its name."
        case RemoveMeasurement():
            return "The measurement is taken away."
        case SetScale(length_mm=mm):
            return f"The scale is set: the line is {mm:g} mm."
        case SetAge(age=None):
            return "The age of the pregnancy is taken back."
        case SetAge(age=age):
            return f"Centiles are at {age} weeks now."


_OF_PLANE: Final = re.compile(
    r"(?P<did>(?:Confirmed|Rejected|Restored|Added|Chose frame \d+ for|Changed the note of) |)[Pp]lane "
    r"(?P<number>\d+)(?: \((?P<name>.+)\))?(?: at (?P<time_s>\d+\.\d+) s)?(?P<rest>.*)"
)


def seen_words(logged: str, time_of: Callable[[int], float | None]) -> str:
    """What the log says of a change, in the window's words: a plane by its name and time, not its number.

    Args:
        logged: As `plane_text` and the other words of the log; what is about no plane stays as it is.
        time_of: When the plane of this number was seen, seconds; None where that is not known.
    """
    found = _OF_PLANE.fullmatch(logged)
    # An item of a protocol may be called as a plane is.
    if found is None or (not found["did"] and ", not " not in found["rest"]):
        return logged
    time_s = time_of(int(found["number"])) if found["time_s"] is None else float(found["time_s"])
    name = "the plane" if found["name"] is None else found["name"]
    if name == short_name(NON_STANDARD):
        name = "the capture"
    where = "" if time_s is None else f" at {scan_time(time_s)}"
    words = f"{found['did']}{name}{where}{found['rest']}"
    return words if found["did"] else words[0].upper() + words[1:]


# Who decided.


class Authorship(Enum):
    """How a plane came to have its name; the value says it in words.

    A person who chose another frame of a plane, or took back its rejection, has confirmed its name.
    """

    FOUND = "Found by the program"
    CONFIRMED = "Found by the program, confirmed by a person"
    RENAMED = "Found by the program, renamed by a person"
    SAVED = "Saved by a person, named by the program"
    SAVED_AND_NAMED = "Saved and named by a person"
    ADDED = "Added by a person"


def decision(plane: PlaneEntry) -> Authorship:
    """How the plane stands."""
    if plane.plane_id >= FIRST_ADDED:
        return Authorship.ADDED
    named = plane.found_as != plane.plane
    if plane.by_hand:
        return Authorship.SAVED_AND_NAMED if named else Authorship.SAVED
    if named:
        return Authorship.RENAMED
    return Authorship.CONFIRMED if plane.chosen_by == PERSON else Authorship.FOUND


def decided(plane: PlaneEntry) -> str:
    """The same in words, with the program's name for a plane that a person renamed."""
    words = decision(plane).value
    if plane.plane_id >= FIRST_ADDED or plane.found_as is None or plane.found_as == plane.plane:
        return words
    return f"{words} (was {short_name(plane.found_as)})"
