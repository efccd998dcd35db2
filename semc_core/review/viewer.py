"""Gets the frames of a loop onto the screen: the one asked for last, and something near it meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from semc_core.errors import SemcError, SourceInterrupted
from semc_core.language import _
from semc_core.sources.seek.base import SeekableSource
from semc_core.types import FramePacket

_log = logging.getLogger(__name__)

_ALONE_S: Final = 0.1
"""A frame asked for so long after the one before is a jump or a step, not one of those that are played."""
PAINTING_S: Final = 0.03
"""What a window takes to paint a frame, or what a correction changed, on a slow processor."""
PATIENCE_S: Final = 0.05
"""For so long what was seen last stays on the screen; then something nearer is better."""


class FrameViewer:
    """Reads frames on a thread of its own. Nothing but `close` waits.

    A frame far into a long group of pictures takes some tenths of a second to decode. Until it is there,
    `got` is now and then one of those that are decoded on the way to it. What is no longer asked for is
    given up.
    """

    def __init__(
        self,
        source: SeekableSource,
        failed: Callable[[str], None],
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        """Start.

        Args:
            source: The loop; not closed here.
            failed: Called on the thread with the sentence about a frame that could not be read.
            arrived: Called on the thread when `got` is another; returns at once.
        """
        self._source = source
        self._failed = failed
        self._arrived = arrived
        self._changed = threading.Condition()
        self._asked: int | None = None
        self._number = 0
        self._got: FramePacket | None = None
        self._got_number = 0
        self._waiting_since_s: float | None = None
        self._asked_s = -_ALONE_S
        self._alone = True
        self._painted_s = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="review-frames")
        self._thread.start()

    def ask(self, index: int) -> None:
        """Read this frame next, unless it was asked for last."""
        with self._changed:
            if index != self._asked:
                now_s = time.monotonic()
                self._alone = now_s - self._asked_s >= _ALONE_S
                self._asked, self._asked_s = index, now_s
                self._number += 1
                if self._waiting_since_s is None:
                    self._waiting_since_s = now_s
                self._changed.notify_all()

    def ask_again(self) -> None:
        """Read what was asked for last once more when it is asked for again."""
        with self._changed:
            self._asked = None

    def wait_until_shown(self, limit_s: float) -> None:
        """Wait while a frame that was asked for is not there, so long at most. For who can wait better.

        Where frames are not asked for one after the other, also for the moment until it is painted.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting_since_s is None, limit_s)
            rest_s = self._painted_s - time.monotonic()
            if rest_s > 0:
                self._changed.wait_for(lambda: self._closed or self._waiting_since_s is not None, rest_s)

    @property
    def got(self) -> FramePacket | None:
        """The newest frame; its index tells which it is."""
        with self._changed:
            return self._got

    def close(self) -> None:
        """End the thread. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        done = 0
        while (asked := self._next_asked(done)) is not None:
            index, done = asked
            try:
                packet = self._source.frame(index, partial(self._is_past, done), partial(self._passed, done))
            except SourceInterrupted:
                continue
            except SemcError as error:
                self._wait_no_more(done)
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - the thread's boundary
                # The type only: an error may name a file, and a file may be named after a patient.
                _log.error("A frame could not be read: %s", type(error).__name__)
                self._wait_no_more(done)
                self._failed(_("A frame could not be read; see the log for details."))
            else:
                self._show(packet, done)

    def _next_asked(self, done: int) -> tuple[int, int] | None:
        """Wait for a number above `done`: the frame asked for, and the number. None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._number > done and self._asked is not None))
            return None if self._closed or self._asked is None else (self._asked, self._number)

    def _is_past(self, number: int) -> bool:
        return self._closed or self._number != number

    def _wait_no_more(self, number: int) -> None:
        """The frame asked for cannot be read, so nobody waits for it."""
        with self._changed:
            if number == self._number:
                self._waiting_since_s = None
                self._changed.notify_all()

    def _passed(self, number: int, make: Callable[[], FramePacket | None]) -> None:
        """Show a frame on the way to the one asked for, if it is time to, and it is nearer."""
        since_s = self._waiting_since_s
        if since_s is None or time.monotonic() < since_s + PATIENCE_S:
            return
        packet = make()
        with self._changed:
            before = self._got if self._got_number == number else None
            if packet is not None and (before is None or before.index < packet.index):
                self._got, self._got_number = packet, number
                self._waiting_since_s = time.monotonic()
                self._changed.notify_all()
        self._arrived()

    def _show(self, packet: FramePacket, number: int) -> None:
        """Show the frame that was asked for."""
        with self._changed:
            now_s = time.monotonic()
            self._got, self._got_number = packet, number
            self._waiting_since_s = None if number == self._number else now_s
            if number == self._number:
                self._painted_s = now_s + PAINTING_S if self._alone else 0.0
            self._changed.notify_all()
        self._arrived()
