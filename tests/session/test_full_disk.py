"""A full disk is said, and costs nothing that was written."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.errors import SaveError
from semc_core.session.correcting.changes import AddPlane, Relabel
from semc_core.session.frame_log import FrameLog
from semc_core.session.frame_table import frame_row
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from tests.session.killed_writer import event, origin
from tests.session.sessions import filled_session, frame

if sys.platform == "win32":
    pytest.skip("no small disk can be made here", allow_module_level=True)
import resource

BATCH = 200


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process grows beyond 400 kB: as a full disk, for every user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(session: Session) -> tuple[int, SaveError]:
    """Log frames until there is no room for one more. Returns how many there are then, and what was said."""
    count = len(session.frames())
    model = frame_row(frame(0))
    for batch in (200, 1):
        while True:
            rows = [replace(model, index=index, pts_s=index / 30) for index in range(count, count + batch)]
            try:
                session.write_rows(rows)
            except SaveError as error:
                said = error
                break
            count += batch
    return count, said


def check_all_is_there(folder: Path, count: int) -> None:
    with Session.open(folder, read_only=True) as session:
        assert session.frames().index.tolist() == list(range(count))
        assert [plane.plane for plane in session.planes()] == ["A", "B"]
        assert session.verify().problems == ()


def test_a_full_disk_is_said_and_what_was_written_is_there(small_disk: Path) -> None:
    reserve = small_disk / "reserve"
    reserve.write_bytes(bytes(500_000))
    session = filled_session(small_disk / "s")
    try:
        count, error = fill(session)
        assert str(error).startswith("The disk is full; free space for ")
        before = session.planes()
        with pytest.raises(SaveError, match="The disk is full"):
            session.apply(AddPlane("A", event(1, 33).best))
        assert session.planes() == before
        check_all_is_there(session.folder, count)
        reserve.unlink()
        # With room again, it goes on where it was.
        session.apply(Relabel(1, "B"))
        session.undo()
    finally:
        session.close()
    check_all_is_there(session.folder, count)


def test_a_session_on_a_disk_that_stays_full_can_be_closed_and_opened(small_disk: Path) -> None:
    reserve = small_disk / "reserve"
    reserve.write_bytes(bytes(500_000))
    session = filled_session(small_disk / "s")
    try:
        count, _ = fill(session)
    finally:
        # Its last entry may find room in the log or not.
        with contextlib.suppress(SaveError):
            session.close()
    check_all_is_there(session.folder, count)
    reserve.unlink()
    Session.open(session.folder).close()
    check_all_is_there(session.folder, count)


def test_a_file_that_may_not_grow_is_said_and_what_was_written_is_there(
    tmp_path: Path, small_files: None
) -> None:
    session = filled_session(tmp_path / "s")
    count, error = fill(session)
    assert str(error).startswith("Nothing could be written to ")
    check_all_is_there(session.folder, count)
    session._let_go()
    check_all_is_there(session.folder, count)


def test_a_scan_goes_on_and_tells_what_is_missing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    keeper = SessionWriter(tmp_path / "s", origin())
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        shown = frame(1)
        for _ in range(3700):
            keeper.classified(shown)
        keeper.submit(event(1, 10))
        keeper.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert keeper.kept == 0
    assert keeper.fault.startswith("A plane was not saved. Nothing could be written to")
    (saved,) = keeper.take_saved()
    assert saved.png is None


@pytest.mark.parametrize(("count", "missing"), [(3700, "3700 frames are"), (1, "1 frame is")])
def test_frames_that_find_no_room_are_counted(count: int, missing: str) -> None:
    def opened() -> Session:
        raise SaveError("The disk is full; free space for it, or choose another folder.")

    log = FrameLog(opened)
    shown = frame(1)
    for _ in range(count):
        log.put(shown)
    log.close()
    assert log.fault == (
        "The frames are not logged. The disk is full; free space for it, or choose another folder. "
        f"{missing} missing in the log."
    )


def test_frames_that_waited_for_room_are_written_when_there_is_some(tmp_path: Path) -> None:
    full, asked = [True], threading.Event()
    session = filled_session(tmp_path / "s")

    def opened() -> Session:
        asked.set()
        if full[0]:
            raise SaveError("The disk is full; free space for it, or choose another folder.")
        return session

    log = FrameLog(opened)
    log.put(frame(60))
    assert asked.wait(30)
    full[0] = False
    log.put(frame(61))
    log.close()
    assert log.fault == ""
    assert session.frames().index.tolist() == list(range(62))
    session.close()
