"""Work behind the window: on threads of `concurrent.futures`, what it came to back on the window's thread.

No Qt here: how something gets onto the window's thread is handed in (`app.main_thread` in the program).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, Protocol, TypeVar

from semc_core.errors import SemcError
from semc_core.io.process import let_others_go_first
from semc_core.language import _

_log = logging.getLogger(__name__)

T = TypeVar("T")

Post = Callable[[Callable[[], object]], None]
"""Has something done on the window's thread, soon. For any thread; returns at once."""


class Background:
    """A thread for work that the window must not wait for, one thing after the other.

    The thread begins with the first work. It ends in `close`, which must be called.
    """

    def __init__(self, name: str, post: Post, *, threads: int = 1, others_first: bool = False) -> None:
        """Nothing is begun yet.

        Args:
            name: Of its threads.
            post: Where what comes of the work is handed over.
            threads: How many; with more than one, work is not done in order.
            others_first: Whether nobody waits for the work, so that other threads go first.
        """
        begin = let_others_go_first if others_first else None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=begin)
        self._post = post
        self._closed = False

    def start(self, work: Callable[[], T], then: Callable[[Future[T]], object]) -> Future[T]:
        """Do this when what was started before is done; does not wait.

        Args:
            work: What to do.
            then: Called on the window's thread with the future, which is done; not if it was cancelled.

        Returns:
            The future; a cancelled one after `close`, as what was under way then may ask for more.
        """
        if self._closed:
            never: Future[T] = Future()
            never.cancel()
            return never
        future = self._pool.submit(work)
        future.add_done_callback(partial(self._hand_over, then))
        return future

    def close(self, *, forget: bool = False) -> None:
        """Wait for the end of what was started, or with `forget` only of what is under way."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=forget)

    def _hand_over(self, then: Callable[[Future[T]], object], future: Future[T]) -> None:
        if not future.cancelled():
            self._post(partial(then, future))


class LatestTask(Generic[T]):
    """Fetches what was asked for last, on a thread of its own; what was asked before is skipped."""

    def __init__(
        self,
        fetch: Callable[[int], T],
        name: str,
        failed: Callable[[str], None],
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is begun yet.

        Args:
            fetch: Number of a frame -> what is wanted of it. May take long.
            name: Of the thread.
            failed: Called on that thread with the sentence about what could not be fetched.
            arrived: Called on that thread when `got` is another.
        """
        self._fetch = fetch
        self._failed = failed
        self._arrived = arrived
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._asked: int | None = None
        self._waiting: Future[None] | None = None
        self._got: T | None = None
        self._closed = False

    def ask(self, index: int) -> None:
        """Fetch this next, unless it was asked for last. Ignored after `close`."""
        if index != self._asked and not self._closed:
            self._asked = index
            if self._waiting is not None:
                self._waiting.cancel()
            self._waiting = self._pool.submit(self._run, index)

    def ask_again(self) -> None:
        """What was asked for last may have changed."""
        self._asked = None

    @property
    def got(self) -> T | None:
        """What was fetched last."""
        return self._got

    def close(self) -> None:
        """End, after what is being fetched. May be called twice."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, index: int) -> None:
        try:
            self._got = self._fetch(index)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._failed(fault_of(error))
        else:
            self._arrived()


class Cuttable:
    """One question to a server at a time, made on another thread, which the window may cut."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._number = 0

    def begin(self) -> int:
        """Cut what was asked before. Returns the number of the next question."""
        self._number += 1
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            from semc_core.pacs.association import shut_down  # loaded by now

            shut_down(connection)
        return self._number

    def is_last(self, number: int) -> bool:
        """Whether nothing was asked, or cut, after this question."""
        return number == self._number

    def opened(self, number: int, connection: socket.socket) -> None:
        """Its connection, on its thread."""
        from semc_core.pacs.association import shut_down

        with self._lock:
            if number == self._number:
                self._connection = connection
                return
        shut_down(connection)

    def answered(self, number: int) -> None:
        """Its connection is at its end, on its thread."""
        with self._lock:
            if number == self._number:
                self._connection = None


class Closable(Protocol):
    """A part of the window that may have to wait for its threads."""

    def close(self) -> None:
        """End; may raise a SemcError."""
        ...


def close_all(*parts: Closable) -> None:
    """Close one after the other, whatever becomes of one: there is no window left to show a fault in."""
    for part in parts:
        try:
            part.close()
        except SemcError as error:
            _log.error("%s", error)
        except Exception:  # noqa: BLE001 - the program's boundary
            _log.exception("A fault while the window was closed.")


def fault_of(error: BaseException) -> str:
    """The sentence about work that failed."""
    if isinstance(error, SemcError):
        return str(error)
    # The type only: an error may name a file, and a file may be named after a patient.
    _log.error("A fault in the background: %s", type(error).__name__)
    return _(
        "Something went wrong in the background ({fault}); see the log for details.",
        fault=type(error).__name__,
    )
