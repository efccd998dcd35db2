"""What the sending queue holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

State = Literal["waiting", "sending", "sent", "failed", "refused", "cancelled"]
STATES: Final = ("waiting", "sending", "sent", "failed", "refused", "cancelled")
"""Failed: given up after many attempts. Refused: the server will not take it. Both stay until `retry`."""


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
    """

    job_id: int
    uid: str
    created_utc: str
    destination: str
    session: Path | None
    manifest: str
    counts: dict[str, int]
    message: str
    told: bool

    @property
    def total(self) -> int:
        """Number of its objects."""
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether nothing of it waits any more."""
        return not self.counts.get("waiting") and not self.counts.get("sending")


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
