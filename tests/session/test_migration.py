"""Sessions of older and newer programs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from semc_core.errors import SessionError
from semc_core.measure.gestation import GestationalAge
from semc_core.session import database
from semc_core.session.correcting.changes import AddMeasurement, Relabel, SetAge
from semc_core.session.session import Session
from tests.session.sessions import filled_session


def version_of(folder: Path) -> int:
    connection = sqlite3.connect(folder / "session.sqlite")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


def test_a_session_of_version_1_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 1)
        with filled_session(tmp_path / "s") as session:
            session.apply(Relabel(1, "B"))
            planes, frames = session.planes(), session.frames()
    assert version_of(tmp_path / "s") == 1
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert session.planes() == planes
        assert session.verify().ok
    assert version_of(tmp_path / "s") == 1, "looking changes nothing"
    with Session.open(tmp_path / "s") as session:
        assert session.planes() == planes
        assert session.frames().pts_s.tolist() == frames.pts_s.tolist()
        assert session.undo() is not None
        assert session.verify().ok
    assert version_of(tmp_path / "s") == database.SCHEMA_VERSION


def test_a_session_from_before_measuring_is_measured_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 2)
        with filled_session(tmp_path / "s") as session:
            planes = session.planes()
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert (session.planes(), session.measurements(), session.scales()) == (planes, (), ())
        assert session.verify().ok
    assert version_of(tmp_path / "s") == 2, "looking changes nothing"
    with Session.open(tmp_path / "s") as session:
        session.apply(AddMeasurement("distance", ((1.0, 1.0), (5.0, 4.0)), 10, 0.4, 8, 8))
        assert [each.kind for each in session.measurements()] == ["distance"]
        assert session.verify().ok


def test_a_session_from_before_dates_gets_the_age_of_a_pregnancy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 3)
        with filled_session(tmp_path / "s") as session:
            session.apply(AddMeasurement("distance", ((1.0, 1.0), (5.0, 4.0)), 10, 0.4, 8, 8))
            measured = session.measurements()
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert (session.measurements(), session.age()) == (measured, None)
    assert version_of(tmp_path / "s") == 3, "looking changes nothing"
    with Session.open(tmp_path / "s") as session:
        session.apply(SetAge(GestationalAge(140, "CRL")))
        assert session.age() == GestationalAge(140, "CRL")
        assert session.verify().ok


def test_a_new_session_has_the_tables_of_a_migrated_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tables(folder: Path) -> list[tuple[str, str]]:
        connection = sqlite3.connect(folder / "session.sqlite")
        found = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        connection.close()
        return found

    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 1)
        filled_session(tmp_path / "old").close()
    Session.open(tmp_path / "old").close()
    filled_session(tmp_path / "new").close()
    assert tables(tmp_path / "old") == tables(tmp_path / "new")


def test_a_newer_session_is_left_alone(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    connection = sqlite3.connect(tmp_path / "s" / "session.sqlite")
    connection.execute(f"PRAGMA user_version = {database.SCHEMA_VERSION + 1}")
    connection.close()
    for read_only in (True, False):
        with pytest.raises(SessionError, match="newer program; update this one"):
            Session.open(tmp_path / "s", read_only=read_only)


def test_a_session_that_never_began_is_said(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "session.sqlite").execute("PRAGMA journal_mode = WAL").connection.close()
    with pytest.raises(SessionError, match="ended before it began"):
        Session.open(tmp_path)
    (tmp_path / "session.sqlite").unlink()
    database.create_database(tmp_path).close()
    with pytest.raises(SessionError, match="ended before it began"):
        Session.open(tmp_path)
    connection = sqlite3.connect(tmp_path / "session.sqlite")
    connection.execute("INSERT INTO session (id, note) VALUES (1, '')")
    connection.commit()
    with pytest.raises(SessionError, match="is damaged"):
        Session.open(tmp_path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with pytest.raises(SessionError, match="ended before it began"):
        Session.open(tmp_path)
