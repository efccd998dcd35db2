"""A private folder with an SQLite file in it, in which each change is whole and survives a power cut.

The sending queue is one, the inbox of `semc serve` another. SQLite's errors become sentences.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import PacsError
from semc_core.io.atomic import save_error
from semc_core.io.documents import DocumentFault
from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.session.database import transaction

_BUSY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Form:
    """What the file holds.

    Attributes:
        what: As sentences call it, "sending queue".
        file: The file's name.
        application_id: By which SQLite's file is known.
        version: Of the schema, from 1.
        schema: Statements that make the tables of version 1.
        changes: Statements that make each later version of the one before it.
    """

    what: str
    file: str
    application_id: int
    version: int
    schema: tuple[str, ...]
    changes: tuple[tuple[str, ...], ...] = ()


class SqliteFolder:
    """The open folder. Safe from any thread; several programs may have it open."""

    def __init__(self, folder: Path, form: Form) -> None:
        """Open it; it is made when there is none. Only its owner can read the folder.

        Raises:
            PacsError: It is damaged, not ours, or of a newer program.
            SaveError: It cannot be written.
        """
        self.folder = folder
        self.objects = folder / "objects"
        self._form = form
        self._lock = threading.RLock()
        try:
            make_private_folder(folder)
            make_private_folder(self.objects)
            keep_private_file(folder / form.file)
        except OSError as error:
            raise save_error(folder, error) from error
        with self._translated():
            self._connection = self._connect()

    def close(self) -> None:
        """Close it. Nothing is lost without."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for looking something up."""
        with self._lock, self._translated():
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection; all that is written becomes part of the file at the end, or nothing."""
        with self._lock, self._translated(), transaction(self._connection):
            yield self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.folder / self._form.file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            # What is committed survives a kill and a power cut.
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            with transaction(connection):
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version and application != self._form.application_id:
            raise sqlite3.DatabaseError("another program's file")
        if version > self._form.version:
            raise PacsError(f"The {self._form.what} is of a newer program; update this one.")
        steps = (self._form.schema, *self._form.changes)
        for statements in steps[version:]:
            for statement in statements:
                connection.execute(statement)
        if version < self._form.version:
            connection.execute(f"PRAGMA application_id = {self._form.application_id}")
            connection.execute(f"PRAGMA user_version = {self._form.version}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors, and rows that say something else than they must, into sentences."""
        folder = self.folder
        damaged = f"The {self._form.what} in {folder} is damaged"
        try:
            yield
        except DocumentFault as fault:
            raise PacsError(f"{damaged} ({fault}); move that folder away.") from fault
        except UnicodeDecodeError as error:  # SQLite's own words, of a name that is no text
            raise PacsError(f"{damaged}; move that folder away.") from error
        except sqlite3.Error as error:
            primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            if primary == sqlite3.SQLITE_FULL:
                raise save_error(folder, OSError(errno.ENOSPC, "no space")) from error
            if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
                raise save_error(folder, OSError(errno.EACCES, "no permission")) from error
            if primary == sqlite3.SQLITE_IOERR:
                raise save_error(folder, OSError(errno.EIO, "the disk did not take it")) from error
            if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise PacsError(f"The {self._form.what} is busy; try again in a moment.") from error
            raise PacsError(f"{damaged}; move that folder away.") from error
