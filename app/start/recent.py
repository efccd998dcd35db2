"""The sessions that were made lately, for the start page. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from semc_core.session.session import sessions_below
from semc_core.text import counted

_LIMIT: Final = 4


@dataclass(frozen=True, slots=True)
class RecentSession:
    """One line of the list.

    Attributes:
        folder: Of the session.
        source_id: What was scanned or reviewed.
        when: Local time at which it began.
        planes: How many planes it holds, without the rejected ones.
    """

    folder: Path
    source_id: str
    when: datetime
    planes: int

    @property
    def text(self) -> str:
        """ "21 Nov 15:02   liver.mp4   5 planes"."""
        planes = counted(self.planes, "plane") if self.planes else "no planes"
        return f"{self.when:%d %b %H:%M}   {self.source_id}   {planes}"


def recent_sessions(root: Path, limit: int = _LIMIT) -> list[RecentSession]:
    """The sessions below `root` that were changed last, newest first. Reads the disk: not for the window."""
    found = []
    for session in islice(sessions_below(root), limit):
        when = datetime.fromisoformat(session.created_utc).astimezone()
        planes = len(session.planes())
        found.append(RecentSession(session.folder, session.source.source_id, when, planes))
    return found


def camera_choices() -> list[tuple[str, str]]:
    """The cameras of this machine: what `open_source` takes, and what to call it. May take a second."""
    from semc_core.sources.camera import list_devices

    return [
        (f"camera:{device.index}", f"{device.index}  {device.name or 'Device'}") for device in list_devices()
    ]
