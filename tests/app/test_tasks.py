"""Work behind the window: its order, what becomes of it, and its end."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_thread import MainThread
from app.tasks import Background, LatestTask, close_all, fault_of
from semc_core.errors import SaveError, SourceError
from tests.app.conftest import WAIT_MS
from tests.app.main_thread import PostedWork


@pytest.fixture
def thread() -> PostedWork:
    return PostedWork()


def test_work_is_done_in_order_and_handed_over_on_the_windows_thread(thread: PostedWork) -> None:
    background, done, where = Background("work", thread.post), [], set()

    def take(future: Future[int]) -> None:
        done.append(future.result())
        where.add(threading.current_thread())

    for number in range(5):
        background.start(lambda number=number: number, take)  # type: ignore[misc]
    thread.run_until(lambda: len(done) == 5)
    background.close()
    assert done == [0, 1, 2, 3, 4]
    assert where == {threading.current_thread()}


def test_what_was_raised_is_handed_over(thread: PostedWork) -> None:
    def fail() -> None:
        raise SourceError("It is not there.")

    background, told = Background("work", thread.post), []
    background.start(fail, lambda future: told.append(future.exception()))
    thread.run_until(lambda: bool(told))
    background.close()
    assert fault_of(told[0]) == "It is not there."  # type: ignore[arg-type]


def test_what_is_forgotten_is_not_done_and_what_is_under_way_is_waited_for(thread: PostedWork) -> None:
    background, begun, go_on = Background("work", thread.post), threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert go_on.wait(30)
        done.append("first")

    background.start(first, lambda future: None)
    background.start(lambda: done.append("second"), lambda future: done.append("told of the second"))
    assert begun.wait(30)
    go_on_soon = threading.Timer(0.05, go_on.set)
    go_on_soon.start()
    background.close(forget=True)
    go_on_soon.join()
    assert done == ["first"]


def test_a_fault_that_nobody_foresaw_is_told_without_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    sentence = fault_of(FileNotFoundError("jane doe.mp4"))
    assert "FileNotFoundError" in sentence
    assert "jane" not in sentence + caplog.text


def test_only_what_was_asked_for_last_is_fetched() -> None:
    begun, go_on, arrived = threading.Event(), threading.Event(), threading.Event()
    fetched: list[int] = []

    def fetch(index: int) -> int:
        fetched.append(index)
        begun.set()
        assert go_on.wait(30)
        if index == 9:
            arrived.set()
        return index

    task: LatestTask[int] = LatestTask(fetch, "fetch", lambda sentence: None)
    task.ask(0)
    assert begun.wait(30)
    for index in (*range(1, 10), 9):
        task.ask(index)
    go_on.set()
    assert arrived.wait(30)
    task.close()
    task.ask(3)
    assert fetched == [0, 9]
    assert task.got == 9


def test_what_cannot_be_fetched_is_told_and_the_next_is_fetched() -> None:
    told: list[str] = []
    arrived = threading.Event()

    def fetch(index: int) -> int:
        if index == 0:
            raise SaveError("It is damaged.")
        return index

    task: LatestTask[int] = LatestTask(fetch, "fetch", told.append, arrived.set)
    task.ask(0)
    task.close()
    assert told == ["It is damaged."]
    assert task.got is None


def test_all_parts_are_closed_whatever_becomes_of_one(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[str] = []

    class Part:
        def __init__(self, name: str, error: Exception | None = None) -> None:
            self._name, self._error = name, error

        def close(self) -> None:
            closed.append(self._name)
            if self._error is not None:
                raise self._error

    close_all(Part("a", SaveError("The disk is full.")), Part("b", RuntimeError("stuck")), Part("c"))
    assert closed == ["a", "b", "c"]
    assert "The disk is full." in caplog.text
    assert "RuntimeError" in caplog.text


def test_what_is_posted_from_a_thread_is_done_on_qts_and_no_more_after_the_close(
    qtbot: QtBot, qapp: QApplication
) -> None:
    main_thread, where = MainThread(), []
    poster = threading.Thread(
        target=lambda: main_thread.post(lambda: where.append(threading.current_thread()))
    )
    poster.start()
    poster.join()
    assert not where, "not before Qt's next turn"
    qtbot.waitUntil(lambda: bool(where), timeout=WAIT_MS)
    assert where == [threading.current_thread()]
    main_thread.post(lambda: where.append(threading.current_thread()))
    main_thread.close()
    main_thread.post(lambda: where.append(threading.current_thread()))
    qapp.processEvents()
    assert len(where) == 1


def test_what_is_asked_for_after_the_close_is_not_done(thread: PostedWork) -> None:
    background = Background("work", thread.post)
    told: list[Future[int]] = []
    asked: list[Future[int]] = []

    def ask_again(future: Future[int]) -> None:
        asked.append(background.start(lambda: 2, told.append))

    background.start(lambda: 1, ask_again)
    background.close()
    thread.run_until(lambda: bool(asked))
    assert asked[0].cancelled()
    assert told == []
