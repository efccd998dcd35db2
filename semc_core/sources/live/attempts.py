"""Several tries to connect at once: one that nobody answers does not hold up the next."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from semc_core.errors import SourceError

_LOOK_S: Final = 0.05


class Closable(Protocol):
    """What a try comes to."""

    def close(self) -> None:
        """Let go of it."""
        ...


C = TypeVar("C", bound=Closable)


class Attempts(Generic[C]):
    """Tries until one succeeds; what others come to later is closed. Used by one thread."""

    def __init__(self, connect: Callable[[], C], *, at_once: int, every_s: float) -> None:
        """Nothing is tried yet.

        Args:
            connect: Called on a thread for each try; raises SourceError.
            at_once: How many may be under way.
            every_s: So long after a try that has not come back the next one is begun.
        """
        self._connect, self._at_once, self._every_s = connect, at_once, every_s
        self._lock = threading.Lock()
        self._over = False
        self._results: queue.SimpleQueue[C | Exception] = queue.SimpleQueue()

    def first(
        self, stopping: threading.Event, pauses_s: Callable[[], float], failed: Callable[[str], None]
    ) -> C | None:
        """The first connection; None when `stopping` is set.

        Args:
            stopping: Ends it.
            pauses_s: How long to wait after a try that failed while no other was under way.
            failed: Told why one failed.
        """
        under_way, due_s = 0, time.monotonic()
        try:
            while not stopping.is_set():
                if under_way < self._at_once and time.monotonic() >= due_s:
                    threading.Thread(target=self._try, name="connect again", daemon=True).start()
                    under_way, due_s = under_way + 1, time.monotonic() + self._every_s
                try:
                    result = self._results.get(timeout=_LOOK_S)
                except queue.Empty:
                    continue
                if not isinstance(result, Exception):
                    return result
                if not isinstance(result, SourceError):
                    raise result
                under_way -= 1
                if under_way == 0:
                    due_s = time.monotonic() + pauses_s()
                failed(str(result))
            return None
        finally:
            self._end()

    def _try(self) -> None:
        try:
            result: C | Exception = self._connect()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: raised again in the caller
            result = error
        with self._lock:
            if not self._over:
                self._results.put(result)
                return
        _close(result)

    def _end(self) -> None:
        """What comes from now on is closed by its own thread, and what came and was not taken here."""
        with self._lock:
            self._over = True
        while not self._results.empty():
            _close(self._results.get())


def _close(result: Closable | Exception) -> None:
    if not isinstance(result, Exception):
        result.close()
