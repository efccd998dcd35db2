"""The sessions in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semc_core.errors import SemcError
from semc_core.io.regular import is_file, is_folder
from semc_core.session.database import DATABASE_NAME
from semc_core.session.session import Session


def is_session(folder: Path) -> bool:
    """Whether a folder holds a session."""
    return is_file(folder / DATABASE_NAME)


def session_folders(root: Path) -> list[Path]:
    """The folders in `root` that hold a session, by name.

    Not hidden ones: in such, `semc analyse` prepares what is no session before it has its name.

    Raises:
        OSError: `root` cannot be read.
    """
    return sorted(each for each in root.iterdir() if not each.name.startswith(".") and is_session(each))


def folders_by_change(root: Path) -> list[Path]:
    """The folders in `root` that hold a session, changed last first; none where `root` cannot be read."""
    try:
        return sorted(session_folders(root), key=_changed_s, reverse=True)
    except OSError:
        return []  # no folder yet: nothing was scanned


def _changed_s(folder: Path) -> float:
    try:
        return (folder / DATABASE_NAME).stat().st_mtime
    except OSError:
        return 0.0  # it went meanwhile


def sessions_below(root: Path) -> Iterator[Session]:
    """The sessions below `root`, changed last first; each is open, to be looked at, until the next is.

    Reads the disk: not for the window. One that cannot be read is left out; opening it says why.
    """
    for folder in folders_by_change(root):
        try:
            session = Session.open(folder, read_only=True)
        except SemcError:
            continue
        with session:
            yield session


def listed_sessions(folder: Path) -> dict[str, Any]:
    """The sessions in a folder as `semc session list --json` and `semc http` tell of them.

    Where there is no folder there is no session. Of one that cannot be read, `problems` has the sentence.

    Raises:
        OSError: The folder cannot be read.
    """
    found, problems = [], []
    for path in session_folders(folder) if is_folder(folder) else ():
        try:
            with Session.open(path, read_only=True) as session:
                found.append(_row(path, session))
        except SemcError as error:
            problems.append(str(error))
    return {"folder": str(folder), "sessions": found, "problems": problems}


def _row(path: Path, session: Session) -> dict[str, Any]:
    return {
        "name": path.name,
        "created_utc": session.created_utc,
        "source": session.source.kind,
        "frames": session.frame_count,
        "planes": len(session.planes()),
        "closed": session.closed,
        "complete": session.complete,
        "corrections": session.corrections,
    }
