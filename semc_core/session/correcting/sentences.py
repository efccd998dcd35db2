"""What is said of a person's change, and of who decided on a plane: in the log, in the window, in exports.

The log's words name planes by their numbers and are kept with the session; the window's say what is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from semc_core.labels import NON_STANDARD, short_name
from semc_core.language import N_, _
from semc_core.session.correcting.changes import (
    AddMeasurement,
    AddPlane,
    Change,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    MeasureChange,
    MoveMeasurement,
    MoveToFetus,
    NameMeasurement,
    Reject,
    Relabel,
    RemoveMeasurement,
    RemoveRegion,
    Restore,
    SetAge,
    SetFetus,
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


def of_fetus_text(text: str, fetus: str) -> str:
    """What was done to a plane, `text`, and that it was moved to this fetus with that."""
    return f"{text}, and of fetus {fetus}"


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
    title += f" of fetus {change.fetus}" if change.fetus else ""
    return f"{title} is {change.status}" if change.status else f"Took back the word on {title}"


def fetus_text(change: SetFetus | MoveToFetus, plane: str) -> str:
    """Which fetus was named; a plane that is moved is called `plane`."""
    match change:
        case SetFetus(time_s=time_s, fetus=letter):
            return f"Fetus {letter} from {time_s:.2f} s on"
        case MoveToFetus(plane_id=number, fetus=letter):
            return f"Moved plane {number} ({short_name(plane)}) to fetus {letter}"


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
        return _("The capture") if first else _("the capture")
    return plane.plane


def done_sentence(change: Change, before: PlaneEntry | None) -> str:
    """What a correction did, for the status line.

    Args:
        change: That was made.
        before: The plane that it was about, as it was before; None where it was about none.
    """
    match change:
        case Relabel() | Reject() | Restore() | ChooseFrame() | AddPlane():
            return _plane_done(change, before)
        case MarkRegion(start_s=start_s, end_s=end_s):
            return _(
                "The time from {start} to {end} is marked.", start=scan_time(start_s), end=scan_time(end_s)
            )
        case LabelRegion(label=label):
            return _("The marked region is now {label}.", label=label)
        case RemoveRegion():
            return _("The marked region is taken away.")
        case SetNote(plane_id=plane_id):
            return _("The note on the session is kept.") if plane_id is None else _("The note is kept.")
        case SetItem(status=status, title=title):
            item = _(title) if title else _("The item")
            if status:
                return _("{title} is not possible.", title=item)
            return _("{title} is possible after all.", title=item)
        case SetFetus(time_s=time_s, fetus=letter):
            return _("From {time} on it is fetus {letter}.", time=scan_time(time_s), letter=letter)
        case MoveToFetus(fetus=letter):
            if before is None:
                return _("The plane is of fetus {letter} now.", letter=letter)
            time, it = scan_time(before.time_s), called(before, first=True)
            return _("{plane} at {time} is of fetus {letter} now.", plane=it, time=time, letter=letter)
        case _:
            return _measure_done(change)


def _plane_done(
    change: Relabel | Reject | Restore | ChooseFrame | AddPlane, before: PlaneEntry | None
) -> str:
    time = "" if before is None else scan_time(before.time_s)
    it = _("The plane") if before is None else called(before, first=True)
    match change:
        case Relabel(plane=name, fetus=letter) if before is not None and letter not in ("", before.fetus):
            return _(
                "The plane at {time} is now {plane}, of fetus {letter}.", time=time, plane=name, letter=letter
            )
        case Relabel(plane=name) if before is not None and before.plane == name:
            return _("The plane at {time} is confirmed as {plane}.", time=time, plane=name)
        case Relabel(plane=name) if before is not None:
            was = _(short_name(before.plane))
            return _("The plane at {time} is now {plane} (was {before}).", time=time, plane=name, before=was)
        case Relabel(plane=name):
            return _("The plane is now {plane}.", plane=name)
        case Reject(reason=reason):
            if before is None:
                return (
                    _("The plane is rejected: {reason}.", reason=_(reason))
                    if reason
                    else (_("The plane is rejected."))
                )
            if reason:
                return _("{plane} at {time} is rejected: {reason}.", plane=it, time=time, reason=_(reason))
            return _("{plane} at {time} is rejected.", plane=it, time=time)
        case Restore():
            if before is None:
                return _("The plane is taken back.")
            return _("{plane} at {time} is taken back.", plane=it, time=time)
        case ChooseFrame(frame=frame):
            return _("{plane} now shows frame {frame}.", plane=it, frame=frame.packet.index)
        case AddPlane(plane=name, frame=frame):
            return _("{plane} is added at {time}.", plane=name, time=scan_time(frame.packet.pts_s))


_MEASURED: Final = {
    "distance": N_("The distance is measured."),
    "ellipse": N_("The ellipse is measured."),
    "trace": N_("The trace is measured."),
    "area": N_("The area is measured."),
    "angle": N_("The angle is measured."),
}


def _measure_done(change: MeasureChange) -> str:
    match change:
        case AddMeasurement(kind=kind, proposed=proposed):
            return _("The proposal is accepted.") if proposed else _(_MEASURED[kind])
        case MoveMeasurement():
            return _("The measurement is moved.")
        case NameMeasurement():
            return _("The measurement has its name.")
        case RemoveMeasurement():
            return _("The measurement is taken away.")
        case SetScale(length_mm=mm):
            return _("The scale is set: the line is {length} mm.", length=f"{mm:g}")
        case SetAge(age=None):
            return _("The age of the pregnancy is taken back.")
        case SetAge(age=age):
            return _("Centiles are at {age} weeks now.", age=age)


_OF_PLANE: Final = re.compile(
    r"(?P<did>(?:Confirmed|Rejected|Restored|Added|Moved|Chose frame \d+ for|Changed the note of) |)[Pp]lane "
    r"(?P<number>\d+)(?: \((?P<name>.+)\))?(?: at (?P<time_s>\d+\.\d+) s)?(?P<rest>.*)"
)
_KINDS: Final = {
    "distance": N_("distance"),
    "ellipse": N_("ellipse"),
    "trace": N_("trace"),
    "area": N_("area"),
    "angle": N_("angle"),
}
_WHICH: Final = rf"(?P<kind>{'|'.join(_KINDS)}) (?P<number>\d+)"
_PLANES_SAID: Final = {
    r"Confirmed {} as (?P<name>.+), and of fetus (?P<letter>[A-D])": N_(
        "Confirmed {plane} as {name}, and of fetus {letter}"
    ),
    r"{} is (?P<name>.+), not (?P<before>.+), and of fetus (?P<letter>[A-D])": N_(
        "{plane} is {name}, not {before}, and of fetus {letter}"
    ),
    r"Confirmed {} as (?P<name>.+)": N_("Confirmed {plane} as {name}"),
    r"{} is (?P<name>.+), not (?P<before>.+)": N_("{plane} is {name}, not {before}"),
    r"Rejected {}": N_("Rejected {plane}"),
    r"Restored {}": N_("Restored {plane}"),
    r"Chose frame (?P<frame>\d+) for {}": N_("Chose frame {frame} for {plane}"),
    r"Added {}": N_("Added {plane}"),
    r"Changed the note of {}": N_("Changed the note of {plane}"),
    r"Moved {} to fetus (?P<letter>[A-D])": N_("Moved {plane} to fetus {letter}"),
}
"""What `plane_text` and `note_text` say of a plane, {} in the pattern, and what the window says for it."""
_OTHERS_SAID: Final = {
    r"Marked (?P<start>[\d.]+) to (?P<end>[\d.]+) s as (?P<label>.+)": N_(
        "Marked {start} to {end} s as {label}"
    ),
    r"Fetus (?P<letter>[A-D]) from (?P<start>[\d.]+) s on": N_("Fetus {letter} from {start} s on"),
    r"Removed the mark (?P<label>.+)": N_("Removed the mark {label}"),
    r"The mark (?P<before>.+) is (?P<label>.+)": N_("The mark {before} is {label}"),
    r"Changed the note of the session": N_("Changed the note of the session"),
    r"(?P<title>.+) is not possible": N_("{title} is not possible"),
    r"Took back the word on (?P<title>.+)": N_("Took back the word on {title}"),
    rf"Accepted the {_WHICH} that was proposed on frame (?P<frame>\d+)": N_(
        "Accepted the {kind} {number} that was proposed on frame {frame}"
    ),
    rf"Measured the {_WHICH} on frame (?P<frame>\d+)": N_("Measured the {kind} {number} on frame {frame}"),
    rf"Moved the {_WHICH}": N_("Moved the {kind} {number}"),
    rf"The {_WHICH} shows nothing in particular": N_("The {kind} {number} shows nothing in particular"),
    rf"The {_WHICH} shows (?P<structure>.+)": N_("The {kind} {number} shows {structure}"),
    rf"Removed the {_WHICH}": N_("Removed the {kind} {number}"),
    r"Set the scale on frame (?P<frame>\d+): the line is (?P<length>.+) mm": N_(
        "Set the scale on frame {frame}: the line is {length} mm"
    ),
    r"Took back the age of the pregnancy": N_("Took back the age of the pregnancy"),
    r"The pregnancy is (?P<age>.+) weeks old \((?P<origin>.*)\)": N_(
        "The pregnancy is {age} weeks old ({origin})"
    ),
}
"""The same of what is about no plane."""
_TRANSLATED: Final = ("name", "before", "kind", "structure", "origin", "title")
"""Words of the program's own tables; others are left as somebody wrote them."""


def seen_words(logged: str, time_of: Callable[[int], float | None]) -> str:
    """What the log says of a change, in the window's words: a plane by its name and time, not its number.

    Args:
        logged: As `plane_text` and the other words of the log; what is about no plane stays as it is.
        time_of: When the plane of this number was seen, seconds; None where that is not known.
    """
    found = _OF_PLANE.fullmatch(logged)
    # An item of a protocol may be called as a plane is.
    if found is None or (not found["did"] and ", not " not in found["rest"]):
        return _said(_OTHERS_SAID, logged, "") or logged
    time_s = time_of(int(found["number"])) if found["time_s"] is None else float(found["time_s"])
    plane = _phrase(found["name"], time_s, first=not found["did"])
    marked = f"{found['did']}\0{found['rest']}"
    return _said(_PLANES_SAID, marked, plane) or marked.replace("\0", plane)


def _phrase(name: str | None, time_s: float | None, *, first: bool) -> str:
    """A plane, by its name in the log, within a sentence or as its first words."""
    time = "" if time_s is None else scan_time(time_s)
    if name is None and first:
        return _("The plane at {time}", time=time) if time else _("The plane")
    if name is None:
        return _("the plane at {time}", time=time) if time else _("the plane")
    if name != short_name(NON_STANDARD):
        said = name[0].upper() + name[1:] if first else name
        return _("{plane} at {time}", plane=said, time=time) if time else said
    if first:
        return _("The capture at {time}", time=time) if time else _("The capture")
    return _("the capture at {time}", time=time) if time else _("the capture")


def _said(forms: Mapping[str, str], logged: str, plane: str) -> str:
    """The window's words for what one of these forms matches; "" where none does."""
    for pattern, words in forms.items():
        if found := re.fullmatch(pattern.replace("{}", "\0"), logged):
            values = {
                key: _(value) if key in _TRANSLATED else value for key, value in found.groupdict().items()
            }
            return _(words, plane=plane, **values)
    return ""


# Who decided.


class Authorship(Enum):
    """How a plane came to have its name; the value says it in words, in English.

    A person who chose another frame of a plane, or took back its rejection, has confirmed its name.
    """

    FOUND = N_("Found by the program")
    CONFIRMED = N_("Found by the program, confirmed by a person")
    RENAMED = N_("Found by the program, renamed by a person")
    SAVED = N_("Saved by a person, named by the program")
    SAVED_AND_NAMED = N_("Saved and named by a person")
    ADDED = N_("Added by a person")


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
    """The same in English words, for exports, with the program's name for a plane that a person renamed."""
    words, before = decision(plane).value, _found_as(plane)
    return f"{words} (was {before})" if before else words


def decided_sentence(plane: PlaneEntry) -> str:
    """As `decided`, a sentence of the window."""
    words, before = _(decision(plane).value), _found_as(plane)
    return _("{decision} (was {plane}).", decision=words, plane=_(before)) if before else f"{words}."


def _found_as(plane: PlaneEntry) -> str:
    """The program's name for a plane that a person renamed; or ""."""
    if plane.plane_id >= FIRST_ADDED or plane.found_as is None or plane.found_as == plane.plane:
        return ""
    return short_name(plane.found_as)
