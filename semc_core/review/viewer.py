"""Gets the frames of a loop onto the screen: the one asked for last, and something near it meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from semc_core.capture.seek import SeekableSource
from semc_core.errors import SemcError, SourceInterrupted
from semc_core.frames import FramePacket

_log = logging.getLogger(__name__)

PATIENCE_S: Final = 0.03
"""For so long the frame before stays on the screen; then something near is better."""


class FrameViewer:
    """Reads frames on two threads of its own. Nothing but `close` waits.

    A frame far into a long group of pictures takes some tenths of a second to decode. Until it is there,
    `got` is a frame before it that was decoded, or the one at which that group begins. What is no longer
    asked for is given up at once.
    """

    def __init__(self, source: SeekableSource, failed: Callable[[str], None]) -> None:
        """Start.

        Args:
            source: The loop; not closed here.
            failed: Called on one of the threads with the sentence about a frame that could not be read.
        """
        self._source = source
        self._failed = failed
        self._changed = threading.Condition()
        self._asked: int | None = None
        self._number = 0
        self._got: FramePacket | None = None
        self._got_number = 0
        self._waiting_since_s: float | None = None
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, args=(exact,), name=name)
            for exact, name in ((False, "review-near"), (True, "review-frames"))
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, index: int) -> None:
        """Read this frame next, unless it was asked for last."""
        with self._changed:
            if index != self._asked:
                self._asked = index
                self._number += 1
                if self._waiting_since_s is None:
                    self._waiting_since_s = time.monotonic()
                self._changed.notify_all()

    def ask_again(self) -> None:
        """Read what was asked for last once more when it is asked for again."""
        with self._changed:
            self._asked = None

    def wait_until_shown(self, limit_s: float) -> None:
        """Wait while a frame that was asked for is not there, so long at most. For who can wait better."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting_since_s is None, limit_s)

    @property
    def got(self) -> FramePacket | None:
        """The newest frame; its index tells which it is."""
        with self._changed:
            return self._got

    def close(self) -> None:
        """End the threads. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self, exact: bool) -> None:
        get = self._get_exact if exact else self._get_near
        done = 0
        while (asked := self._next_asked(done)) is not None:
            index, done = asked
            try:
                packet = get(index, done)
            except SourceInterrupted:
                continue
            except SemcError as error:
                self._wait_no_more(exact, done)
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                # The type only: an error may name a file, and a file may be named after a patient.
                _log.error("A frame could not be read: %s", type(error).__name__)
                self._wait_no_more(exact, done)
                self._failed("A frame could not be read; see the log for details.")
            else:
                self._take(packet, exact, done)

    def _next_asked(self, done: int) -> tuple[int, int] | None:
        """Wait for a number above `done`: the frame asked for, and the number. None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._number > done and self._asked is not None))
            return None if self._closed or self._asked is None else (self._asked, self._number)

    def _get_near(self, index: int, number: int) -> FramePacket | None:
        with self._changed:
            since_s = self._waiting_since_s
            if since_s is None:
                return None
            left_s = since_s + PATIENCE_S - time.monotonic()
            if self._changed.wait_for(
                lambda: self._closed or self._waiting_since_s is None, max(0.0, left_s)
            ):
                return None
        return self._source.near(index)

    def _get_exact(self, index: int, number: int) -> FramePacket | None:
        return self._source.frame(index, lambda: self._closed or self._number != number)

    def _wait_no_more(self, exact: bool, number: int) -> None:
        """The frame asked for cannot be read, so nobody waits for it."""
        with self._changed:
            if exact and number == self._number:
                self._waiting_since_s = None
                self._changed.notify_all()

    def _take(self, packet: FramePacket | None, exact: bool, number: int) -> None:
        """Show the packet, unless a newer one is there, or the exact one.

        The packet's index cannot tell whether it is exact: a recording keeps the indices of its scan.
        """
        with self._changed:
            if packet is None or number < self._got_number:
                return
            if not exact and number == self._got_number:
                return
            self._got, self._got_number = packet, number
            if not exact:
                self._waiting_since_s = time.monotonic()
            elif number == self._number:
                self._waiting_since_s = None
            self._changed.notify_all()
