"""What was received, and what became of each object: an SQLite file beside the objects.

An object is here before its sender is answered with success. Its SOP Instance UID and its content are the
key: what is sent again is known. One service at a time works on it, and sets right what a kill left.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from semc_core.errors import SaveError, SessionError, UsageError
from semc_core.io.atomic import save_error
from semc_core.io.documents import STRICT, Document, configured
from semc_core.io.lock import WriterLock
from semc_core.io.private import make_private_folder
from semc_core.io.rules import moment
from semc_core.pacs.sqlite_folder import Form, SqliteFolder
from semc_core.serve.arrival import Arrival
from semc_core.sources.dicom.content import Content
from semc_core.text import utc_now

State = Literal["waiting", "analysing", "analysed", "done", "failed", "beside"]
"""Analysed: its session is there, its results are not queued yet. Beside: another object of its UID is there,
so it is kept and not analysed. Failed: it stays so until `retry`."""

MOST_ATTEMPTS: Final = 3
"""So often the program may end while it analyses an object."""
_LOCK_NAME: Final = "serve.lock"
_OWN_FILE: Final = re.compile(r"[0-9a-f]{32}\.dcm")
"""As the service names what arrives; nothing else is ever removed."""
_OF_SYSTEMS: Final = frozenset(("lost+found", ".DS_Store", "desktop.ini"))
_COLUMNS: Final = (
    "object_id, received_utc, sender, sop_class, sop_instance, study, series, syntax, digest, size, file,"
    " state, attempts, model, session, planes, message"
)
_FORM: Final = Form(
    "inbox",
    "inbox.sqlite",
    0x53454D49,  # "SEMI"
    1,
    (
        "CREATE TABLE objects (object_id INTEGER PRIMARY KEY AUTOINCREMENT, received_utc TEXT NOT NULL,"
        " sender TEXT NOT NULL, sop_class TEXT NOT NULL, sop_instance TEXT NOT NULL, study TEXT NOT NULL,"
        " series TEXT NOT NULL, syntax TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,"
        " file TEXT NOT NULL UNIQUE, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
        " model TEXT NOT NULL DEFAULT '', session TEXT NOT NULL DEFAULT '', planes INTEGER NOT NULL"
        " DEFAULT 0, message TEXT NOT NULL DEFAULT '', UNIQUE (sop_instance, digest)) STRICT",
        "CREATE INDEX objects_by_state ON objects (state)",
    ),
)


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Received:
    """An object that was received. Identifiers only: nothing here says who was examined.

    Attributes:
        object_id: Its number.
        received_utc: When it came, ISO, by this machine's clock; nothing is decided by it.
        sender: AE title of who sent it.
        sop_class: Its SOP Class UID.
        sop_instance: Its SOP Instance UID.
        study: Its Study Instance UID.
        series: Its Series Instance UID.
        syntax: The transfer syntax of its file.
        digest: SHA-256 of its kind, coding and data set.
        size: Bytes of its data set.
        file: Relative to the folder of objects.
        state: See `State`.
        attempts: How often its analysis was begun.
        model: File name of the model that looked at it; or "".
        session: Name of its session's folder; or "".
        planes: How many planes were found.
        message: What was last said of it.
    """

    object_id: int
    received_utc: Annotated[str, moment()]
    sender: str
    sop_class: str
    sop_instance: str
    study: str
    series: str
    syntax: str
    digest: str
    size: int
    file: str
    state: State
    attempts: int
    model: str
    session: str
    planes: int
    message: str


RECEIVED: Final = Document(Received)


class Inbox(SqliteFolder):
    """The open inbox. Safe from any thread.

    Attributes:
        incoming: Folder of what is on its way; nothing in it counts.
        sessions: Folder of the sessions.
        replies: Folder of results on their way into the sending queue.
    """

    def __init__(self, folder: Path) -> None:
        """Open it; it is made when there is none. Only its owner can read the folder.

        Raises:
            UsageError: The folder holds other things.
            PacsError: It is damaged, not ours, or of a newer program.
            SaveError: It cannot be written.
        """
        _check_own(folder)
        super().__init__(folder, _FORM)
        self.incoming = folder / "incoming"
        self.sessions = folder / "sessions"
        self.replies = folder / "replies"
        self._held: WriterLock | None = None

    def hold(self) -> None:
        """Become the one service that works on it, until `close`, and set right what a kill left.

        Raises:
            UsageError: Another service has it.
            SaveError: It cannot be written.
        """
        try:
            self._held = WriterLock(self.folder, _LOCK_NAME)
        except SessionError as error:
            raise UsageError(
                f"Another semc serve works on {self.folder}; end it first, or give this one another folder."
            ) from error
        try:
            for place in (self.incoming, self.sessions, self.replies):
                make_private_folder(place)
        except OSError as error:
            raise save_error(self.folder, error) from error
        self._recover()

    def close(self) -> None:
        """Close it, and let another service work on it. Nothing is lost without."""
        super().close()
        if self._held is not None:
            self._held.release()
            self._held = None

    def add(self, arrival: Arrival, content: Content, sender: str) -> State | None:
        """Keep what arrived: its file first, then its entry. Both are on the disk when this returns.

        Returns:
            "waiting", or "beside"; None where it was here before: then nothing is kept of it.

        Raises:
            SaveError: It could not be kept.
            PacsError: The inbox is damaged or busy.
        """
        if self._knows(content.sop_instance, arrival.digest):
            arrival.discard()
            return None
        file = f"{uuid.uuid4().hex}.dcm"
        try:
            arrival.keep(self.objects / file)
        except OSError as error:
            raise save_error(self.folder, error) from error
        try:
            state = self._insert(arrival, content, sender, file)
        except BaseException:
            self._remove(file)
            raise
        if state is None:
            self._remove(file)
        return state

    def _knows(self, sop_instance: str, digest: str) -> bool:
        with self.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM objects WHERE sop_instance = ? AND digest = ?", (sop_instance, digest)
            )
            return found.fetchone() is not None

    def _insert(self, arrival: Arrival, content: Content, sender: str, file: str) -> State | None:
        with self.writing() as connection:
            others = connection.execute(
                "SELECT digest FROM objects WHERE sop_instance = ?", (content.sop_instance,)
            ).fetchall()
            # Asked again: another association may have been faster.
            if (arrival.digest,) in others:
                return None
            state: State = "beside" if others else "waiting"
            message = "Another object has the same UID; this one is kept, and not analysed." if others else ""
            connection.execute(
                "INSERT INTO objects (received_utc, sender, sop_class, sop_instance, study, series, syntax,"
                " digest, size, file, state, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (utc_now(), sender, content.sop_class, content.sop_instance, content.study, content.series,
                 content.syntax, arrival.digest, arrival.size, file, state, message),
            )  # fmt: skip
        return state

    def path(self, one: Received) -> Path:
        """The object's file."""
        return self.objects / one.file

    def begin(self, resting: Collection[int] = ()) -> Received | None:
        """The next object to work on; None if there is none. It is written down that work on it begins.

        What has its session comes first, so that results go out in order.

        Args:
            resting: Numbers of objects that are left alone now.
        """
        left_alone = ", ".join(str(int(number)) for number in resting)
        with self.writing() as connection:
            found = connection.execute(
                "SELECT object_id, state FROM objects WHERE state IN ('waiting', 'analysed')"
                f" AND object_id NOT IN ({left_alone}) ORDER BY state, object_id LIMIT 1"
            ).fetchone()
            if found is None:
                return None
            if found[1] == "waiting":
                connection.execute(
                    "UPDATE objects SET state = 'analysing', attempts = attempts + 1 WHERE object_id = ?",
                    (found[0],),
                )
            (one,) = _rows(connection, "object_id = ?", (found[0],))
        return one

    def analysed(self, one: Received, model: str, session: str, planes: int) -> None:
        """Its session is there."""
        self._set(one, state="analysed", model=model, session=session, planes=planes, message="")

    def done(self, one: Received, message: str) -> None:
        """Nothing is left to do for it."""
        self._set(one, state="done", message=message)

    def failed(self, one: Received, message: str) -> None:
        """It cannot be analysed."""
        self._set(one, state="failed", message=message)

    def put_back(self, one: Received, message: str) -> None:
        """It could not be worked on now, through no fault of its own."""
        state = "waiting" if one.state == "analysing" else one.state
        self._set(one, state=state, attempts=max(0, one.attempts - 1), message=message)

    def retry(self) -> int:
        """Let what failed be analysed again. Returns how many objects."""
        with self.writing() as connection:
            changed = connection.execute(
                "UPDATE objects SET state = 'waiting', attempts = 0, message = '' WHERE state = 'failed'"
            )
            return int(changed.rowcount)

    def all(self) -> tuple[Received, ...]:
        """All objects, in the order in which they came."""
        with self.reading() as connection:
            return tuple(_rows(connection, "1 ORDER BY object_id", ()))

    def counts(self) -> dict[str, int]:
        """Number of objects in each state; only states that there are."""
        with self.reading() as connection:
            found = connection.execute("SELECT state, COUNT(*) FROM objects GROUP BY state")
            return {str(state): int(number) for state, number in found}

    def _set(self, one: Received, **values: object) -> None:
        settings = ", ".join(f"{name} = :{name}" for name in values)
        with self.writing() as connection:
            connection.execute(
                f"UPDATE objects SET {settings} WHERE object_id = :object_id",
                {**values, "object_id": one.object_id},
            )

    def _remove(self, file: str) -> None:
        # What stays behind has no entry, and goes at the next start.
        with suppress(OSError):
            (self.objects / file).unlink(missing_ok=True)

    def _recover(self) -> None:
        """After a kill: what was in work waits again, and what no sender was told of is removed."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE objects SET state = 'failed', message = ? WHERE state = 'analysing'"
                " AND attempts >= ?",
                (f"The program ended {MOST_ATTEMPTS} times while it was analysed; look at the file.",
                 MOST_ATTEMPTS),
            )  # fmt: skip
            connection.execute("UPDATE objects SET state = 'waiting' WHERE state = 'analysing'")
            known = {str(file) for (file,) in connection.execute("SELECT file FROM objects")}
            replied = connection.execute("SELECT session FROM objects WHERE state = 'analysed'").fetchall()
        for path in (*self.incoming.iterdir(), *self.objects.iterdir()):
            if _OWN_FILE.fullmatch(path.name) and (path.parent == self.incoming or path.name not in known):
                with suppress(OSError):
                    path.unlink()
        for path in self.replies.iterdir():
            if (path.name,) not in replied:
                shutil.rmtree(path, ignore_errors=True)


def _check_own(folder: Path) -> None:
    """The service closes its folder to others, and removes in it what a kill left.

    Raises:
        UsageError: It holds other things.
        SaveError: It cannot be read.
    """
    try:
        names = {path.name for path in folder.iterdir()} - _OF_SYSTEMS
        # A kill may have come between the folders and the file.
        begun = names <= {"objects"} and not any((folder / name).iterdir() for name in names)
    except FileNotFoundError:
        return
    except OSError as error:
        raise save_error(folder, error) from error
    if _FORM.file not in names and not begun:
        raise UsageError(
            f"{folder} holds other things than an inbox of semc serve; name a folder of its own in the "
            "settings."
        )


def _rows(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Received]:
    """Raises DocumentFault where a damaged file says something else."""
    names = [each.name for each in fields(Received)]
    rows: list[tuple[Any, ...]] = connection.execute(
        f"SELECT {_COLUMNS} FROM objects WHERE {where}", values
    ).fetchall()
    return [RECEIVED.from_plain(dict(zip(names, row, strict=True))) for row in rows]


def room_for(folder: Path, least_bytes: int, free: Callable[[Path], int]) -> None:
    """Whether the disk has room.

    Raises:
        SaveError: It has less than it must have.
    """
    if free(folder) < least_bytes:
        raise SaveError(
            f"Less than {least_bytes // 10**6} MB are free for {folder}; nothing is taken until more are."
        )
