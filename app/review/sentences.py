"""What the status line says of a correction. No Qt here."""

from __future__ import annotations

from app.formatting import scan_time
from app.review.presenter import called
from semc_core.labels import short_name
from semc_core.session.changes import (
    AddPlane,
    Change,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    Reject,
    Relabel,
    RemoveRegion,
    Restore,
    SetItem,
    SetNote,
)
from semc_core.session.records import PlaneEntry


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
