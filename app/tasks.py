"""The two threads behind the review page: one that corrects, in order; one that reads frames, newest first.

No Qt here.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from semc_core.errors import SemcError
from semc_core.io.process import let_others_go_first
from semc_core.pipeline.queues import LatestQueue, QueueClosed

T = TypeVar("T")


class Job(Generic[T]):
    """Work on a thread of its own, asked now and then whether it is done."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        """Begin at once."""
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether `result` returns at once."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the end. Returns what the work returned, or raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set unless there was an error

    def _run(self) -> None:
        try:
            self._value = self._work()
        except Exception as error:  # noqa: BLE001 - the thread's boundary; raised again by `result`
            self._error = error


_log = logging.getLogger(__name__)

URGENT: Final = 0
SOON: Final = 1
_END: Final = 2

Told = Callable[[str], None]


def _unexpected(error: Exception) -> str:
    # The type only: an error may name a file, and a file may be named after a patient.
    _log.error("A fault in the background: %s", type(error).__name__)
    return f"Something went wrong in the background ({type(error).__name__}); see the log for details."


class SerialExecutor:
    """Does one thing after the other on a thread of its own: the urgent first, each kind in order."""

    def __init__(self, failed: Told, name: str = "review-hand", *, last: bool = False) -> None:
        """Start.

        Args:
            failed: Called on that thread with the sentence about work that failed.
            name: Of the thread.
            last: Whether nobody waits for what it does, so that other threads go first.
        """
        self._failed = failed
        self._last = last
        self._number = itertools.count()
        self._waiting: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def do(self, work: Callable[[], None], priority: int = URGENT) -> None:
        """Do this; does not wait. Ignored after `close`."""
        if not self._closing.is_set():
            self._waiting.put((priority, next(self._number), work))

    def close(self) -> None:
        """Do what is urgent, forget the rest, and end."""
        self._closing.set()
        self._waiting.put((_END, next(self._number), None))
        self._thread.join()

    def _run(self) -> None:
        if self._last:
            let_others_go_first()
        while True:
            priority, _, work = self._waiting.get()
            if work is None:
                return
            if self._closing.is_set() and priority != URGENT:
                continue
            try:
                work()
            except SemcError as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                self._failed(_unexpected(error))


class LatestTask(Generic[T]):
    """Fetches what was asked for last, on a thread of its own; what was asked before is skipped."""

    def __init__(self, fetch: Callable[[int], T], name: str, failed: Told) -> None:
        """Start.

        Args:
            fetch: Number of a frame -> what is wanted of it. May take long.
            name: Of the thread.
            failed: Called on that thread with the sentence about what could not be fetched.
        """
        self._fetch = fetch
        self._failed = failed
        self._asked: LatestQueue[int] = LatestQueue()
        self._last: int | None = None
        self._lock = threading.Lock()
        self._got: T | None = None
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def ask(self, index: int) -> None:
        """Fetch this next, unless it was asked for last."""
        if index != self._last:
            self._last = index
            self._asked.put(index)

    def ask_again(self) -> None:
        """What was asked for last may have changed."""
        self._last = None

    @property
    def got(self) -> T | None:
        """What was fetched last."""
        with self._lock:
            return self._got

    def close(self) -> None:
        """End, after what is being fetched."""
        self._asked.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                index = self._asked.get()
            except QueueClosed:
                return
            try:
                got = self._fetch(index)
            except SemcError as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                self._failed(_unexpected(error))
            else:
                with self._lock:
                    self._got = got
