"""Network streams: udp, rtp, rtsp, http, tcp, srt, rtmp and igtl. They may come and go: the scan goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from semc_core.errors import SourceError
from semc_core.io.slept import asleep_s
from semc_core.language import _, joined
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import Grabbed
from semc_core.sources.frames.live_frames import Received
from semc_core.sources.live.address import public_name
from semc_core.sources.live.attempts import Attempts
from semc_core.sources.live.connect import StreamConnection, connect
from semc_core.sources.live.grabber import GrabbedSource, Grabber
from semc_core.sources.live.outage import SILENT_AFTER_S, OutageTeller
from semc_core.sources.raw.tap import RawTap, stream_origin
from semc_core.types import SourceInfo

OPEN_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0
CONNECTED_TIMEOUT_S: Final = 2.0
"""The same where there is a connection, which may be dead although nobody closed it. By UDP a sender who is
back is heard without a new one."""
AGAIN_TIMEOUT_S: Final = 3.0
"""How long each try to get the picture back may take: one that nobody answers must not hold up the next."""

STANDARD_INPUT: Final = "pipe:0"
"""What another program writes into this one. When that ends the scan is over: no other can write there."""

_WAITING_PICTURES = 4
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 1.0
_AT_ONCE: Final = 8
_EVERY_S: Final = 0.75
_WITHOUT_CONNECTION: Final = ("udp", "rtp", "srt", "pipe")
"""Two cannot listen at one port."""
_FEW_PICTURES: Final = 3


class StreamSource(GrabbedSource):
    """A network stream. Live: what the network loses is lost.

    Damaged pictures are left out, as networks lose packets; times are the stream's, from 0 at the first
    picture. A sender that ends, dies or falls silent is tried again, with growing pauses, until it sends
    again or the scan is ended; what is missing shows in the times. Only where a web server said how long
    it is, or another program writes into this one, it ends.

    Args:
        url: "udp://:5000", "rtsp://host/path", "http://host/scan.ts", ..., or `STANDARD_INPUT`.
        options: How its pictures are read.
        open_timeout_s: How long the first picture may take.
        read_timeout_s: How long a silence is waited out before the connection is made anew; None goes by
            the kind of address.
        tap: Takes what comes as well, undecoded.

    Raises:
        SourceError: Nobody answers, or the address is wrong; or (from `read`) a recording broke off.
    """

    def __init__(
        self,
        url: str,
        options: PictureOptions = AS_IT_IS,
        *,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float | None = None,
        tap: RawTap | None = None,
    ) -> None:
        name = public_name(url)
        connected = urlsplit(url).scheme.lower() not in _WITHOUT_CONNECTION
        if read_timeout_s is None:
            read_timeout_s = CONNECTED_TIMEOUT_S if connected else READ_TIMEOUT_S
        teller = OutageTeller(name)
        timeouts_s = open_timeout_s, read_timeout_s
        device = self._stream = _Stream(url, name, timeouts_s, teller, options, tap)
        grabber = Grabber(device, name, _WAITING_PICTURES, newest_wins=False)
        super().__init__(grabber, 2 * open_timeout_s + read_timeout_s, teller, options)

    def _known(self) -> SourceInfo:
        known, told = super()._known(), self._stream.told
        width, height = self._stream.size or (known.width, known.height)
        notice = joined((known.notice, told))
        return replace(known, width=width, height=height, notice=notice)


class _Stream:
    """The stream itself; lives in the grabber's thread, as PyAV cannot be woken from outside.

    Attributes:
        told: What the user should know of its pictures, or "". Replaced as a whole: any thread may read it.
        size: Width and height of the newest picture; None before the first. As `told`.
    """

    def __init__(
        self,
        url: str,
        name: str,
        timeouts_s: tuple[float, float],
        teller: OutageTeller,
        options: PictureOptions,
        tap: RawTap | None,
    ) -> None:
        self._options, self.told = options, ""
        self.size: tuple[int, int] | None = None
        self._url, self._name, self._timeouts_s, self._teller = url, name, timeouts_s, teller
        self._tap = tap
        if tap is not None:
            tap.describe(stream_origin(urlsplit(url).scheme.lower(), options))
        self._connection: StreamConnection | None = None
        self._coming: Iterator[Received | None] = iter(())
        self._first: Grabbed | None = None
        self._start_s: float | None = None
        self._base_s = self._last_s = 0.0
        self._came_s = 0.0
        self._new = self._own_pace = True
        self._given = 0

    def open(self) -> SourceInfo:
        self._connect(self._timeouts_s)
        first = self._first = self.grab(threading.Event())
        if first is None:
            raise SourceError(_("{name} ended before the first picture; check the sender.", name=self._name))
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
            told = "" if self._connection is None else self._connection.told
            if told not in self.told:
                # What one connection tells grows.
                self.told = told if self.told in told else joined((self.told, told))
            if received is not None:
                return self._grabbed(received)
        return None

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self, timeouts_s: tuple[float, float]) -> None:
        """Raises SourceError."""
        self._use(connect(self._url, self._name, timeouts_s, self._options, self._tap))

    def _use(self, connection: StreamConnection) -> None:
        self._connection = connection
        self._given = 0
        # A recording that a web server offers comes as fast as it is read.
        self._own_pace = not connection.has_end or urlsplit(self._url).scheme.lower() == "pipe"
        self._note("connected")
        self._coming = connection.received()
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
        self._note("ended by its sender" if ended else "broke off")
        if ended:
            self._teller.began(
                _("{name} ended its picture. It is tried again until it comes back.", name=self._name)
            )
        else:
            self._teller.began(_again(str(over)))
        return True

    def _note(self, words: str) -> None:
        if self._tap is not None:
            self._tap.note(words)

    def _reconnect(self, stopping: threading.Event) -> None:
        """Until the sender answers again, or the scan is ended. One try after the other, or (where there
        are connections, each of which may hang) several at once."""
        self.release()
        waits_s = _pauses()
        if stopping.wait(next(waits_s)):
            return
        open_s = min(self._timeouts_s[0], AGAIN_TIMEOUT_S)
        # A sender who gives a picture now and then must not be taken for one who fell silent.
        read_s = (
            self._timeouts_s[1] if self._given >= _FEW_PICTURES else max(self._timeouts_s[1], READ_TIMEOUT_S)
        )
        alone = urlsplit(self._url).scheme.lower() in _WITHOUT_CONNECTION
        attempts = Attempts(
            lambda: connect(self._url, self._name, (open_s, read_s), self._options, self._tap),
            at_once=1 if alone else _AT_ONCE,
            every_s=_EVERY_S,
        )
        connection = attempts.first(
            stopping,
            lambda: next(waits_s),
            lambda why: self._teller.began(_again(why)),
        )
        if connection is not None:
            self._use(connection)

    def _grabbed(self, received: Received) -> Grabbed:
        """The picture with its time in the scan: each connection's own clock begins where it is now."""
        now_s = received.captured_s + asleep_s()
        silent_s, step_s = now_s - self._came_s, self._base_s + received.pts_s - self._last_s
        if self._start_s is None:
            self._start_s = now_s
        elif self._new or (silent_s > SILENT_AFTER_S and step_s < silent_s / 2):
            # Also where a sender that was started anew sends into the same connection, as by UDP.
            self._base_s = max(self._last_s, now_s - self._start_s) - received.pts_s
        self._new, self._came_s = False, now_s
        self.size = received.picture.width, received.picture.height
        self._given += 1
        self._teller.came(received.captured_s, own_pace=self._own_pace)
        self._last_s = max(self._last_s, self._base_s + received.pts_s)
        return Grabbed(received.picture, self._last_s, received.captured_s, poses=received.poses)


def _again(why: str) -> str:
    return _("{why} It is tried again until it comes back.", why=why)


def _pauses() -> Iterator[float]:
    """Seconds between tries, growing."""
    wait_s = _FIRST_WAIT_S
    while True:
        yield wait_s
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
