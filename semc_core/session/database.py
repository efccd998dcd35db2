"""The session's SQLite file: tables, schema version, opening it, and bringing an older one up to date."""

from __future__ import annotations

import functools
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from typing_extensions import TypedDict

from semc_core.errors import SessionError
from semc_core.io.atomic import save_error
from semc_core.io.documents import STRICT, Document, DocumentFault, configured
from semc_core.io.private import new_private_file
from semc_core.io.regular import is_file
from semc_core.session import database_faults
from semc_core.session.records import AuditEntry
from semc_core.session.state import PAYLOAD, TABLES, Edit, State

DATABASE_NAME: Final = "session.sqlite"
DATABASE_FILES: Final = tuple(f"{DATABASE_NAME}{suffix}" for suffix in ("", "-wal", "-shm", "-journal"))
"""What SQLite may have in the folder; after a crash all of them belong together."""
WAL_NAME: Final = f"{DATABASE_NAME}-wal"
HEAD: Final = "head"
SIGNED: Final = "signed"
"""The signed head: see `signing.SignedHead`."""
SCHEMA_VERSION: Final = 5
_APPLICATION_ID: Final = 0x53454D43  # "SEMC"
_BUSY_S: Final = 5.0
_HEAD: Final = re.compile(r"([0-9]{1,18}) (.*)", re.DOTALL)


@configured(STRICT)
class AuditRow(TypedDict):
    """A row of the log, as it is stored: `payload` is JSON. See `AuditEntry`."""

    seq: int
    time_utc: str
    who: str
    kind: str
    payload: str
    previous: str
    hash: str


AUDIT_ROW: Final = Document(AuditRow)
ENTRIES: Final = f"SELECT {', '.join(AuditRow.__annotations__)} FROM audit"
"""SQL for the log's rows, in the order that `entry_of` takes."""


def _create_table(name: str) -> str:
    table = TABLES[name]
    columns = ", ".join(
        f"{column} {kind}{' PRIMARY KEY' if column == table.key else ''}"
        for column, kind in table.columns.items()
    )
    return f"CREATE TABLE {name} ({columns}) STRICT"


_LATER: Final = {3: ("measurements", "scales"), 4: ("ages",), 5: ("turns", "fetuses")}
"""Tables of the state that each version brought."""
_FIRST: Final = tuple(name for name in TABLES if not any(name in names for names in _LATER.values()))


_SCHEMA_1: Final = (
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY, time_utc TEXT NOT NULL, who TEXT NOT NULL,"
    " kind TEXT NOT NULL, payload TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT",
    "CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END",
    "CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END",
    # The log's head; of older programs also the source's path. Not part of the log.
    "CREATE TABLE local (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE frames (seq INTEGER PRIMARY KEY REFERENCES audit(seq), layout INTEGER NOT NULL,"
    " count INTEGER NOT NULL, classes INTEGER NOT NULL, experts INTEGER NOT NULL,"
    " start_s REAL NOT NULL, end_s REAL NOT NULL, rows BLOB NOT NULL) STRICT",
)

# From version N to N + 1, each within one transaction. A new session goes the same way: there is one truth.
_MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    0: (*_SCHEMA_1, *map(_create_table, _FIRST)),
    # Found by time without reading the rows, and the undo steps without reading the whole log.
    1: (
        "CREATE INDEX frames_by_time ON frames (end_s, start_s)",
        "CREATE INDEX log_by_who ON audit (who, seq)",
    ),
    # Besides, the log is signed: a program that cannot sign must not add to it.
    2: tuple(map(_create_table, _LATER[3])),
    # What may name a patient, and can be erased: see `vault`.
    3: (
        "CREATE TABLE private (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
        "INSERT INTO private SELECT key, value FROM local WHERE key = 'source_path'",
        "DELETE FROM local WHERE key = 'source_path'",
        *map(_create_table, _LATER[4]),
    ),
    4: tuple(map(_create_table, _LATER[5])),
}


def create_database(folder: Path) -> sqlite3.Connection:
    """A new, empty database in `folder`, open for writing.

    Raises:
        SessionError: There is a session in this folder already.
        SaveError: It could not be written.
    """
    path = folder / DATABASE_NAME
    try:  # SQLite gives its other files the mode of this one.
        os.close(new_private_file(path))
    except FileExistsError as error:
        raise database_faults.taken(folder) from error
    except OSError as error:
        raise save_error(folder, error) from error
    with translate_sqlite_errors(folder):
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare_writer(connection)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_database(folder: Path, *, read_only: bool) -> sqlite3.Connection:
    """The database in `folder`; an older one is brought up to date if it may be written to.

    Raises:
        SessionError: There is none, it is damaged, not ours, or of a newer program.
        SaveError: It could not be written to.
    """
    check_there(folder)
    with translate_sqlite_errors(folder):
        if read_only:
            _roll_back(folder)
        connection = connect(folder, read_only=read_only)
        try:
            _check(connection, folder)
            if not read_only:
                _prepare_writer(connection)
                migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _roll_back(folder: Path) -> None:
    """Let SQLite take back what a kill left half written: who may only read cannot, and would read nothing.

    So it is where the kill came while the database changed to or from a write-ahead log.
    """
    try:
        with closing(connect(folder, read_only=True)) as connection:
            connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        with closing(connect(folder, read_only=False)) as connection:
            connection.execute("PRAGMA user_version").fetchone()


def check_there(folder: Path) -> None:
    """Raises SessionError if there is no session in `folder`."""
    if not is_file(folder / DATABASE_NAME):
        raise database_faults.missing(folder, DATABASE_NAME)


def connect(folder: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to the database that is there, for any thread, without transactions of its own."""
    uri = (folder / DATABASE_NAME).absolute().as_uri()
    connection = sqlite3.connect(
        f"{uri}?mode={'ro' if read_only else 'rw'}",
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
    return connection


def migrate(connection: sqlite3.Connection, wanted: int | None = None) -> None:
    """Bring the tables to a version, `SCHEMA_VERSION` unless told. The log is never rewritten."""
    for number in range(_version(connection), SCHEMA_VERSION if wanted is None else wanted):
        with transaction(connection):
            for statement in _MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds the file whole, and its tables, guards and indices are those that were made."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        return False
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return _schema(connection) == _schema_of(version)


@functools.cache
def _schema_of(version: int) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh, version)
        return _schema(fresh)


def _schema(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


def close_database(connection: sqlite3.Connection, *, read_only: bool) -> None:
    """Close; a writer leaves one plain file behind, which can be read from where nothing can be written."""
    try:
        if not read_only:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError:
        # Somebody reads it, or the disk is full: it stays in two files, which is as good.
        connection.rollback()
    finally:
        connection.close()


def scrub(connection: sqlite3.Connection, folder: Path) -> None:
    """Leave no byte of what was deleted in the database's files.

    Raises:
        SaveError: Somebody reads the session; do it again when nobody does.
    """
    with translate_sqlite_errors(folder):
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("VACUUM")
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise database_faults.still_read(folder)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read inside is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn whatever goes wrong with reading a session into sentences: it may be damaged, or a stranger's."""
    try:
        with translate_sqlite_errors(folder):
            yield
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        why = f" ({error})" if isinstance(error, DocumentFault) else ""
        raise SessionError(
            f"The log of {folder.name} is damaged{why}; use a copy of the session, if there is one."
        ) from error


@contextmanager
def translate_sqlite_errors(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into sentences."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite may quote what is no text
        raise database_faults.of_sqlite(folder, error) from error


def insert_entry(connection: sqlite3.Connection, entry: AuditEntry, payload: str) -> None:
    """Add an entry to the log; `payload` is its payload as text."""
    connection.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)",
        (entry.seq, entry.time_utc, entry.who, entry.kind, payload, entry.previous, entry.hash),
    )


def entry_of(row: tuple[Any, ...]) -> AuditEntry:
    """The entry that a row of the log says.

    Raises:
        DocumentFault: It is not as this program writes it.
    """
    try:
        told = AUDIT_ROW.check(dict(zip(AuditRow.__annotations__, row, strict=True)))
        payload: Any = PAYLOAD.parse(told["payload"])
    except DocumentFault as fault:
        number = row[0] if isinstance(row[0], int) else "?"
        raise DocumentFault(f"in its entry {number} {fault}", fault.problems) from fault
    return AuditEntry(
        told["seq"], told["time_utc"], told["who"], told["kind"], payload, told["previous"], told["hash"]
    )


def first_entry(connection: sqlite3.Connection) -> AuditEntry:
    """The entry with which the log begins. Raises ValueError if it is not there."""
    row = connection.execute(f"{ENTRIES} ORDER BY seq LIMIT 1").fetchone()
    if row is None or row[0] != 1:
        raise ValueError("no first entry")
    return entry_of(row)


def entries_by(connection: sqlite3.Connection, who: str) -> Iterator[AuditEntry]:
    """The entries of the model, of a person or of the program, in order."""
    rows = connection.execute(f"{ENTRIES} WHERE who = ? ORDER BY seq", (who,))
    return (entry_of(row) for row in rows)


def last_payload(connection: sqlite3.Connection, kind: str) -> dict[str, Any] | None:
    """What the last entry of a kind says; None where there is none."""
    row = connection.execute(f"{ENTRIES} WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,)).fetchone()
    return None if row is None else entry_of(row).payload


def last_head(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the last entry. Raises TypeError if there is none."""
    seq, digest = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return int(seq), str(digest)


def last_kind(connection: sqlite3.Connection) -> str:
    """What the last entry is about."""
    (kind,) = connection.execute("SELECT kind FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return str(kind)


def data_version(connection: sqlite3.Connection) -> int:
    """Another number whenever another connection has written."""
    (number,) = connection.execute("PRAGMA data_version").fetchone()
    return int(number)


def apply_edit(connection: sqlite3.Connection, edit: Edit) -> None:
    """Make an edit in the tables of the state."""
    name, row_id, before, after = edit["table"], edit["id"], edit["before"], edit["after"]
    table = TABLES[name]
    if before is None:
        assert after is not None
        columns = [column for column in table.columns if column in after]
        marks = ", ".join("?" * len(columns))
        connection.execute(
            f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", [after[each] for each in columns]
        )
    elif after is None:
        connection.execute(f"DELETE FROM {name} WHERE {table.key} = ?", (row_id,))
    else:
        columns = [column for column in table.columns if column in after]
        settings = ", ".join(f"{column} = ?" for column in columns)
        values = [*(after[each] for each in columns), row_id]
        connection.execute(f"UPDATE {name} SET {settings} WHERE {table.key} = ?", values)


def stored_state(connection: sqlite3.Connection) -> State:
    """The tables of the state as they are stored.

    Raises:
        DocumentFault: A row is not as this program writes it.
    """
    state = State()
    for name in _tables(_version(connection)):
        table = TABLES[name]
        columns = list(table.columns)
        for values in connection.execute(f"SELECT {', '.join(columns)} FROM {name}"):
            try:
                row = table.document.check(dict(zip(columns, values, strict=True)))
            except DocumentFault as fault:
                raise DocumentFault(f"in its table {name} {fault}", fault.problems) from fault
            state.rows[name][row[table.key]] = row
    return state


def local_value(connection: sqlite3.Connection, key: str) -> str | None:
    """A value that is not part of the log."""
    found = connection.execute("SELECT value FROM local WHERE key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def stored_head(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Number and hash that the last entry of the log must have; None if that is not recorded."""
    found = _HEAD.fullmatch(local_value(connection, HEAD) or "")
    return None if found is None else (int(found[1]), found[2])


def set_local(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Set a value that is not part of the log."""
    connection.execute("INSERT OR REPLACE INTO local VALUES (?, ?)", (key, value))


def _prepare_writer(connection: sqlite3.Connection) -> None:
    """Readers are never blocked (WAL). Commits wait for no disk (NORMAL): `wal_sync` flushes after them."""
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is erased is overwritten.
    connection.execute("PRAGMA secure_delete = ON")


def _check(connection: sqlite3.Connection, folder: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    version = _version(connection)
    if _is_empty(connection, application, version):
        raise database_faults.empty(folder)
    if application != _APPLICATION_ID or version < 1:
        raise database_faults.foreign(folder, DATABASE_NAME)
    if version > SCHEMA_VERSION:
        raise database_faults.newer(folder)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _tables(version: int) -> tuple[str, ...]:
    """The tables of the state that a database of this version has: who only looks brings none up to date."""
    return (*_FIRST, *(name for number, names in _LATER.items() if number <= version for name in names))


def _is_empty(connection: sqlite3.Connection, application: int, version: int) -> bool:
    """Whether a kill came before the first entry was written, or even before the tables were."""
    if version == 0:
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        return application == _APPLICATION_ID or not tables
    if application != _APPLICATION_ID or version > SCHEMA_VERSION:
        return False
    held = " UNION ALL ".join(f"SELECT 1 FROM {name}" for name in ("audit", "frames", *_tables(version)))
    return connection.execute(f"{held} LIMIT 1").fetchone() is None
