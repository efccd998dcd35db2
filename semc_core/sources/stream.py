"""Network streams: udp, rtp, rtsp, http, tcp, srt and rtmp. They may come and go: the scan goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from semc_core.errors import SourceError
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import Grabbed
from semc_core.sources.connection import Connection, Received
from semc_core.sources.grabber import GrabbedSource, Grabber
from semc_core.sources.outage import SILENT_AFTER_S, OutageTeller
from semc_core.types import SourceInfo

OPEN_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0
AGAIN_TIMEOUT_S: Final = 3.0
"""How long each try to get the picture back may take: one that nobody answers must not hold up the next."""

_WAITING_PICTURES = 4
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 1.0


class StreamSource(GrabbedSource):
    """A network stream. Live: what the network loses is lost.

    Damaged pictures are left out, as networks lose packets; times are the stream's, from 0 at the first
    picture. A sender that ends, dies or falls silent is tried again, with growing pauses, until it sends
    again or the scan is ended; what is missing shows in the times. Only where a web server said how long
    it is, it is a recording that ends.

    Args:
        url: "udp://:5000", "rtsp://host/path", "http://host/scan.ts", ...
        options: How its pictures are read.
        open_timeout_s: How long the first picture may take.
        read_timeout_s: How long a silence is waited out before the connection is made anew.

    Raises:
        SourceError: Nobody answers, or the address is wrong; or (from `read`) a recording broke off.
    """

    def __init__(
        self,
        url: str,
        options: PictureOptions = AS_IT_IS,
        *,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        name = public_name(url)
        teller = OutageTeller(name)
        device = self._stream = _Stream(url, name, (open_timeout_s, read_timeout_s), teller, options)
        grabber = Grabber(device, name, _WAITING_PICTURES, newest_wins=False)
        super().__init__(grabber, 2 * open_timeout_s + read_timeout_s, teller, options)

    def _known(self) -> SourceInfo:
        known, told = super()._known(), self._stream.told
        return replace(known, notice=" ".join(filter(None, (known.notice, told))))


def public_name(url: str) -> str:
    """The address without user name, password and query: those are nobody's business in an export."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Stream:
    """The stream itself; lives in the grabber's thread, as PyAV cannot be woken from outside.

    Attributes:
        told: What the user should know of its pictures, or "". Replaced as a whole: any thread may read it.
    """

    def __init__(
        self,
        url: str,
        name: str,
        timeouts_s: tuple[float, float],
        teller: OutageTeller,
        options: PictureOptions,
    ) -> None:
        self._options, self.told = options, ""
        self._url, self._name, self._timeouts_s, self._teller = url, name, timeouts_s, teller
        self._connection: Connection | None = None
        self._coming: Iterator[Received | None] = iter(())
        self._first: Grabbed | None = None
        self._start_s: float | None = None
        self._base_s = self._last_s = 0.0
        self._came_s = 0.0
        self._new = True

    def open(self) -> SourceInfo:
        self._connect(self._timeouts_s)
        first = self._first = self.grab(threading.Event())
        if first is None:
            raise SourceError(f"{self._name} ended before the first picture; check the sender.")
        assert self._connection is not None
        return SourceInfo(
            source_id=self._name,
            kind="stream",
            width=first.picture.width,
            height=first.picture.height,
            frame_rate=self._connection.rate,
            frame_count=None,
            live=True,
        )

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        while not stopping.is_set():
            try:
                received = next(self._coming)
            except (StopIteration, SourceError) as over:
                if not self._begin_again(over):
                    return None
                self._reconnect(stopping)
                continue
            if self._connection is not None and self._connection.told not in self.told:
                self.told = f"{self.told} {self._connection.told}".strip()
            if received is not None:
                return self._grabbed(received)
        return None

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self, timeouts_s: tuple[float, float]) -> None:
        """Raises SourceError."""
        self._connection = Connection(self._url, self._name, timeouts_s, self._options)
        self._coming = self._connection.received()
        self._new = True

    def _begin_again(self, over: Exception) -> bool:
        """Whether the stream is to be opened again after it ended or broke off; says so.

        Raises:
            SourceError: It is a recording that broke off, or never began.
        """
        ended = isinstance(over, StopIteration)
        if self._start_s is None or (self._connection is not None and self._connection.has_end):
            if ended:
                return False
            raise over
        why = f"{self._name} ended its picture." if ended else str(over)
        self._teller.began(f"{why} It is tried again until it comes back.")
        return True

    def _reconnect(self, stopping: threading.Event) -> None:
        """Until the sender answers again, or the scan is ended."""
        wait_s = _FIRST_WAIT_S
        open_s = min(self._timeouts_s[0], AGAIN_TIMEOUT_S)
        while True:
            self.release()
            if stopping.wait(wait_s):
                return
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            try:
                self._connect((open_s, self._timeouts_s[1]))
            except SourceError as error:
                self._teller.began(f"{error} It is tried again until it comes back.")
            else:
                return

    def _grabbed(self, received: Received) -> Grabbed:
        """The picture with its time in the scan: each connection's own clock begins where it is now."""
        now_s = received.captured_s
        silent_s, step_s = now_s - self._came_s, self._base_s + received.pts_s - self._last_s
        if self._start_s is None:
            self._start_s = now_s
        elif self._new or (silent_s > SILENT_AFTER_S and step_s < silent_s / 2):
            # Also where a sender that was started anew sends into the same connection, as by UDP.
            self._base_s = max(self._last_s, now_s - self._start_s) - received.pts_s
        self._new, self._came_s = False, now_s
        self._teller.came(now_s)
        self._last_s = max(self._last_s, self._base_s + received.pts_s)
        return Grabbed(received.picture, self._last_s, now_s)
