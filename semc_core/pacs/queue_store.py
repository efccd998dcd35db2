"""The folder behind the sending queue: an SQLite file and the objects.

What the sending queue holds, as plain data.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from semc_core.io.documents import STRICT, Document, configured
from semc_core.io.private import new_private_file
from semc_core.io.rules import moment
from semc_core.pacs.sqlite_folder import Form, SqliteFolder

FOLDER_NAME: Final = "pacs"
"""The queue's folder in the user's data folder."""

QUEUE_NAME: Final = "queue.sqlite"
_APPLICATION_ID: Final = 0x53454D51  # "SEMQ"
_VERSION: Final = 2
_SCHEMA: Final = (
    # A job is one act of sending. Its UID names it in a session's log; the path of the session stays here.
    "CREATE TABLE jobs (job_id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,"
    " created_utc TEXT NOT NULL, destination TEXT NOT NULL, session TEXT, manifest TEXT NOT NULL,"
    " told INTEGER NOT NULL DEFAULT 0) STRICT",
    # One object for one destination, ever: this is what keeps anything from being sent twice.
    "CREATE TABLE items (item_id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs,"
    " destination TEXT NOT NULL, sop_class TEXT NOT NULL, sop_instance TEXT NOT NULL, study TEXT NOT NULL,"
    " series TEXT NOT NULL, syntax TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,"
    " file TEXT NOT NULL, state TEXT NOT NULL, unclear INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0, due_s REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',"
    " done_utc TEXT, UNIQUE (destination, sop_instance)) STRICT",
    "CREATE INDEX items_by_state ON items (state, destination, due_s)",
    "CREATE INDEX items_by_job ON items (job_id)",
    # How the last connections with a destination went.
    "CREATE TABLE links (destination TEXT PRIMARY KEY, failures INTEGER NOT NULL, due_s REAL NOT NULL,"
    " message TEXT NOT NULL) STRICT",
)
_CHANGES: Final = (
    (
        # What a server says of whether it keeps an object for good, and when it is next asked.
        "ALTER TABLE items ADD COLUMN commitment TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE items ADD COLUMN commitment_message TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE items ADD COLUMN asks INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE items ADD COLUMN ask_due_s REAL NOT NULL DEFAULT 0",
        "ALTER TABLE items ADD COLUMN ask_until_s REAL NOT NULL DEFAULT 0",
        "CREATE INDEX items_by_commitment ON items (commitment, destination, ask_due_s)",
        # Under which UIDs it was asked: an answer to any of them counts, however late.
        "CREATE TABLE asked (transaction_uid TEXT NOT NULL, item_id INTEGER NOT NULL REFERENCES items"
        " ON DELETE CASCADE, PRIMARY KEY (transaction_uid, item_id)) STRICT",
        "CREATE INDEX asked_by_item ON asked (item_id)",
    ),
)
_ITEM: Final = (
    "item_id, job_id, destination, sop_class, sop_instance, study, series, syntax, sha256, size, file, state,"
    " unclear, attempts, message, commitment, commitment_message, asks"
)


_FORM: Final = Form("sending queue", QUEUE_NAME, _APPLICATION_ID, _VERSION, _SCHEMA, _CHANGES)


class QueueStore(SqliteFolder):
    """The open queue. Safe from any thread; several programs may have it open."""

    def __init__(self, folder: Path) -> None:
        """Open it; it is made when there is none. Only its owner can read the folder.

        Raises:
            PacsError: It is damaged, not ours, or of a newer program.
            SaveError: It cannot be written.
        """
        super().__init__(folder, _FORM)

    def items(self, where: str, values: Sequence[object] | Mapping[str, object]) -> tuple[Item, ...]:
        """The items for which the SQL `where` holds."""
        with self.reading() as connection:
            rows = connection.execute(f"SELECT {_ITEM} FROM items WHERE {where}", values).fetchall()
            return tuple(_item(row) for row in rows)

    def remove_objects(self, files: Iterable[str]) -> None:
        """Remove copies that nobody needs any more. One that cannot be removed now is left over."""
        for file in files:
            path = self.objects / file
            # What stays behind (an open file on Windows) goes at the next start.
            with suppress(OSError):
                path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and flush it to the disk. Raises OSError."""
    with os.fdopen(new_private_file(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _item(row: tuple[Any, ...]) -> Item:
    """Raises DocumentFault where a damaged file says something else."""
    (item_id, job_id, destination, *what, file, state, unclear, attempts, message, commitment, told,
     asks) = row  # fmt: skip
    return ITEM.from_plain(
        {
            "item_id": item_id,
            "job_id": job_id,
            "destination": destination,
            "what": dict(zip((each.name for each in fields(DicomObject)), what, strict=True)),
            "file": file,
            "state": state,
            "unclear": bool(unclear),
            "attempts": attempts,
            "message": message,
            "commitment": commitment,
            "commitment_message": told,
            "asks": asks,
        }
    )


State = Literal["waiting", "sending", "sent", "failed", "refused", "cancelled"]
STATES: Final = ("waiting", "sending", "sent", "failed", "refused", "cancelled")
"""Failed: given up after many attempts. Refused: the server will not take it. Both stay until `retry`."""

Commitment = Literal["", "due", "asked", "committed", "refused", "given up"]
"""Whether a server keeps an object for good: nobody asks; it is to be asked; it was, and has not answered;
it does; it does not; nobody asks any more, as it did not answer or does not answer such questions."""
UNSETTLED: Final = ("due", "asked")
ASK_FOR_S: Final = 7 * 86400.0
"""How long a server is asked again that does not answer."""


@dataclass(frozen=True, slots=True)
class DicomObject:
    """A DICOM object that is to be sent. Identifiers only: nothing here says who was examined.

    Attributes:
        sop_class: Its SOP Class UID.
        sop_instance: Its SOP Instance UID.
        study: Its Study Instance UID.
        series: Its Series Instance UID.
        syntax: The transfer syntax of its file.
        sha256: Of its file.
        size: Bytes of its file.
    """

    sop_class: str
    sop_instance: str
    study: str
    series: str
    syntax: str
    sha256: str
    size: int


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Item:
    """An object in the queue.

    Attributes:
        item_id: Its number.
        job_id: Of its job.
        destination: Name of its destination.
        what: The object.
        file: Its copy, relative to the queue's folder of objects. Removed once it was sent or cancelled.
        state: One of `STATES`.
        unclear: Whether it was sent once, and no answer came.
        attempts: How often it was tried in vain.
        message: What was last said of it.
        commitment: Whether the server keeps it for good.
        commitment_message: What was last said of that.
        asks: How often the server was asked that in vain.
    """

    item_id: int
    job_id: int
    destination: str
    what: DicomObject
    file: str
    state: State
    unclear: bool
    attempts: int
    message: str
    commitment: Commitment = ""
    commitment_message: str = ""
    asks: int = 0


ITEM: Final = Document(Item)


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Job:
    """One act of sending.

    Attributes:
        job_id: Its number, for the user.
        uid: Names it in the log of a session.
        created_utc: When it was queued, ISO.
        destination: Name of its destination.
        session: Folder of the session that it came from, or None. Stays on this machine.
        manifest: SHA-256 of the manifest of the export.
        counts: State -> number of objects; only states that there are.
        message: What was last said of the connection while something waits, else of its objects.
        told: Whether the session's log has the result.
        commitment: What its server says of whether it keeps what was sent -> number of objects; only where
            it is asked.
    """

    job_id: int
    uid: str
    created_utc: Annotated[str, moment()]
    destination: str
    session: Path | None
    manifest: str
    counts: dict[str, int]
    message: str
    told: bool
    commitment: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of its objects."""
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether nothing of it waits any more."""
        return not self.counts.get("waiting") and not self.counts.get("sending")

    @property
    def unsettled(self) -> int:
        """How many objects its server has not yet said to keep for good, or not."""
        return sum(self.commitment.get(each, 0) for each in UNSETTLED)

    @property
    def unkept(self) -> int:
        """How many objects were sent, and their server does not say that it keeps them."""
        return self.commitment.get("refused", 0) + self.commitment.get("given up", 0)

    @property
    def outcomes(self) -> dict[str, int]:
        """What became of its objects -> how many: the states, but where its server is asked whether it keeps
        what was sent, in place of "sent" what it says to that."""
        sent = self.counts.get("sent", 0) - sum(self.commitment.values())
        parts = {
            **{state: number for state, number in self.counts.items() if state != "sent"},
            "sent": sent,
            "safe": self.commitment.get("committed", 0),
            "not yet confirmed": self.unsettled,
            "not kept": self.commitment.get("refused", 0),
            "never confirmed": self.commitment.get("given up", 0),
        }
        return {state: number for state, number in parts.items() if number}

    @property
    def arrived(self) -> bool:
        """Whether all of it was sent, and its server says nothing against keeping it."""
        return self.counts.get("sent") == self.total and not self.unkept


JOB: Final = Document(Job)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of objects that were to be queued.

    Attributes:
        job_id: Of the job; None if there was nothing new to send.
        queued: Objects that now wait.
        known: Objects that were sent to this destination before, or wait already.
    """

    job_id: int | None
    queued: int
    known: int
