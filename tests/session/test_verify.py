"""`Session.verify`: whatever is changed behind the program's back is found."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from semc_core.errors import SessionError
from semc_core.session.correcting.changes import ChooseFrame, Reject, Relabel
from semc_core.session.proof.file_problems import UNKNOWN
from semc_core.session.proof.verify import verify
from semc_core.session.records import Proof, Verification
from semc_core.session.session import Session
from tests.languages.made_up import speaking
from tests.session.sessions import filled_session, frame, tamper

RELABELLED = """replace(payload, '"plane":"B"', '"plane":"A"')"""
LOWERED = """replace(payload, '"enter":0.8', '"enter":0.5')"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed session with corrections, a clip and an export."""
    folder = tmp_path_factory.mktemp("verify") / "session"
    with filled_session(folder) as session:
        session.apply(Relabel(1, "B"))
        session.apply(ChooseFrame(1, frame(14)))
        session.apply(Reject(2))
        (folder / "clips").mkdir()
        (folder / "clips" / "002_B.mkv").write_bytes(b"clip")
        session.set_clip(2, "clips/002_B.mkv")
        session.record_export("folder", "study", "ab" * 32, {})
    return folder


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "copy")


def verified(folder: Path, head: str | None = None) -> Verification:
    with Session.open(folder, read_only=True) as session:
        return session.verify(head)


def test_an_untouched_session_is_proven(copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    found = verified(copy)
    assert found == Verification(Proof.PROVEN, 10)
    assert {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE audit SET who = 'model' WHERE seq = 5"], "Entry 5 of the log was changed."),
        (["UPDATE audit SET time_utc = '2026' WHERE seq = 5"], "Entry 5 of the log was changed."),
        (["UPDATE audit SET kind = 'restore' WHERE seq = 5"], "Entry 5 of the log was changed."),
        ([f"UPDATE audit SET payload = {RELABELLED} WHERE seq = 5"], "Entry 5 of the log was changed."),
        (["UPDATE audit SET hash = '00' WHERE seq = 5"], "Entry 6 of the log does not follow entry 5."),
        (["UPDATE audit SET payload = '{' WHERE seq = 3"], "An entry of the log cannot be read"),
        ([f"UPDATE audit SET payload = {LOWERED} WHERE seq = 1"], "Entry 1 of the log was changed."),
        (["DELETE FROM audit WHERE seq = 5"], "Entries 5 to 5 of the log are missing."),
        (["DELETE FROM audit WHERE seq = 10"], "Entries 10 to 10 of the log are missing."),
        (["UPDATE planes SET plane = 'A' WHERE plane_id = 1"], "Row 1 of planes is not what the log says."),
        (["UPDATE planes SET rejected = 0 WHERE plane_id = 2"], "Row 2 of planes is not"),
        (["DELETE FROM planes WHERE plane_id = 1"], "Row 1 of planes is not what the log says."),
        (["UPDATE exports SET name = 'x'"], "Row 1 of exports is not what the log says."),
        (["UPDATE session SET note = 'x'"], "Row 1 of session is not what the log says."),
        (["UPDATE frames SET rows = zeroblob(length(rows))"], "Frames 0 to 59 were changed."),
        (["UPDATE frames SET count = 59"], "Frames 0 to 59 were changed."),
        (["UPDATE frames SET layout = 1"], "Frames 0 to 59 were changed."),
        (["UPDATE frames SET start_s = 1.0"], "Frames 0 to 59 were changed."),
        (["DELETE FROM frames"], "Frames 0 to 59 are missing."),
        (["INSERT INTO frames SELECT 3, layout, count, classes, experts, start_s, end_s, rows FROM frames"],
         "The frames of entry 3 are not in the log."),
        (["DELETE FROM local WHERE key = 'head'"], "The log has entries that its head does not know."),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_file_is_found(copy: Path, statements: list[str], problem: str) -> None:
    tamper(copy, *statements)
    found = verified(copy)
    assert not found.ok
    assert any(each.startswith(problem) for each in found.problems), found.problems


def test_a_log_cut_off_is_found_by_the_hash_in_an_export(copy: Path) -> None:
    with Session.open(copy, read_only=True) as session:
        entries = list(session.audit())
        last = session.head[1]
    cut = entries[-2]
    tamper(
        copy,
        f"DELETE FROM audit WHERE seq = {entries[-1].seq}",
        f"UPDATE local SET value = '{cut.seq} {cut.hash}' WHERE key = 'head'",
    )
    missing = "The log does not hold the entry that was asked for: its end was cut off, or it is another."
    assert missing in verified(copy, last).problems
    assert missing not in verified(copy, cut.hash).problems


@pytest.mark.parametrize("name", ["001_B_f000014.png", "001_A_f000010.png", "002_B_f000040.png"])
def test_a_picture_that_was_changed_or_removed_is_found(copy: Path, name: str) -> None:
    """Also the one that an undo would bring back, and one of a rejected plane."""
    content = bytearray((copy / name).read_bytes())
    content[-20] ^= 1
    (copy / name).write_bytes(content)
    assert verified(copy).problems == (f"The picture {name} was changed.",)
    (copy / name).unlink()
    assert verified(copy).problems == (f"The picture {name} is missing.",)


def test_a_clip_that_was_changed_is_found(copy: Path) -> None:
    (copy / "clips" / "002_B.mkv").write_bytes(b"another")
    assert verified(copy).problems == ("The clip clips/002_B.mkv was changed.",)


@pytest.mark.parametrize("column", ["png", "clip"])
@pytest.mark.parametrize(
    "name", ["../001_A_f000010.png", "a\\001_A_f000010.png", "linked/001_A_f000010.png", "C:v.png", ".",
             "session.sqlite", "clips/../session.sqlite", "clips/linked/a.mkv", "/v.png"]
)  # fmt: skip
def test_a_session_that_names_files_that_are_none_of_its_own_is_not_opened(
    copy: Path, column: str, name: str
) -> None:
    """Where a better picture came, the old one is removed by its name."""
    tamper(copy, f"UPDATE planes SET {column} = '{name}' WHERE plane_id = 1")
    for read_only in (True, False):
        with pytest.raises(SessionError, match="names a file that is none of its own"):
            Session.open(copy, read_only=read_only)


@pytest.mark.parametrize("told", ['"../001_A_f000010.png"', '"session.sqlite"', "5", "[1]", '"a\\u0000b"'])
def test_names_in_the_log_are_looked_at_too(copy: Path, told: str) -> None:
    """Of those that an undo would bring back."""
    with Session.open(copy, read_only=True) as session:
        named = [entry.seq for entry in session.audit() if "001_A_f000010.png" in json.dumps(entry.payload)]
    changed = f"""replace(payload, '"png":"001_A_f000010.png"', '"png":{told}')"""
    view = Session.open(copy, read_only=True)
    tamper(copy, *(f"UPDATE audit SET payload = {changed} WHERE seq = {seq}" for seq in named))
    problems = view.verify().problems
    view.close()
    if told.startswith('"'):
        assert "The log names a picture that is none of the session's." in problems
    else:
        assert "'edits[0].planes.after.png' must be a valid string" in problems[0]
    with pytest.raises(SessionError, match=r"names a file that is none of its own|must be a valid string"):
        Session.open(copy)


def test_the_log_cannot_be_changed_by_accident(copy: Path) -> None:
    connection = sqlite3.connect(copy / "session.sqlite", isolation_level=None)
    for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'person'"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            connection.execute(statement)
    connection.close()


def test_a_log_that_cannot_be_read_is_said(copy: Path) -> None:
    tamper(copy, "UPDATE audit SET payload = '{' WHERE seq = 5")
    with pytest.raises(SessionError, match="is damaged"):
        Session.open(copy)


@pytest.mark.parametrize("time", ["yesterday", "", "0001-01-01T00:00:00+00:00"])
def test_a_session_that_began_at_no_time_is_not_opened_and_the_field_is_named(copy: Path, time: str) -> None:
    tamper(copy, f"UPDATE audit SET time_utc = '{time}' WHERE seq = 1")
    with pytest.raises(SessionError, match=r"in its entry 1 its field 'time_utc' must be a time such as"):
        verified(copy)


def test_a_database_that_cannot_be_read_proves_nothing(copy: Path) -> None:
    connection = sqlite3.connect(copy / "session.sqlite", isolation_level=None)
    connection.execute("DROP TABLE frames")
    found = verify(copy, connection, None)
    connection.close()
    assert (found.ok, found.entries, len(found.problems)) == (False, 0, 1)
    assert "session" in found.problems[0]


def test_what_a_file_manager_leaves_is_named_and_convicts_nobody(tmp_path: Path) -> None:
    filled_session(tmp_path / "s").close()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "s" / name).write_bytes(b"?")
    with Session.open(tmp_path / "s", read_only=True) as session:
        found = session.verify()
        assert (found.ok, found.problems) == (True, ())
        assert [note.split()[0] for note in found.notes] == [".DS_Store", "Thumbs.db", "desktop.ini"]
        assert all("is unknown: a file manager leaves such" in note for note in found.notes)
        (tmp_path / "s" / "my notes.txt").write_bytes(b"?")
        assert session.verify().problems == (f"my notes.txt{UNKNOWN}",)


def test_what_is_found_is_english_in_any_language(copy: Path) -> None:
    """It goes to the log of the session."""
    with closing(sqlite3.connect(copy / "session.sqlite")) as connection:
        connection.execute("DROP TABLE audit")
        connection.commit()
        with speaking(lambda text: f"<{text}>"):
            found = verify(copy, connection, None)
    assert found.proof is Proof.CHANGED
    assert found.problems
    assert not any("<" in problem for problem in found.problems)
