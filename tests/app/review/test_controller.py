"""What stands behind the review page, without the page and without Qt."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.review.controller import OPENING, ReviewController
from app.review.session import OpenReview, ReviewRequest
from app.review.worker import SessionWorker
from semc_core.errors import SessionError, SessionInUse, SourceError
from semc_core.session.correcting.changes import Relabel
from semc_core.session.session import Session
from tests.app.main_thread import PostedWork
from tests.session.sessions import filled_session


def opened(request: ReviewRequest) -> OpenReview:
    """A session without its loop."""
    return OpenReview(Session.open(request.path), None, None)


def request_of(tmp_path: Path, name: str) -> ReviewRequest:
    return ReviewRequest(tmp_path / name, tmp_path / "model", "cpu", tmp_path)


@pytest.fixture
def thread() -> PostedWork:
    return PostedWork()


def busy_with(worker: SessionWorker, go_on: threading.Event) -> None:
    """Keep the thread of corrections busy until `go_on`."""
    begun = threading.Event()

    def wait() -> bool:
        begun.set()
        return go_on.wait(30)

    worker._corrections.start(wait, lambda future: None)
    assert begun.wait(30)


def open_with(control: ReviewController, thread: PostedWork, request: ReviewRequest) -> SessionWorker:
    """Open it, and wait until it was looked at."""
    control.begin(request)
    thread.run_until(lambda: control.snapshot.table is not None)
    assert control.worker is not None
    return control.worker


def test_a_session_opened_while_the_one_before_was_busy_is_shown(thread: PostedWork, tmp_path: Path) -> None:
    for name in ("first", "second"):
        filled_session(tmp_path / name).close()
    control = ReviewController(opened, thread.post)
    first, go_on = open_with(control, thread, request_of(tmp_path, "first")), threading.Event()
    busy_with(first, go_on)
    first._look_again()
    control.begin(request_of(tmp_path, "second"))
    assert control.opening
    go_on.set()
    thread.run_until(lambda: control.snapshot.table is not None)
    assert control.open is not None
    assert control.open.session.folder.name == "second"
    control.close()


def test_what_is_asked_for_while_another_is_opened_is_what_is_open_in_the_end(
    thread: PostedWork, tmp_path: Path
) -> None:
    filled_session(tmp_path / "session").close()
    begun, go_on = threading.Event(), threading.Event()
    sessions: list[Session] = []

    def slow(request: ReviewRequest) -> OpenReview:
        begun.set()
        assert go_on.wait(30)
        review = opened(request)
        sessions.append(review.session)
        return review

    control = ReviewController(slow, thread.post)
    said: list[str] = []
    control.on_message = said.append
    for _ in range(2):  # the same one: the first must be closed before it can be opened for writing again
        control.begin(request_of(tmp_path, "session"))
        assert begun.wait(30)
    go_on.set()
    thread.run_until(lambda: control.open is not None)
    assert control.open is not None
    assert [control.open.session] == sessions[1:]
    assert not control.open.looking_only
    assert said == [OPENING, OPENING, "Taken up again: session, proven by this machine"]
    control.close()


def test_what_cannot_be_opened_is_told_and_a_later_wish_is_not_held_up_by_it(
    thread: PostedWork, tmp_path: Path
) -> None:
    filled_session(tmp_path / "session").close()

    def fails_at_first(request: ReviewRequest) -> OpenReview:
        if request.path.name == "wrong":
            raise SourceError("It is no loop.")
        return opened(request)

    control = ReviewController(fails_at_first, thread.post)
    control.begin(request_of(tmp_path, "wrong"))
    thread.run_until(lambda: not control.opening)
    assert (control.fault, control.way_out) == ("It is no loop.", "source")
    open_with(control, thread, request_of(tmp_path, "session"))
    assert control.fault == ""
    control.close()


def test_what_was_open_stays_beside_what_cannot_be_opened_and_is_written_on(
    thread: PostedWork, tmp_path: Path
) -> None:
    filled_session(tmp_path / "session").close()

    def opens(request: ReviewRequest) -> OpenReview:
        if request.path.name == "wrong":
            raise SourceError("It is no loop.")
        # A loop leads to its session, which may be the one that is open.
        try:
            return OpenReview(Session.open(tmp_path / "session"), None, None)
        except SessionInUse:
            return OpenReview(Session.open(tmp_path / "session", read_only=True), None, None)

    control = ReviewController(opens, thread.post)
    worker = open_with(control, thread, request_of(tmp_path, "session"))
    shown: list[SessionWorker | None] = []
    control.on_open = shown.append
    control.begin(request_of(tmp_path, "wrong"))
    assert shown == [None]
    thread.run_until(lambda: not control.opening)
    assert control.worker is worker
    assert (control.fault, control.way_out, control.unopened) == ("It is no loop.", "source", True)
    control.apply(Relabel(1, "B"))
    thread.run_until(lambda: worker.waiting == 0)
    assert worker.opened.session.plane(1).plane == "B"

    control.begin(request_of(tmp_path, "loop of this session"))
    thread.run_until(lambda: control.open is not None)
    assert control.worker is not worker
    assert control.open is not None
    assert not control.open.looking_only
    control.close()


def test_a_correction_goes_before_a_look_that_waits_and_is_made_although_the_session_is_left(
    thread: PostedWork, tmp_path: Path
) -> None:
    filled_session(tmp_path / "session").close()
    control = ReviewController(opened, thread.post)
    worker, go_on = open_with(control, thread, request_of(tmp_path, "session")), threading.Event()
    busy_with(worker, go_on)
    worker._look_again()
    waiting = worker._refresh
    assert waiting is not None
    worker.apply(Relabel(1, "B"))
    assert waiting.cancelled()
    control.release()
    go_on.set()
    control.close()
    with Session.open(tmp_path / "session", read_only=True) as session:
        assert session.plane(1).plane == "B"


def test_the_window_is_woken_when_a_correction_can_be_seen(thread: PostedWork, tmp_path: Path) -> None:
    filled_session(tmp_path / "session").close()
    control = ReviewController(opened, thread.post)
    worker = open_with(control, thread, request_of(tmp_path, "session"))
    seen: list[str] = []

    def note() -> None:
        plane = control.snapshot.plane(1)
        seen.append("" if plane is None else plane.plane)

    control.on_change = note
    control.apply(Relabel(1, "B"))
    thread.run_until(lambda: seen == ["B"])
    worker.undo()
    thread.run_until(lambda: seen == ["B", "A"])
    control.close()


def test_what_another_program_wrote_is_shown_although_it_could_not_be_read_at_first(
    thread: PostedWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "session"
    with filled_session(folder) as holder:
        looked_at = Session.open(folder, read_only=True)
        control = ReviewController(lambda request: OpenReview(looked_at, None, None), thread.post)
        control.begin(request_of(tmp_path, "session"))
        now_s = iter(range(1_000_000))

        def seen(name: str) -> bool:
            plane = control.snapshot.plane(1)
            return plane is not None and plane.plane == name

        thread.run_until(lambda: seen("A"))

        def busy(start_s: float | None = None, end_s: float | None = None) -> None:
            monkeypatch.delattr(looked_at, "frames")
            raise SessionError("It is busy.")

        monkeypatch.setattr(looked_at, "frames", busy, raising=False)
        holder.apply(Relabel(1, "B"))
        thread.run_until(lambda: seen("B"), lambda: control.tick(next(now_s)))
        assert control.fault == "It is busy."
        control.close()
