"""A full disk is said, and costs nothing that was written."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from main import main
from semc_core.errors import SaveError
from semc_core.io.video_quality import Quality
from semc_core.pipeline.sink import RecordingState
from semc_core.session.correcting.changes import AddPlane, Relabel
from semc_core.session.frame_log import FrameLog
from semc_core.session.frame_table import frame_row
from semc_core.session.recording.parts import RecordedSource
from semc_core.session.recording.recorder import Recorder
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from tests.session.killed_writer import event, origin
from tests.session.pictures import packet, speckle
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


def fill_up(filler: Path, left: int = 0) -> Path:
    """Make this file so large that only so many bytes are free."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while shutil.disk_usage(filler.parent).free > left:
            file.write(bytes(4096))
    return filler


def wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_after_a_full_disk_and_space_again_the_scan_is_whole_and_provable_and_nothing_is_told(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = Recorder.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "reserve_bytes", 200_000)
    keeper = SessionWriter(small_disk / "s", origin())
    indices = itertools.count()

    def goes_on() -> RecordingState:
        """One more frame of the scan."""
        index = next(indices)
        keeper.captured(packet(index, speckle(index)))
        keeper.classified(frame(index))
        state = keeper.recording
        assert state is not None
        assert state.active, "nobody stopped it"
        return state

    keeper.start_recording(Quality.COMPACT)
    wait_for(lambda: goes_on().frames > 20)
    # The recording leaves room for the planes; then something else takes that, too.
    fillers = [fill_up(small_disk / "first", left=150_000)]
    wait_for(lambda: "Nothing is recorded at the moment" in goes_on().fault)
    fillers.append(fill_up(small_disk / "second"))
    keeper.submit(event(1, 10))
    wait_for(lambda: "A plane was not saved. The disk is full" in keeper.fault)
    wait_for(lambda: "The frames are not logged" in keeper._frames.fault)
    for filler in fillers:
        filler.unlink()
    before = goes_on().frames
    wait_for(lambda: goes_on().frames > before + 20)
    wait_for(lambda: keeper.fault == "")
    keeper.finish(origin().source)
    assert main(["session", "verify", str(keeper.folder)]) == 0
    with Session.open(keeper.folder, read_only=True) as session:
        assert session.complete
        assert session.frames().index.tolist() == list(range(next(indices)))
        assert [plane.png for plane in session.planes()] == ["001_A_f000010.png"]
        (logged,) = (entry.payload for entry in session.audit() if entry.kind == "recording")
        assert logged["parts"] == ["recording.mkv", "recording-2.mkv"]
        assert logged["frames"] + logged["lost"] == session.frame_count
    with contextlib.closing(RecordedSource(keeper.folder)) as recorded:
        count = sum(1 for _ in iter(recorded.read, None))
    assert count == logged["frames"]
    shown = [plane.png is not None for plane in keeper.take_saved()]
    assert shown == [False, True], "told once that it is missing, and once that it is there"


def test_the_end_of_a_recording_that_could_not_be_logged_is_logged_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, log = [True], Session.record_recording

    def logged(session: Session, *given: Any) -> None:
        if full[0]:
            raise SaveError("The disk is full; free space for it, or choose another folder.")
        log(session, *given)

    monkeypatch.setattr(Session, "record_recording", logged)
    keeper = SessionWriter(tmp_path / "s", origin())
    keeper.start_recording(Quality.COMPACT)
    keeper.captured(packet(0, speckle(0)))
    keeper.classified(frame(0))
    keeper.stop_recording()
    wait_for(lambda: keeper.fault.startswith("The end of a recording was not logged."))
    full[0] = False
    keeper.finish(origin().source)
    with Session.open(keeper.folder, read_only=True) as session:
        assert [entry.payload["frames"] for entry in session.audit() if entry.kind == "recording"] == [1]
        assert session.verify().problems == ()
