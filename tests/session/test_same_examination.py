"""Which sessions are scans of one examination."""

from __future__ import annotations

from pathlib import Path

from semc_core.session.erasing.forget import forget
from semc_core.session.same_examination import ENTRY, go_on_with, goes_on_with, scans_of_examination
from semc_core.session.session import Session
from tests.export.scans import video_session


def made(folder: Path, *names: str) -> list[Path]:
    """Sessions beside each other, closed."""
    for name in names:
        video_session(folder / name, name=f"{name}.mkv", count=20).close()
    return [folder / name for name in names]


def go_on(folder: Path, before: Path | None) -> None:
    with Session.open(folder) as session:
        if before is None:
            go_on_with(session, "")
            return
        with Session.open(before, read_only=True) as other:
            go_on_with(session, other.id)


def test_scans_that_go_on_with_one_another_are_one_examination(tmp_path: Path) -> None:
    first, second, third, other = made(tmp_path, "c", "b", "a", "other")
    go_on(second, first)
    go_on(third, second)
    for each in (first, second, third):
        assert scans_of_examination(each) == (first, second, third), "in the order of time"
    assert scans_of_examination(other) == (other,)


def test_what_was_said_last_holds(tmp_path: Path) -> None:
    first, second = made(tmp_path, "first", "second")
    go_on(second, first)
    go_on(second, None)
    assert scans_of_examination(first) == (first,)
    go_on(second, first)
    assert scans_of_examination(first) == (first, second)
    with Session.open(second, read_only=True) as session:
        assert goes_on_with(session)
        assert session.verify().ok, "the log stays whole"


def test_a_session_that_ended_meanwhile_is_opened_once_more(tmp_path: Path) -> None:
    first, second = made(tmp_path, "first", "second")
    with Session.open(first, read_only=True) as known:
        number = known.id
    session = Session.open(second)
    session.close()
    go_on_with(session, number)
    assert scans_of_examination(second) == (first, second)


def test_a_scan_that_is_gone_or_unreadable_is_left_out(tmp_path: Path) -> None:
    first, second = made(tmp_path, "first", "second")
    go_on(second, first)
    (first / "session.sqlite").write_bytes(b"not a database")
    assert scans_of_examination(second) == (second,)
    assert scans_of_examination(tmp_path / "nowhere") == (tmp_path / "nowhere",)


def test_erasing_leaves_the_link_which_names_nobody(tmp_path: Path) -> None:
    first, second = made(tmp_path, "first", "second")
    go_on(second, first)
    second = forget(second).folder
    assert scans_of_examination(second) == (first, second)
    with Session.open(second, read_only=True) as session:
        (entry,) = (each for each in session.audit() if each.kind == ENTRY)
        assert set(entry.payload) == {"session"}
