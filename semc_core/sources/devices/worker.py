"""A thread for calls that a driver may never come back from: whoever waits can give it up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], Callable[[Any], None], "Future[Any]", threading.Event]


class Worker:
    """Does one call after the other in a thread of its own, a daemon. Used by one thread.

    A driver that hangs is left alone with its thread; what it gives when it comes back after all is handed to
    `late`, which lets go of it.
    """

    def __init__(self, name: str) -> None:
        """Begin; `name` is the thread's."""
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._left: list[threading.Event] = []
        self._begin()

    @property
    def left(self) -> int:
        """How many calls were given up that have not come back, each with a thread of its own."""
        self._left = [over for over in self._left if not over.is_set()]
        return len(self._left)

    def call(self, what: Callable[[], T], late: Callable[[T], None], timeout_s: float) -> T:
        """What `what` gives or raises, in the worker's thread.

        Args:
            what: The call.
            late: Is given its result, in the worker's thread, if it comes after `timeout_s`.
            timeout_s: How long to wait for it.

        Raises:
            TimeoutError: It has not come back; from now on a new thread does the calls.
        """
        answer: Future[T] = Future()
        over = threading.Event()
        self._jobs.put((what, late, answer, over))
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            if answer.cancel():
                self._left.append(over)
                self.close()
                self._jobs = queue.SimpleQueue()
                self._begin()
                raise
            return answer.result()

    def close(self) -> None:
        """End the thread when it has nothing to do any more; does not wait."""
        self._jobs.put(None)

    def _begin(self) -> None:
        threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True).start()


def _work(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        what, late, answer, over = job
        try:
            given = what()
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: raised again in the caller
            _give(answer.set_exception, error)
        else:
            if not _give(answer.set_result, given):
                late(given)
        over.set()


def _give(give: Callable[[Any], None], what: object) -> bool:
    """Whether somebody still waits for it."""
    try:
        give(what)
    except InvalidStateError:
        return False
    return True
