"""The log of a session: only ever added to, each entry holding the hash of the one before.

Writing entries of the log and their edits, all or nothing.

The first entry of a log: source, model, program; and reading it back.

What the model found, as the log has it: apart from what a person made of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SessionError
from semc_core.io.documents import STRICT, TOLERANT, Document, DocumentFault, configured
from semc_core.io.rules import check_moment
from semc_core.language import _
from semc_core.session import database
from semc_core.session.frame_table import LAYOUT, Batch, FrameRow, pack
from semc_core.session.records import MODEL, PASSING, AuditEntry, ModelEntry, SourceEntry
from semc_core.session.signing import SignedHead, Signer, machine_signer
from semc_core.session.state import Edit
from semc_core.text import utc_now
from semc_core.types import HoldEvent
from semc_core.version import VERSION

FIRST_PREVIOUS: Final = "0" * 64
"""What the first entry names as the hash before it."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values give equal text.

    Raises:
        SessionError: `value` holds something that JSON does not know, such as NaN.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        text.encode()  # Half a pair of surrogates, as in a file's name that is no UTF-8, is no text.
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise SessionError(
            _("The session cannot keep this ({fault}); use plain, finite values.", fault=error)
        ) from error


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON of everything in `entry` but its hash."""
    return _hash(entry.seq, entry.time_utc, entry.who, entry.kind, entry.payload, entry.previous)


def next_entry(
    last: tuple[int, str], time_utc: str, who: str, kind: str, payload: dict[str, Any]
) -> AuditEntry:
    """The entry that follows `last` (number and hash; number 0 begins the log)."""
    seq = last[0]
    previous = last[1] if seq else FIRST_PREVIOUS
    digest = _hash(seq + 1, time_utc, who, kind, payload, previous)
    return AuditEntry(seq + 1, time_utc, who, kind, payload, previous, digest)


def chain_problems(entries: Iterable[AuditEntry], head: tuple[int, str] | None) -> list[str]:
    """What is wrong with the chain; `head` is the number and hash that the last entry must have."""
    problems = []
    last: tuple[int, str] | None = None
    for entry in entries:
        seq, previous = (0, FIRST_PREVIOUS) if last is None else last
        if entry.seq != seq + 1:
            problems.append(f"Entries {seq + 1} to {entry.seq - 1} of the log are missing.")
        elif entry.previous != previous:
            problems.append(f"Entry {entry.seq} of the log does not follow entry {seq}.")
        if not _is_proven(entry):
            problems.append(f"Entry {entry.seq} of the log was changed.")
        last = entry.seq, entry.hash
    if last is None:
        problems.append("The log is empty.")
    elif head is None or last[0] > head[0]:
        problems.append("The log has entries that its head does not know.")
    elif last[0] < head[0]:
        problems.append(f"Entries {last[0] + 1} to {head[0]} of the log are missing.")
    elif last != head:
        problems.append("The last entry of the log is not the one that its head names.")
    return problems


def _is_proven(entry: AuditEntry) -> bool:
    try:
        return entry_hash(entry) == entry.hash
    except SessionError:  # it says what no entry says: a number that is not finite
        return False


def _hash(seq: int, time_utc: str, who: str, kind: str, payload: dict[str, Any], previous: str) -> str:
    text = canonical(
        {
            "seq": seq,
            "time_utc": time_utc,
            "who": who,
            "kind": kind,
            "payload": payload,
            "previous": previous,
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """An entry to be written: who did what, which rows of the state change, which frames come with it."""

    who: str
    kind: str
    payload: dict[str, Any]
    edits: tuple[Edit, ...] = ()
    batch: Batch | None = None
    start_s: float = 0.0
    end_s: float = 0.0


class AuditLog:
    """The writing end of the log. Not for several threads at once.

    Attributes:
        session: Hash of the log's first entry; "" before there is one. Set it of a log that is gone on with.
        signed: The newest head; None before the first commit.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection
        self.session = ""
        self.signed: SignedHead | None = None

    @functools.cached_property
    def signer(self) -> Signer:
        """Signs the head with every commit, in the same transaction: no entry is without."""
        return machine_signer()

    def commit(
        self,
        head: tuple[int, str],
        notes: Sequence[AuditEvent],
        beside: Callable[[], None] | None = None,
    ) -> tuple[list[int], tuple[int, str]]:
        """Write entries, and what is not part of the log, in one transaction.

        Args:
            head: Number and hash of the last entry; number 0 before the first.
            notes: The entries, in order.
            beside: Writes what is not part of the log.

        Returns:
            The numbers of the entries, and the new head.

        Raises:
            SaveError: Nothing was written: the disk is full, say.
            SessionError: The database is damaged.
        """
        now, numbers = utc_now(), []
        session = self.session
        with database.translate_sqlite_errors(self._folder), database.transaction(self._connection):
            for note in notes:
                payload = {**note.payload, "edits": list(note.edits)} if note.edits else note.payload
                entry = next_entry(head, now, note.who, note.kind, payload)
                head = (entry.seq, entry.hash)
                session = session or entry.hash
                database.insert_entry(self._connection, entry, canonical(payload))
                for edit in note.edits:
                    database.apply_edit(self._connection, edit)
                if note.batch is not None:
                    self._insert(entry.seq, note.batch, note.start_s, note.end_s)
                numbers.append(entry.seq)
            database.set_local(self._connection, database.HEAD, f"{head[0]} {head[1]}")
            signed = self.signer.sign_head(session, *head)
            database.set_local(self._connection, database.SIGNED, signed.to_text())
            if beside is not None:
                beside()
        self.session, self.signed = session, signed
        return numbers, head

    def _insert(self, seq: int, batch: Batch, start_s: float, end_s: float) -> None:
        self._connection.execute(
            "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, LAYOUT, batch.count, batch.classes, batch.experts, start_s, end_s, batch.rows),
        )


def frames_note(rows: Sequence[FrameRow], model: ModelEntry) -> AuditEvent:
    """The entry for frames that are written together; its payload proves their bytes.

    Raises:
        SessionError: Another model classified them.
    """
    batch = pack(rows, model.classes, model.none_class)
    indices, times = [row.index for row in rows], [row.pts_s for row in rows]
    payload = {
        "first": min(indices),
        "last": max(indices),
        "layout": LAYOUT,
        "count": batch.count,
        "classes": batch.classes,
        "experts": batch.experts,
        "start_s": min(times),
        "end_s": max(times),
        "sha256": sha256(batch.rows).hexdigest(),
    }
    return AuditEvent(MODEL, "frames", payload, (), batch, min(times), max(times))


def origin_payload(source: SourceEntry, model: ModelEntry, signer: str) -> dict[str, Any]:
    """Plain JSON values. The path is left out: it stays on this machine, and a log may travel.

    Args:
        source: Where the frames come from.
        model: What classifies them.
        signer: The public key of what signs the log.
    """
    told = asdict(source)
    for name in ("path", *PASSING):
        del told[name]
    for name in ("capture", "picture_options"):
        if told[name] is None:
            del told[name]
    # Tuples as lists, as they come back from the file.
    preprocessing = {**asdict(model.preprocessing)}
    for name in ("mean", "std"):
        preprocessing[name] = list(preprocessing[name])
    return {
        "program": VERSION,
        "signer": signer,
        "source": told,
        "model": {**asdict(model), "classes": list(model.classes), "preprocessing": preprocessing},
    }


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Origin:
    """What the first entry of a log says."""

    source: SourceEntry
    model: ModelEntry


ORIGIN: Final = Document(Origin)


def began_at(first: AuditEntry) -> str:
    """When the log began, by its first entry: a time that can be shown.

    The times of the others are only proven: a changed one is a finding, and no reason not to open the
    session.

    Raises:
        DocumentFault: It is none.
    """
    try:
        check_moment(first.time_utc)
    except ValueError as error:
        raise DocumentFault(f"in its entry {first.seq} its field 'time_utc' {error}") from error
    return first.time_utc


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as it was announced. Times in seconds.

    Attributes:
        plane: Class name.
        frame_index: Of its best frame.
        time_s: Of its best frame.
        confidence: Smoothed probability of `plane` at that frame.
        start_s: When it began.
        end_s: Its newest frame.
        final: Whether it was over.
    """

    plane: str
    frame_index: int
    time_s: float
    confidence: float
    start_s: float
    end_s: float
    final: bool


def hold_of(event: HoldEvent) -> Hold:
    """What is logged of `event`."""
    packet = event.best.packet
    return Hold(
        plane=event.plane,
        frame_index=packet.index,
        time_s=float(packet.pts_s),
        confidence=float(event.confidence),
        start_s=float(event.start_s),
        end_s=float(event.end_s),
        final=event.final,
    )


def hold_payload(event: HoldEvent) -> dict[str, Any]:
    """The payload of the log's entry for `event`, plain JSON values."""
    return {"plane_id": event.hold_id, "found": asdict(hold_of(event))}


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class FoundPlane:
    """What an entry on a plane says of the hold that it was found in."""

    plane_id: int
    found: Hold


FOUND_PLANE: Final = Document(FoundPlane)


def logged_holds(log: Iterable[AuditEntry]) -> list[Hold]:
    """The last word of the model on each of its holds, in order of their beginning.

    Raises:
        SessionError: An entry is not as this program writes it.
    """
    holds: dict[int, Hold] = {}
    for entry in log:
        if entry.who == MODEL and entry.kind == "plane":
            try:
                told = FOUND_PLANE.from_plain(entry.payload)
            except DocumentFault as fault:
                raise SessionError(
                    _(
                        "The log of the session is damaged (in its entry {entry} {fault}); use a copy of it.",
                        entry=entry.seq,
                        fault=fault,
                    )
                ) from fault
            holds[told.plane_id] = told.found
    return sorted(holds.values(), key=lambda hold: (hold.start_s, hold.frame_index))
