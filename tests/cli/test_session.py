"""`semc session` as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import main
from semc_core.session.correcting.changes import Reject, Relabel
from semc_core.session.listing import session_folders, sessions_below
from semc_core.session.session import Session
from tests.session.sessions import filled_session, tamper


@pytest.fixture
def corrected(tmp_path: Path) -> Path:
    with filled_session(tmp_path / "scans" / "first") as session:
        session.apply(Relabel(1, "B"))
        session.apply(Reject(2, "blurred"))
    return tmp_path / "scans" / "first"


def test_sessions_are_listed(corrected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with filled_session(corrected.parent / "second"):
        assert main.main(["session", "list", str(corrected.parent)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "first" in printed
    assert "corrections" in printed
    assert "open or" in printed
    assert main.main(["session", "list", str(corrected.parent / "nowhere")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert main.main(["session", "list", str(corrected)]) == 0
    assert "holds no session" in capsys.readouterr().out


def test_one_that_cannot_be_read_does_not_hide_the_rest(
    corrected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corrected.parent / "bad").mkdir()
    (corrected.parent / "bad" / "session.sqlite").write_bytes(b"not a database" * 100)
    assert main.main(["session", "list", str(corrected.parent)]) == 1
    printed = capsys.readouterr().out
    assert "first" in printed
    assert "The session bad is damaged" in printed


def test_a_session_is_shown_as_tables_json_and_log(
    corrected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["session", "show", str(corrected)]) == 0
    printed = capsys.readouterr().out
    assert "blurred" in printed
    assert "B (was A)" in printed
    assert main.main(["session", "show", str(corrected / "session.sqlite"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(plane["plane"], plane["rejected"]) for plane in told["planes"]] == [("B", False), ("B", True)]
    assert told["frames"] == 60
    assert main.main(["session", "show", str(corrected), "--log"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, told["entries"] + 1))
    assert entries[-1]["hash"] == told["head"]


def test_verify_says_whether_and_what(corrected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Session.open(corrected, read_only=True) as session:
        head = session.head[1]
    assert main.main(["session", "verify", str(corrected), "--head", head]) == 0
    assert "first: proven by this machine" in capsys.readouterr().out
    assert main.main(["session", "verify", str(corrected), "--head", "00"]) == 1
    assert "does not hold the entry" in capsys.readouterr().out
    tamper(corrected, "UPDATE planes SET rejected = 0 WHERE plane_id = 2")
    assert main.main(["session", "verify", str(corrected), str(corrected.parent)]) == 1
    printed = capsys.readouterr().out
    assert "Row 2 of planes is not what the log says." in printed
    assert "scans: could not be looked at.\n  scans holds no session" in printed


def test_what_is_being_prepared_is_no_session(corrected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(corrected, corrected.parent / ".scan.123.part")
    assert main.main(["session", "list", str(corrected.parent)]) == 0
    assert ".part" not in capsys.readouterr().out
    assert session_folders(corrected.parent) == [corrected]
    assert [session.folder for session in sessions_below(corrected.parent)] == [corrected]
