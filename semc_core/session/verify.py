"""Proving a session: nothing in it was changed, added or removed since it was written."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SessionError
from semc_core.io.documents import DocumentFault
from semc_core.session import database
from semc_core.session.audit_log import chain_problems
from semc_core.session.folder import is_clip, is_picture
from semc_core.session.recording.proof import recording_problems
from semc_core.session.records import AuditEntry, Verification, file_sha256
from semc_core.session.state import TABLES, State
from semc_core.session.undo import UndoStack

_FRAME_COLUMNS: Final = ("seq", "layout", "count", "classes", "experts", "start_s", "end_s", "rows")


def verify(folder: Path, connection: sqlite3.Connection, head: str | None) -> Verification:
    """Check everything that a session says against its log.

    Args:
        folder: Of the session.
        connection: To its database; only read.
        head: Hash of an entry that the log must hold, from an earlier export.
    """
    try:
        with database.reading(folder):
            connection.execute("BEGIN")
            try:
                return _verify(folder, connection, head)
            finally:
                connection.execute("ROLLBACK")
    except SessionError as error:
        return Verification(False, 0, (str(error),))


def _verify(folder: Path, connection: sqlite3.Connection, head: str | None) -> Verification:
    try:
        rows = connection.execute(f"{database.ENTRIES} ORDER BY seq").fetchall()
        entries = [database.entry_of(row) for row in rows]
    except DocumentFault as fault:
        return Verification(False, 0, (f"An entry of the log cannot be read: it was changed ({fault}).",))
    problems = chain_problems(entries, database.stored_head(connection))
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
    try:
        state = State()
        for entry in entries:
            state.apply(entry.payload.get("edits", ()))
        stack = UndoStack.from_entries(entry for entry in entries if entry.who == "person")
    except (SessionError, LookupError):
        problems.append("The log's changes do not follow from each other: an entry was changed.")
    else:
        problems += [] if stored is None else _state_problems(state, stored)
        problems += _file_problems(folder, state, stack)
    closed = bool(entries) and entries[-1].kind == "closed"
    found, notes = recording_problems(folder, entries, closed=closed)
    problems += found
    return Verification(not problems, len(entries), tuple(problems), tuple(notes))


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
    text = str(number)[:80]
    return text if text.isprintable() else ascii(text)


def _state_problems(logged: State, stored: State) -> list[str]:
    problems = []
    for name in TABLES:
        expected, found = logged.rows[name], stored.rows[name]
        for row_id in sorted({*expected, *found}, key=str):
            if expected.get(row_id) != found.get(row_id):
                problems.append(f"Row {_shown(row_id)} of {name} is not what the log says.")
    return problems


def _file_problems(folder: Path, state: State, stack: UndoStack) -> list[str]:
    """Pictures and clips of the planes, and those that an undo would bring back."""
    rows = list(state.rows["planes"].values())
    for step in stack.steps():
        rows += step.brings_back("planes")
    wanted: dict[str, tuple[str, object]] = {}
    problems = []
    for row in rows:
        for kind, column, is_own in (("picture", "png", is_picture), ("clip", "clip", is_clip)):
            name, digest = row.get(column), row.get(f"{column}_sha256")
            if name in (None, ""):
                continue
            if not is_own(name):
                problems.append(f"The log names a {kind} that is none of the session's.")
            elif digest is not None:
                wanted[name] = (kind, digest)
    for name, (kind, digest) in sorted(wanted.items()):
        try:
            found = file_sha256(folder / name)
        except OSError:
            problems.append(f"The {kind} {name} is missing.")
        else:
            if found != digest:
                problems.append(f"The {kind} {name} was changed.")
    return problems
