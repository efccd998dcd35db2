"""Loops analysed one after another without a window: real files, a real model, real sessions."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from app.batch.controller import LoopsController
from app.batch.presenter import LoopRow, LoopsSnapshot, State
from app.review.session import OpenReview, ReviewRequest, open_review
from semc_core.errors import ModelFileError
from semc_core.session.correcting.changes import Reject
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from tests.app.conftest import speckle, write_video
from tests.app.main_thread import PostedWork


class Loops:
    """A list, its window's thread, and what it opened."""

    def __init__(self, output: Path, model: Path) -> None:
        self.thread, self.opened, self.model = PostedWork(), list[str](), model
        self.output, self.go_on = output, threading.Event()
        self.go_on.set()
        self.reviewed: list[str] = []
        self.told: list[str] = []
        self.control = LoopsController(self._open, self.thread.post)
        self.control.on_review, self.control.on_message = self.reviewed.append, self.told.append

    def _open(self, path: Path) -> OpenReview:
        self.opened.append(path.name)
        assert self.go_on.wait(60)
        return open_review(ReviewRequest(path, self.model, "cpu", self.output))

    def states(self) -> list[State]:
        return [row.state for row in self.control.snapshot.rows]

    @property
    def snapshot(self) -> LoopsSnapshot:
        """How the list stands now."""
        return self.control.snapshot

    def rows(self) -> tuple[LoopRow, ...]:
        """Its lines now."""
        return self.control.snapshot.rows

    def run_until(self, holds: Callable[[], bool]) -> None:
        self.thread.run_until(holds)

    def run_to_end(self) -> None:
        self.run_until(lambda: not self.control.snapshot.looking and not self.control.snapshot.going_on)


@pytest.fixture
def loops(tmp_path: Path, fhp1_model: Path) -> Iterator[Loops]:
    made = Loops(tmp_path / "saved", fhp1_model)
    yield made
    made.go_on.set()
    made.control.close()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A loop, a file that is none, and another loop."""
    first, second = (
        write_video(tmp_path / f"{name}.mkv", speckle(30, seed)) for seed, name in enumerate(("one", "two"))
    )
    (torn := tmp_path / "torn.mkv").write_bytes(b"no video at all" * 99)
    return [first, torn, second]


def goes_on(loops: Loops) -> bool:
    return loops.control.snapshot.going_on


def texts(paths: list[Path]) -> list[str]:
    return [str(path) for path in paths]


def test_each_is_analysed_in_its_own_session_and_a_bad_file_is_a_line(
    loops: Loops, files: list[Path]
) -> None:
    way: list[float] = []
    loops.control.give_way = way.append
    loops.control.take(texts(files), pytest.fail)
    loops.run_to_end()
    assert loops.states() == [State.DONE, State.FAILED, State.DONE]
    assert loops.opened == ["one.mkv", "torn.mkv", "two.mkv"]
    first, torn, _second = loops.rows()
    assert "torn.mkv" in torn.fault
    assert first.summary is not None
    assert set(first.summary.planes) == {"FHP1"}
    assert first.summary.required > 0
    assert not first.summary.again
    assert first.length_s == pytest.approx(29 / 25)
    assert len(session_folders(loops.output)) == 2
    with Session.open(first.summary.session) as session:
        assert session.complete
        assert session.source.path == str(files[0])
        assert len(session.frames()) == 30
    assert loops.told == ["Looking for loops …", "", "2 of 3 loops are analysed. 1 could not be read."]
    assert way
    loops.control.review(first.path)
    assert loops.reviewed == [str(first.summary.session)]


def test_what_was_analysed_before_is_taken_from_its_session(loops: Loops, files: list[Path]) -> None:
    open_review(ReviewRequest(files[0], loops.model, "cpu", loops.output)).close()
    loops.control.add(texts(files[:1]))
    loops.run_to_end()
    (row,) = loops.rows()
    assert row.summary is not None
    loops.control.remove(row.path)
    assert loops.rows() == ()
    loops.control.add(texts(files[:1]))
    loops.run_to_end()
    (again,) = loops.rows()
    assert again.summary is not None
    assert again.summary.again
    assert (again.summary.session, again.summary.planes) == (row.summary.session, row.summary.planes)
    assert len(session_folders(loops.output)) == 1


def test_it_waits_while_something_else_is_busy_and_goes_on_then(loops: Loops, files: list[Path]) -> None:
    reason = ["A scan runs."]
    loops.control.busy = lambda: reason[0]
    loops.control.add(texts([files[0], files[2]]))
    loops.run_until(lambda: loops.snapshot.held == "A scan runs.")
    asked = count()
    loops.run_until(lambda: next(asked) > 100)
    assert loops.opened == [], "nothing is opened meanwhile"
    assert loops.states() == [State.WAITING] * 2
    loops.control.remove(files[0])
    reason[0] = ""
    loops.run_to_end()
    assert loops.opened == ["two.mkv"], "what was taken off while it waited is not begun"
    assert loops.states() == [State.DONE]
    assert loops.snapshot.held == ""


def test_stopped_in_the_middle_it_holds_there_and_goes_on_where_it_was(loops: Loops, long_loop: Path) -> None:
    loops.control.add([str(long_loop)])
    loops.run_until(lambda: bool(loops.rows()) and loops.rows()[0].done > 0)
    loops.control.stop()
    assert not goes_on(loops)
    assert loops.states() == [State.ANALYSING]
    assert 0 < loops.rows()[0].done < 1500
    loops.control.toggle()
    assert goes_on(loops)
    loops.control.close()
    (folder,) = session_folders(loops.output)
    with Session.open(folder, read_only=True) as session:
        assert not session.complete
        assert session.frame_count > 0


def test_the_loop_that_is_analysed_is_let_go_for_review_and_done_after_it(
    loops: Loops, files: list[Path], long_loop: Path
) -> None:
    loops.control.add(texts([long_loop, files[0]]))
    loops.run_until(lambda: bool(loops.rows()) and loops.rows()[0].done > 0)
    in_review: list[OpenReview] = []

    def review(path: str) -> None:
        assert path == str(long_loop)
        loops.control.busy = lambda: "Review is busy."
        in_review.append(open_review(ReviewRequest(long_loop, loops.model, "cpu", loops.output)))

    loops.control.on_review = review
    loops.control.review(long_loop)
    loops.run_until(lambda: bool(in_review))
    assert not in_review[0].looking_only, "it is not held by the list any more"
    assert in_review[0].again
    in_review[0].close()
    loops.control.remove(long_loop)
    loops.control.busy = lambda: ""
    loops.run_until(lambda: State.ANALYSING in loops.states())
    loops.control.stop()


def test_a_model_that_cannot_be_used_stops_the_list_and_blames_no_loop(
    loops: Loops, files: list[Path], tmp_path: Path
) -> None:
    good, loops.model = loops.model, tmp_path / "none.safetensors"
    loops.control.add(texts([files[0], files[2]]))
    loops.run_to_end()
    assert loops.snapshot.stopped
    assert loops.states() == [State.WAITING] * 2
    with pytest.raises(ModelFileError) as told:
        open_review(ReviewRequest(files[0], loops.model, "cpu", loops.output))
    assert loops.snapshot.message == str(told.value)
    loops.model = good
    loops.control.toggle()
    assert loops.snapshot.message == ""
    loops.run_to_end()
    assert loops.states() == [State.DONE] * 2


def test_what_could_not_be_read_is_tried_again(loops: Loops, files: list[Path]) -> None:
    first, torn, _second = files
    loops.control.add([str(torn)])
    loops.run_to_end()
    assert loops.states() == [State.FAILED]
    shutil.copy(first, torn)
    loops.control.review(torn)
    assert loops.reviewed == []
    loops.run_to_end()
    assert loops.states() == [State.DONE]


def test_what_was_corrected_in_review_is_read_again(loops: Loops, files: list[Path]) -> None:
    loops.control.add([str(files[0])])
    loops.run_to_end()
    (row,) = loops.rows()
    assert row.summary is not None
    assert row.summary.planes
    loops.control.review(row.path)
    with Session.open(row.summary.session) as session:
        for plane in session.planes():
            session.apply(Reject(plane.plane_id))
    loops.control.look_again()

    def planes() -> tuple[str, ...]:
        summary = loops.rows()[0].summary
        assert summary is not None
        return summary.planes

    loops.run_until(lambda: planes() == ())


def test_a_session_that_another_program_analyses_is_said_to_be_in_use(
    loops: Loops, files: list[Path], long_loop: Path
) -> None:
    elsewhere = open_review(ReviewRequest(long_loop, loops.model, "cpu", loops.output))
    try:
        loops.control.add([str(long_loop)])
        loops.run_to_end()
    finally:
        elsewhere.close()
    (row,) = loops.rows()
    assert row.state is State.FAILED
    assert "open in another window" in row.fault


def test_one_file_goes_the_usual_way_and_a_folder_that_has_none(
    loops: Loops, files: list[Path], tmp_path: Path
) -> None:
    alone: list[str] = []
    loops.control.take([str(files[0])], alone.append)
    assert alone == [str(files[0])]
    (empty := tmp_path / "empty").mkdir()
    loops.control.take([str(empty)], alone.append)
    loops.run_until(lambda: len(alone) > 1)
    assert alone[1:] == [str(empty)], "opening it says that nothing is there"
    loops.control.add([str(empty)])
    loops.run_until(lambda: not loops.snapshot.looking)
    assert loops.snapshot.message.startswith("There is no video")
    assert loops.rows() == ()


def test_closed_while_a_loop_is_opened_it_ends(loops: Loops, files: list[Path]) -> None:
    loops.go_on.clear()
    loops.control.add(texts(files))
    loops.run_until(lambda: loops.opened == ["one.mkv"])
    loops.go_on.set()
    loops.control.close()
    assert loops.opened == ["one.mkv"]
    assert len(session_folders(loops.output)) <= 1
    loops.control.add(texts(files))
    assert loops.opened == ["one.mkv"], "nothing is begun any more"
