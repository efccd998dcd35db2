"""The sessions in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semc_core.errors import SemcError
from semc_core.io.regular import is_file
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


def sessions_below(root: Path) -> Iterator[Session]:
    """The sessions below `root`, changed last first; each is open, to be looked at, until the next is.

    Reads the disk: not for the window. One that cannot be read is left out; opening it says why.
    """
    try:
        folders = session_folders(root)
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
