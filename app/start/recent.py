"""The sessions that were made lately, for the start page. No Qt here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError
from semc_core.session.database import DATABASE_NAME
from semc_core.session.session import Session
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


def is_session(folder: Path) -> bool:
    """Whether a folder holds a session."""
    return (folder / DATABASE_NAME).is_file()


def sessions_below(root: Path) -> Iterator[Session]:
    """The sessions below `root`, changed last first; each is open, to be looked at, until the next is.

    Reads the disk: not for the window. One that cannot be read is left out; opening it says why.
    """
    try:
        folders = [entry for entry in root.iterdir() if is_session(entry)]
        folders.sort(key=lambda folder: (folder / DATABASE_NAME).stat().st_mtime, reverse=True)
    except OSError:
        return  # no folder yet: nothing was scanned
    for folder in folders:
        try:
            session = Session.open(folder, read_only=True)
        except SemcError:
            continue
        with session:
            yield session


def recent_sessions(root: Path, limit: int = _LIMIT) -> list[RecentSession]:
    """The sessions below `root` that were changed last, newest first. Reads the disk: not for the window."""
    found = []
    for session in islice(sessions_below(root), limit):
        when = datetime.fromisoformat(session.created_utc).astimezone()
        planes = len(session.planes())
        found.append(RecentSession(session.folder, session.source.source_id, when, planes))
    return found
