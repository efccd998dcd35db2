"""Proving a session: nothing in it was changed, added or removed since it was written."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SessionError
from semc_core.io.documents import DocumentFault
from semc_core.language import _, decimal, english
from semc_core.session import database
from semc_core.session.audit_log import chain_problems
from semc_core.session.correcting.undo import UndoStack
from semc_core.session.proof.file_problems import UNKNOWN, FolderCheck
from semc_core.session.proof.signature_problems import SignatureCheck
from semc_core.session.recording.proof import check_recordings
from semc_core.session.records import AuditEntry, Proof, Verification
from semc_core.session.signing import HeadBook
from semc_core.session.state import TABLES, State
from semc_core.session.vault import Vault

MISMATCH: Final = "mismatch"
"""Kind of the entry that is written first where a session that is opened is not as it was written."""
_FRAME_COLUMNS: Final = ("seq", "layout", "count", "classes", "experts", "start_s", "end_s", "rows")


def verify(
    folder: Path, connection: sqlite3.Connection, head: str | None, *, contents: bool = True
) -> Verification:
    """Check everything that a session says against its log.

    Args:
        folder: Of the session.
        connection: To its database; only read.
        head: Hash of an entry that the log must hold, from an earlier export.
        contents: Read the pictures, clips and recordings, too; else only look whether they are there.
    """
    book = HeadBook()
    try:
        with database.reading(folder):
            connection.execute("BEGIN")
            try:
                return _verify(folder, connection, head, book, contents=contents)
            finally:
                connection.execute("ROLLBACK")
    except SessionError as error:
        return Verification(Proof.CHANGED, 0, (english(str(error)),))


def verify_unopened(folder: Path) -> Verification:
    """How a session that is about to be opened for writing stands, without reading its pictures."""
    with closing(database.open_database(folder, read_only=True)) as connection:
        return verify(folder, connection, None, contents=False)


def new_mismatches(found: Verification, log: Iterable[AuditEntry], vault: Vault) -> list[str]:
    """What is wrong and not in the log yet, for a `MISMATCH` entry: the name of a file may be a patient's."""
    told = {sentence for entry in log if entry.kind == MISMATCH for sentence in _told(entry, vault)}
    new = [problem for problem in found.problems if problem not in told and not problem.startswith(_WHEN)]
    return [vault.hide(problem) if problem.endswith(UNKNOWN) else problem for problem in new]


def _verify(
    folder: Path, connection: sqlite3.Connection, head: str | None, book: HeadBook, *, contents: bool
) -> Verification:
    try:
        rows = connection.execute(f"{database.ENTRIES} ORDER BY seq").fetchall()
        entries = [database.entry_of(row) for row in rows]
    except DocumentFault as fault:
        problem = f"An entry of the log cannot be read: it was changed ({fault})."
        return Verification(Proof.CHANGED, 0, (problem,))
    problems = [] if database.is_whole(connection) else [_NOT_WHOLE]
    problems += chain_problems(entries, database.stored_head(connection))
    vault = Vault(connection)
    problems += vault.problems(entries)
    problems += _mismatches(entries, vault)
    if head is not None and all(entry.hash != head for entry in entries):
        problems.append(
            "The log does not hold the entry that was asked for: its end was cut off, or it is another."
        )
    problems += _frame_problems(entries, connection)
    try:
        stored = database.stored_state(connection)
    except DocumentFault as fault:
        problems.append(f"What is stored beside the log cannot be read: it was changed ({fault}).")
        stored = None
    notes: list[str] = []
    signed = database.local_value(connection, database.SIGNED)
    signature = SignatureCheck.of(folder, entries, signed, book)
    problems += signature.problems
    try:
        state = State()
        for entry in entries:
            state.apply(entry.payload.get("edits", ()))
        stack = UndoStack.from_entries(entry for entry in entries if entry.who == "person")
    except (SessionError, LookupError):
        problems.append("The log's changes do not follow from each other: an entry was changed.")
    else:
        problems += [] if stored is None else _state_problems(state, stored)
        check = FolderCheck(folder, entries, state, stack, connection, signed=signature.from_the_start)
        check.look(contents=contents)
        problems += check.problems
        notes += check.notes
    closed = bool(entries) and entries[-1].kind == "closed"
    recordings = check_recordings(folder, entries, closed=closed, contents=contents)
    problems, notes = problems + recordings.problems, notes + recordings.notes
    proof = Proof.CHANGED if problems else signature.proof
    why = "" if problems else signature.why
    covers = "" if problems else _covered(entries, recordings.uncovered, closed=closed)
    return Verification(proof, len(entries), tuple(problems), tuple(notes), why, covers)


def _covered(entries: Sequence[AuditEntry], uncovered: Sequence[str], *, closed: bool) -> str:
    """How far what is said goes, where it does not go to the end of everything; or ""."""
    ends = [entry.payload.get("end_s") for entry in entries if entry.kind == "frames"]
    last_s = max((end for end in ends if isinstance(end, int | float)), default=None)
    # An open session of which every frame is logged is no longer than that.
    whole = closed or any(entry.kind == "complete" for entry in entries)
    upto = without = ""
    if not whole and last_s is not None:
        upto = _("up to {seconds} s of the scan", seconds=decimal(last_s, 1))
    if uncovered:
        without = _("without {files}", files=_(" and ").join(uncovered))
    return ", ".join(filter(None, (upto, without)))


def _mismatches(entries: Iterable[AuditEntry], vault: Vault) -> list[str]:
    """What was found when the session was opened before: what was changed then may have been mended since."""
    return [
        f"{_WHEN} {entry.time_utc[:19].replace('T', ' ')} UTC, it was found that: {sentence}"
        for entry in entries
        if entry.kind == MISMATCH
        for sentence in _told(entry, vault)
    ]


def _told(entry: AuditEntry, vault: Vault) -> list[str]:
    told = entry.payload.get("problems")
    return [_shown(vault.reveal(str(each))) for each in told] if isinstance(told, list) else []


_WHEN: Final = "When it was opened at"
_NOT_WHOLE: Final = (
    "The database is damaged, or its tables or the guards of its log are not those that were made: "
    "it was changed."
)


def _frame_problems(entries: Iterable[AuditEntry], connection: sqlite3.Connection) -> list[str]:
    problems = []
    stored = {
        row[0]: row[1:] for row in connection.execute(f"SELECT {', '.join(_FRAME_COLUMNS)} FROM frames")
    }
    for entry in entries:
        if entry.kind != "frames":
            continue
        found, told = stored.pop(entry.seq, None), entry.payload
        span = f"Frames {_number(told, 'first')} to {_number(told, 'last')}"
        if found is None:
            problems.append(f"{span} are missing.")
            continue
        *numbers, rows = found
        expected = [told.get(name) for name in _FRAME_COLUMNS[1:-1]]
        whole = numbers == expected and isinstance(rows, bytes)
        if not whole or hashlib.sha256(rows).hexdigest() != told.get("sha256"):
            problems.append(f"{span} were changed.")
    problems += [f"The frames of entry {_shown(seq)} are not in the log." for seq in stored]
    return problems


def _number(told: Mapping[str, Any], name: str) -> str:
    """A number of an entry; "?" where it is none."""
    return str(told[name]) if isinstance(told.get(name), int) else "?"


def _shown(number: object) -> str:
    """What identifies a row, as it may be shown."""
    text = str(number)[:400]
    return text if text.isprintable() else ascii(text)


def _state_problems(logged: State, stored: State) -> list[str]:
    problems = []
    for name in TABLES:
        expected, found = logged.rows[name], stored.rows[name]
        for row_id in sorted({*expected, *found}, key=str):
            if expected.get(row_id) != found.get(row_id):
                problems.append(f"Row {_shown(row_id)[:80]} of {name} is not what the log says.")
    return problems
