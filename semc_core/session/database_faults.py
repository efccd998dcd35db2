"""What is said where a session's database cannot be opened, read or written."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from semc_core.errors import SaveError, SessionError
from semc_core.io.atomic import save_error
from semc_core.language import _


def taken(folder: Path) -> SessionError:
    """There is a session already."""
    return SessionError(_("{folder} holds a session already; choose another folder.", folder=folder.name))


def missing(folder: Path, file: str) -> SessionError:
    """There is no session."""
    sentence = _("{folder} holds no session; choose a folder with a {file}.", folder=folder.name, file=file)
    return SessionError(sentence)


def still_read(folder: Path) -> SaveError:
    """What was erased is still in the files, as another program reads them."""
    return SaveError(
        _(
            "Another program has {folder} open, and its files still hold what was erased; close it there "
            "and do this again.",
            folder=folder.name,
        )
    )


def empty(folder: Path) -> SessionError:
    """A kill came before anything was written."""
    return SessionError(
        _("The session {folder} ended before it began and holds nothing; delete it.", folder=folder.name)
    )


def foreign(folder: Path, file: str) -> SessionError:
    """The file is another program's."""
    sentence = _("{file} in {folder} is not a session; choose another folder.", file=file, folder=folder.name)
    return SessionError(sentence)


def newer(folder: Path) -> SessionError:
    """It is of a newer program."""
    return SessionError(
        _("The session {folder} was made by a newer program; update this one to open it.", folder=folder.name)
    )


def of_sqlite(folder: Path, error: Exception) -> SessionError | SaveError:
    """What an error of SQLite means. Of damage in English: what proves a session writes it into the log."""
    primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return save_error(folder, OSError(errno.ENOSPC, "no space"))
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return save_error(folder, OSError(errno.EACCES, "no permission"))
    if primary == sqlite3.SQLITE_IOERR:
        return save_error(folder, OSError(errno.EIO, "the disk did not take it"))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SaveError(
            _("The session {folder} is busy; close other programs that have it open.", folder=folder.name)
        )
    return SessionError(f"The session {folder.name} is damaged; use a copy of it, if there is one.")
