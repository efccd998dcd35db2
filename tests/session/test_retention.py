"""Old sessions go where the user wants that, and no other."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from main import main
from semc_core.cli import session_keeping
from semc_core.errors import SessionError
from semc_core.io.lock import LOCK_NAME, SHOWN_NAME, WriterLock, is_held
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, DicomObject, QueueStore
from semc_core.session.erasing.retention import (
    LOG_NAME,
    carry_out,
    clear_half_deleted,
    delete_old,
    delete_one,
    plan,
)
from semc_core.session.erasing.rule import Retention
from semc_core.session.session import Session
from tests.session.sessions import write_kept_sessions

LATER = datetime.now(UTC) + timedelta(days=100)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sessions that were exported, one that was not, one that was killed, one that is damaged."""
    root = tmp_path / "sessions"
    write_kept_sessions(root, ("Meier", "first"), "new", tmp_path / "open")
    (root / "damaged").mkdir()
    (root / "damaged" / "session.sqlite").write_bytes(b"?")
    (root / "mine").mkdir()
    return root


def going(root: Path, rule: Retention, now: datetime = LATER) -> dict[str, str]:
    return {each.folder.name: each.why for each in plan(root, rule, now) if each.goes}


def staying(root: Path, rule: Retention, now: datetime = LATER) -> dict[str, str]:
    return {each.folder.name: each.why for each in plan(root, rule, now) if not each.goes}


def test_by_age_only_what_is_old_closed_and_exported_goes(root: Path) -> None:
    old = "it is older than 90 days"
    assert going(root, Retention(days=90)) == {"Meier": old, "first": old}
    assert staying(root, Retention(days=90)) == {
        "new": "it was never exported",
        "killed": "it is open, or was never closed",
        "damaged": "it cannot be read",
    }
    assert going(root, Retention(days=90, unexported=True)) == dict.fromkeys(("Meier", "first", "new"), old)
    assert going(root, Retention(days=101)) == {}
    assert going(root, Retention()) == {}, "off by default"


def test_one_that_is_open_for_writing_stays_even_if_it_was_opened_after_the_plan(root: Path) -> None:
    planned = plan(root, Retention(days=90), LATER)
    with Session.open(root / "first"):
        assert "first" not in going(root, Retention(days=90))
        assert [each.folder.name for each in carry_out(planned, root.parent / "log")] == ["Meier"]
    assert (root / "first" / "session.sqlite").exists()


def test_one_whose_scan_a_window_still_shows_stays(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session_keeping, "log_folder", lambda: tmp_path / "log")
    planned = plan(root, Retention(days=90), LATER)
    shown = WriterLock(root / "first", SHOWN_NAME)
    assert [each.folder.name for each in carry_out(planned, tmp_path / "log")] == ["Meier"], (
        "shown since then"
    )
    assert main(["session", "retain", str(root), "--older-than", "0.0000001"]) == 0
    said = capsys.readouterr().out
    assert "first stays: a window still shows its scan; begin another scan there, or close it." in said
    with pytest.raises(SessionError, match="another window still shows its scan"):
        delete_one(root / "first", tmp_path / "log")
    shown.release()
    assert delete_one(root / "first", tmp_path / "log").folder == root / "first"


def test_by_size_the_oldest_go_until_the_rest_is_small_enough(root: Path) -> None:
    sizes = {each.folder.name: each.size for each in plan(root, Retention())}
    total = sum(sizes.values())
    one = going(root, Retention(most_bytes=total - 1))
    assert list(one) == ["Meier"]
    assert one["Meier"].startswith("the sessions are larger than")
    assert list(going(root, Retention(most_bytes=total - sizes["Meier"] - 1))) == ["Meier", "first"]
    assert going(root, Retention(most_bytes=total)) == {}


def test_what_went_is_logged_without_a_name(root: Path) -> None:
    log = root.parent / "log"
    with Session.open(root / "Meier", read_only=True) as session:
        known = session.id
    assert len(carry_out(plan(root, Retention(days=90), LATER), log)) == 2
    assert sorted(each.name for each in root.iterdir()) == ["damaged", "killed", "mine", "new"]
    lines = [json.loads(line) for line in (log / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    assert [line["session"] == known for line in lines] == [True, False]
    assert lines[0]["why"] == "it is older than 90 days"
    assert "Meier" not in (log / LOG_NAME).read_text(encoding="utf-8")


def test_half_of_a_deletion_is_gone_on_with(root: Path) -> None:
    (root / "first").rename(root / ".deleting-first")
    assert "first" not in staying(root, Retention(days=90)) | going(root, Retention(days=90))
    clear_half_deleted(root)
    assert not (root / ".deleting-first").exists()


def test_the_command_says_what_goes_and_deletes_nothing_in_a_dry_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session_keeping, "log_folder", lambda: tmp_path / "log")
    asked = ["session", "retain", str(root), "--older-than", "0.0000001"]
    assert main([*asked, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "first would be deleted: it is older than 1e-07 days." in said
    assert "new stays: it was never exported." in said
    assert (root / "first").exists()
    assert main(asked) == 0
    assert "2 sessions deleted, " in capsys.readouterr().out
    assert not (root / "first").exists()
    assert main(["session", "retain", str(root)]) == 2
    assert main(["session", "retain", str(root), "--larger-than", "-1"]) == 2


def test_one_of_which_something_waits_to_be_sent_stays(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session_keeping, "log_folder", lambda: tmp_path / "log")
    monkeypatch.setattr(session_keeping, "data_folder", lambda: tmp_path / "data")
    store = QueueStore(tmp_path / "data" / FOLDER_NAME)
    one = DicomObject("1.2", "1.2.3", "1", "2", "1.2.840.10008.1.2.1", "ab" * 32, 3)
    SendQueue(store).add("archive", [one], lambda _: b"abc", manifest="cd" * 32, session=root / "first")
    store.close()
    assert main(["session", "retain", str(root), "--older-than", "0.0000001"]) == 0
    assert "first stays: something of it waits to be sent." in capsys.readouterr().out
    rule, waiting = Retention(most_bytes=1), {(root / "Meier").resolve()}
    went = delete_old(root, rule, tmp_path / "log", lambda: False, waiting)
    assert [each.folder.name for each in went] == ["first"], "the other waits"


def test_one_that_was_changed_after_the_plan_stays(root: Path) -> None:
    planned = plan(root, Retention(days=90), LATER)
    with Session.open(root / "Meier") as session:
        session.record_export("folder", "again", "cd" * 32, {})
    assert [each.folder.name for each in carry_out(planned, root.parent / "log")] == ["first"]


def test_whoever_closes_the_program_stops_the_deleting_before_the_next(root: Path) -> None:
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 3

    assert delete_old(root, Retention(most_bytes=1), root.parent / "log", stopped) == []
    assert len(asked) == 4
    assert (root / "Meier").exists()
    assert delete_old(root / "none", Retention(most_bytes=1), root.parent / "log", stopped) == []


def test_one_that_a_person_chose_goes_also_if_it_was_never_exported_and_is_logged(root: Path) -> None:
    log = root.parent / "log"
    gone = delete_one(root / "new", log)
    assert not (root / "new").exists()
    assert sorted(each.name for each in root.iterdir()) == ["Meier", "damaged", "first", "killed", "mine"]
    (line,) = (log / LOG_NAME).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["session"] == gone.session
    assert json.loads(line)["bytes"] == gone.size > 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("killed", "never closed; close it where"),
        ("damaged", "cannot be read; look into"),
        ("no", "cannot be read"),
    ],
)
def test_one_that_a_person_chose_stays_where_nobody_knows_what_would_be_lost(
    root: Path, name: str, why: str
) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(SessionError, match=why):
        delete_one(root / name, root.parent / "log")
    assert sorted(root.rglob("*")) == before
    assert not (root.parent / "log").exists()


def test_one_that_a_person_chose_stays_while_it_is_open(root: Path) -> None:
    with Session.open(root / "first"), pytest.raises(SessionError, match="it is open"):
        delete_one(root / "first", root.parent / "log")
    with Session.open(root / "first", read_only=True) as session:
        assert session.length_s == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_not_followed(root: Path) -> None:
    (root / "link").symlink_to(root / "first", target_is_directory=True)
    with pytest.raises(SessionError, match="a link to another place; delete it where it lies"):
        delete_one(root / "link", root.parent / "log")
    assert (root / "first" / "session.sqlite").is_file()


def test_whether_a_session_is_held_is_seen_without_making_a_file(root: Path) -> None:
    assert not is_held(root / "first")
    assert not (root / "first" / LOCK_NAME).exists()
    with Session.open(root / "first"):
        assert is_held(root / "first")
    (root / "first" / LOCK_NAME).touch()
    assert not is_held(root / "first"), "a kill left it"
