"""What may name a patient lies beside the log, and can be erased."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from app.settings import Settings
from main import main
from semc_core import paths
from semc_core.errors import SaveError, SessionError, SessionInUse
from semc_core.io.atomic import write_atomically
from semc_core.session import database
from semc_core.session.correcting.changes import MarkRegion, Reject, SetItem, SetNote
from semc_core.session.erasing import forget as forgetting
from semc_core.session.erasing.forget import forget
from semc_core.session.erasing.remembered import forget_source
from semc_core.session.records import Proof, source_entry
from semc_core.session.session import Session
from semc_core.session.vault import ERASED
from tests.session.killed_writer import origin
from tests.session.sessions import find_plane, frame

NAMES = ("Meierhofer", "Zwickel", "Quastel", "Yblau", "Wuchtig", "Xanten", "Petunia")


def named_session(root: Path) -> Path:
    """A closed session of a file, in which names were typed wherever there is room for one."""
    info = replace(origin().source, source_id="Meierhofer Anna.mp4", kind="video", live=False)
    source = source_entry(info, root / "Meierhofer Anna.mp4", "ab" * 32)
    with Session.create(root / "2026_video_Meierhofer-Anna.mp4", source, origin().entries()[1]) as session:
        session.add_frames([frame(index, label="A") for index in range(20)])
        find_plane(session, 1, 10)
        for change in (
            SetNote(None, "Zwickel, born 1980"),
            SetNote(1, "of Quastel"),
            Reject(1, "Yblau moved"),
            MarkRegion(0.1, 0.2, "Wuchtig", "Xanten"),
            SetItem("p", "i", "not possible", "Petunia"),
        ):
            session.apply(change)
        session.undo()
        session.record_export("folder", "Petunia-2", "cd" * 32, {})
    return session.folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return named_session(tmp_path)


def files_with(folder: Path, names: tuple[str, ...]) -> Iterator[str]:
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        content = re.sub(
            b"[0-9a-f]{64}", b"", content
        )  # hashes, which may hold the digits of a number by chance
        if any(name.encode() in content or name in path.name for name in names):
            yield path.name


def verified(folder: Path) -> tuple[Proof, tuple[str, ...]]:
    with Session.open(folder, read_only=True) as session:
        found = session.verify()
        return found.proof, found.problems


def test_the_log_holds_no_text_that_a_person_typed_and_no_name_of_a_file(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "session.sqlite")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
        held = {name: str(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables}
    assert {name for name, text in held.items() if any(each in text for each in NAMES)} == {"private"}
    assert all(each in held["private"] for each in NAMES)


def test_what_was_typed_is_shown_as_it_was_typed(folder: Path) -> None:
    for read_only in (True, False):
        with Session.open(folder, read_only=read_only) as session:
            assert session.source.source_id == "Meierhofer Anna.mp4"
            assert (session.source.path or "").endswith("Meierhofer Anna.mp4")
            (plane,) = session.planes(rejected=True)
            assert (session.note, plane.note, plane.reason) == (
                "Zwickel, born 1980",
                "of Quastel",
                "Yblau moved",
            )
            assert [(each.label, each.note) for each in session.regions()] == [("Wuchtig", "Xanten")]
            assert session.exports()[0].name == "Petunia-2"
            if not read_only:
                assert session.undo() == "Marked 0.10 to 0.20 s as Wuchtig"
                session.redo()
                session.redo()
                assert session.items()[0].reason == "Petunia"
    assert verified(folder) == (Proof.PROVEN, ())


@pytest.mark.requirement("K5")
def test_forgetting_leaves_no_byte_of_a_name_in_the_folder_and_the_session_proven(folder: Path) -> None:
    assert {"session.sqlite", "001_A_f000010.json"} <= set(files_with(folder, NAMES))
    done = forget(folder)
    assert (done.folder.name, done.files) == ("2026_video_forgotten", 1)
    assert not folder.exists()
    assert list(files_with(done.folder, NAMES)) == []
    assert verified(done.folder) == (Proof.PROVEN, ())
    with Session.open(done.folder, read_only=True) as session:
        assert (session.source.source_id, session.source.path, session.note) == (ERASED, None, ERASED)
        assert len(session.frames()) == 20
        assert [entry.kind for entry in session.audit()][-2:] == ["forgotten", "closed"]


def test_the_key_is_gone_so_that_nobody_can_try_names(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "session.sqlite")) as connection:
        (key,) = connection.execute("SELECT text FROM private WHERE id = 'key'").fetchone()
    done = forget(folder)
    with closing(sqlite3.connect(done.folder / "session.sqlite")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM private").fetchone() == (0,)
    assert list(files_with(done.folder, (key,))) == []


def test_a_session_that_forgot_can_be_gone_on_with_and_forget_again(folder: Path) -> None:
    done = forget(folder)
    with Session.open(done.folder) as session:
        assert session.undo() == f"Marked 0.10 to 0.20 s as {ERASED}"
        session.redo()
        session.apply(SetNote(None, "Zwickel again"))
    assert verified(done.folder) == (Proof.PROVEN, ())
    assert list(files_with(done.folder, NAMES)) == ["session.sqlite"]
    again = forget(done.folder)
    assert list(files_with(again.folder, NAMES)) == []
    assert verified(again.folder) == (Proof.PROVEN, ())


def test_a_kill_before_the_files_were_rewritten_convicts_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise SaveError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, "write_atomically", killed)
        with pytest.raises(SaveError):
            forget(folder)
    assert verified(folder) == (Proof.PROVEN, ())
    assert forget(folder).files == 1
    assert verified(folder) == (Proof.PROVEN, ())
    assert list(files_with(folder, NAMES[:2])) == []


def test_a_text_that_was_changed_or_removed_beside_the_log_is_found(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE private SET text = 'of Nobody' WHERE text = 'of Quastel'")
    proof, problems = verified(folder)
    assert proof is Proof.CHANGED
    assert any("is not the one that the log knows" in each for each in problems)
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM private WHERE text = 'of Nobody'")
    assert any("does not say that it was erased" in each for each in verified(folder)[1])


def test_a_strangers_file_enters_the_log_without_its_name(folder: Path) -> None:
    write_atomically(folder / "Quastel.txt", b"?")
    Session.open(folder).close()
    with Session.open(folder, read_only=True) as session:
        assert "Quastel" not in str([entry.payload for entry in session.audit()])
        assert any(each.endswith("Move it elsewhere.") for each in session.verify().problems[:1])
        assert any("Quastel.txt is unknown" in each for each in session.verify().problems)


def test_a_session_that_is_open_elsewhere_is_not_touched(folder: Path) -> None:
    with Session.open(folder), pytest.raises(SessionInUse):
        forget(folder)


def test_where_somebody_reads_it_is_said_that_the_bytes_are_still_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as reader:
        with Session.open(folder):
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM audit").fetchone()
        with pytest.raises(SaveError, match="still hold what was erased; close it there and do this again"):
            forget(folder)
    assert list(files_with(forget(folder).folder, NAMES[1:])) == []


def test_of_an_older_programs_session_it_is_said_that_its_log_holds_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 3)
        folder = named_session(tmp_path)
    with Session.open(folder, read_only=True) as session:
        assert (session.note, session.source.source_id) == ("Zwickel, born 1980", "Meierhofer Anna.mp4")
    with pytest.raises(SessionError, match=r"older program began .* delete the folder"):
        forget(folder)
    assert verified(folder) == (Proof.PROVEN, ())
    with Session.open(folder) as session:
        assert (session.source.path or "").endswith("Meierhofer Anna.mp4")
        session.apply(SetNote(None, "new words"))
        assert "new words" not in str([entry.payload for entry in session.audit()])


def test_the_command_says_what_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "forget", str(folder / "session.sqlite")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2026_video_forgotten: the source's name and place and all notes are erased")
    assert "burned into them stays" in said


@pytest.mark.parametrize("name", ["Meierhofer Anna.mp4", 'Mei"er, Ör;han=1.mp4', "@Meier%20\\x.mp4"])
def test_the_windows_settings_forget_the_source_and_nothing_else(tmp_path: Path, name: str) -> None:
    file = tmp_path / "settings.ini"
    store = QSettings(str(file), QSettings.Format.IniFormat)
    settings = Settings(store)
    others = ["simulated:2007", str(tmp_path / "another.mp4")]
    for text in (*others, str(tmp_path / name)):
        settings.remember_source(text)
    line = ((0.0, 0.0), (30.0, 40.0))
    for source in (name, "another.mp4"):
        settings.remember_scale_line(source, 100, 100, line, 50.0)
    settings.device = "cpu"
    settings.write()
    forget_source([file, tmp_path / "none.ini"], {name, str(tmp_path / name)})
    assert "Mei" not in file.read_text(encoding="utf-8")
    after = Settings(QSettings(str(file), QSettings.Format.IniFormat))
    assert (after.recent_sources, after.device) == (others[::-1], "cpu")
    assert after.scale_line(name, 100, 100) is None
    assert after.scale_line("another.mp4", 100, 100) is not None


def test_forget_reaches_the_list_of_what_was_opened_lately(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "unseen.ini"
    file.write_text(
        f"[sources]\nrecent0={tmp_path}/Meierhofer Anna.mp4\nrecent1=simulated\n", encoding="utf-8"
    )
    monkeypatch.setattr("semc_core.paths.settings_files", lambda: (file,))
    forget(folder)
    assert file.read_text(encoding="utf-8") == "[sources]\nrecent1=simulated\n"


def test_qt_keeps_the_settings_where_forget_looks_for_them() -> None:
    scope = QSettings.Scope.UserScope
    kept = QSettings(QSettings.Format.IniFormat, scope, "semc-live", "semc-live").fileName()
    assert Path(kept) == paths.settings_files()[0]
