"""Stands in for the window's thread where there is no window: does what was posted, when a test says so."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

WAIT_S = 30.0
"""Long enough for a busy machine; a test that passes does not wait for it."""


class PostedWork:
    """Called by the test's thread, but for `post`."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def post(self, work: Callable[[], object]) -> None:
        """Have this done by `run_until`; for any thread."""
        self._posted.put(work)

    def run_until(self, holds: Callable[[], bool], tick: Callable[[], object] = lambda: None) -> None:
        """Do what is posted, and between that `tick`, until something holds. Fails if it never does."""
        end_s = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end_s, "it did not happen"
            tick()
            try:
                self._posted.get(timeout=0.01)()
            except queue.Empty:
                continue
