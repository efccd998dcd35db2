"""A session in which anything was changed is refused, or its verification finds it: always in sentences."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semc_core.errors import SemcError, SessionError
from semc_core.measure.gestation import GestationalAge
from semc_core.session.audit_log import canonical, logged_holds
from semc_core.session.correcting.changes import (
    AddMeasurement,
    MoveToFetus,
    Relabel,
    SetAge,
    SetFetus,
    SetItem,
    SetNote,
    SetScale,
)
from semc_core.session.database import DATABASE_NAME
from semc_core.session.recording.proof import HASHED
from semc_core.session.records import PROGRAM
from semc_core.session.session import Session
from semc_core.session.state import PAYLOAD, TABLES
from tests.documents.changing import Raw, at, changed, places, without, written
from tests.documents.test_bad_documents import BOUNDED, DEEP, DEEP_OBJECT, JSON_VALUES, NOT_FINITE, ODD, WRONG
from tests.session.sessions import filled_session

ENTRIES: Final = (
    "created",
    "frames",
    "plane",
    "relabel",
    "undo",
    "note",
    "item",
    "export",
    "recording",
    HASHED,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with every kind of entry."""
    folder = tmp_path_factory.mktemp("whole") / "scan"
    with filled_session(folder) as session:
        session.apply(Relabel(1, "B"))
        session.apply(SetNote(None, "words"))
        session.apply(SetNote(1, "more words"))
        session.undo()
        session.apply(SetItem("liver", "llp", "not possible", "ribs"))
        session.apply(AddMeasurement("distance", ((1.0, 1.0), (5.0, 4.0)), 10, 0.4, 320, 240, plane_id=1))
        session.apply(SetScale(((1.0, 1.0), (5.0, 4.0)), 2.0, 10, 320, 240))
        session.apply(SetAge(GestationalAge(140, "CRL")))
        session.apply(SetFetus(0.2, "B"))
        session.apply(MoveToFetus(1, "A"))
        session.record_export("folder", "study", "ab" * 32, {"planes": 2})
        (folder / "recording.mkv").write_bytes(b"no video")
        (folder / "recording.csv").write_bytes(b"frame_index,pts_s,time_ms,channels\n")
        session.record_recording(["recording.mkv"], {"frames": 0})
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    """A copy without the log's guards."""
    folder = shutil.copytree(whole, tmp_path / "scan")
    with closing(sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("DROP TRIGGER audit_is_never_shortened")
    return folder


@pytest.fixture
def payloads(copied: Path) -> dict[str, tuple[int, Any]]:
    """Of each kind of entry the last: its number and what it says."""
    with Session.open(copied, read_only=True) as session:
        return {entry.kind: (entry.seq, entry.payload) for entry in session.audit()}


def set_payload(folder: Path, seq: int, payload: object) -> None:
    with closing(sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET payload = ? WHERE seq = ?", (payload, seq))


def said_of(folder: Path, view: Session) -> list[str]:
    """What is said when the session, open since before, is proven, and when it is opened and read."""
    # Without the log's guards, that is said of all of them.
    usual = ("The database is damaged, or its tables or the guards", "session.sqlite is not the file")
    said = [problem for problem in view.verify().problems if not problem.startswith(usual)]
    said += list(_faults_of_reading(folder))
    for text in said:
        assert text.isprintable()
        assert text.endswith(".")
        assert len(text) < 1000
    return said


def _faults_of_reading(folder: Path) -> Iterator[str]:
    try:
        with Session.open(folder, read_only=True) as session:
            session.planes(), session.regions(), session.items(), session.exports(), session.frames()
            session.measurements(), session.scales(), session.age()
            logged_holds(session.audit())
            _ = session.recordings, session.corrections, session.closed, session.head, session.frame_count
    except SemcError as error:
        yield str(error)


def test_the_session_has_every_kind_of_entry_and_is_proven(
    copied: Path, payloads: dict[str, tuple[int, Any]]
) -> None:
    assert set(ENTRIES) <= set(payloads)
    with Session.open(copied, read_only=True) as view:
        assert said_of(copied, view) == []


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_that_is_no_json_is_found(
    kind: str, copied: Path, payloads: dict[str, tuple[int, Any]]
) -> None:
    seq, _ = payloads[kind]
    contents: list[object] = [
        "", "null", "7", "[]", "{", '{"a": "\\ud800"}', '{"a": "\x01"}', "\ufeff{}", DEEP, DEEP_OBJECT,
        "[" * 100_000, "9" * 5000, '{"edits": 7}', '{"edits": [7]}', '{"edits": null}',
    ]  # fmt: skip
    with Session.open(copied, read_only=True) as view:
        for content in contents:
            set_payload(copied, seq, content)
            assert said_of(copied, view), content


@pytest.mark.long
@pytest.mark.parametrize("kind", ENTRIES)
def test_a_changed_value_in_an_entry_is_found(
    kind: str, copied: Path, payloads: dict[str, tuple[int, Any]]
) -> None:
    seq, good = payloads[kind]
    with Session.open(copied, read_only=True) as view:
        for place in places(good):
            there = at(good, place)
            wrong = [each for each in WRONG.get(type(there), [])[:2] + ODD[:1] + ODD[7:10] if each != there]
            for new in [*wrong, *map(Raw, NOT_FINITE[:4]), Raw(DEEP_OBJECT)]:
                set_payload(copied, seq, written(changed(good, place, new)).decode())
                assert said_of(copied, view), (place, new)
            set_payload(copied, seq, written(without(good, place)).decode())
            assert said_of(copied, view), place


@pytest.mark.parametrize("kind", ["created", "plane", "undo", HASHED])
@BOUNDED
@given(data=st.data())
def test_any_value_in_an_entry_is_found(
    kind: str, copied: Path, payloads: dict[str, tuple[int, Any]], data: st.DataObject
) -> None:
    seq, good = payloads[kind]
    new = changed(good, data.draw(st.sampled_from(list(places(good)))), data.draw(JSON_VALUES))
    set_payload(copied, seq, canonical(good))
    with Session.open(copied, read_only=True) as view:
        text = written(new).decode()
        set_payload(copied, seq, text)
        # What is as it was when it is written anew was not changed.
        assert said_of(copied, view) or canonical(PAYLOAD.parse(text)) == canonical(good)


@pytest.mark.long
@pytest.mark.parametrize("table", [*TABLES, "audit", "frames", "local"])
def test_a_value_of_any_type_in_any_column_is_found(table: str, copied: Path, whole: Path) -> None:
    """Also where the table is no longer strict, and takes what it is given."""
    values: list[object] = [
        None,
        "text",
        b"\xff\x00",
        -1,
        2**63 - 1,
        1.5,
        float("inf"),
        "\x07",
        "9" * 5000,
        "",
    ]
    with closing(sqlite3.connect(copied / DATABASE_NAME, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE loose RENAME TO {table}")
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        rows = connection.execute(f"SELECT rowid, * FROM {table}").fetchall()
    if not rows:
        assert table == "regions"
        return
    with Session.open(copied, read_only=True) as view:
        for column in columns:
            for value in values:
                with closing(sqlite3.connect(copied / DATABASE_NAME, isolation_level=None)) as connection:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rows[0][0])
                    )
                said = said_of(copied, view)
                if rows[0][1 + columns.index(column)] != value and table != "local":
                    assert said, (column, value)
                with closing(sqlite3.connect(copied / DATABASE_NAME, isolation_level=None)) as connection:
                    connection.execute(f"DELETE FROM {table}")
                    marks = ", ".join("?" * len(columns))
                    connection.executemany(
                        f"INSERT INTO {table} (rowid, {', '.join(columns)}) VALUES (?, {marks})", rows
                    )


@BOUNDED
@given(data=st.data())
def test_any_bytes_in_the_file_are_refused_or_read(copied: Path, whole: Path, data: st.DataObject) -> None:
    content = bytearray((whole / DATABASE_NAME).read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + 4] = data.draw(st.binary(min_size=4, max_size=4))
    (copied / DATABASE_NAME).write_bytes(content[: data.draw(st.integers(1, len(content)))])
    list(_faults_of_reading(copied))
    try:
        with Session.open(copied, read_only=True) as session:
            session.verify()
    except SessionError:
        pass


def test_text_that_is_no_text_is_not_taken_into_a_log(copied: Path) -> None:
    with Session.open(copied) as session, pytest.raises(SessionError, match="cannot keep this"):
        session.log(PROGRAM, "told", {"name": "a\udcff"})
