"""Network streams: udp, rtp, rtsp, http, tcp, srt and rtmp, through PyAV."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from semc_core.errors import SourceError
from semc_core.sources.base import Grabbed
from semc_core.sources.decoded import picture_of
from semc_core.sources.grabber import GrabbedSource, Grabber
from semc_core.sources.times import FrameClock
from semc_core.sources.upright import Uprights, pixel_aspect
from semc_core.types import SourceInfo

OPEN_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0

# Look no longer than a second for what the stream holds. What arrives meanwhile is kept and decoded at once,
# as losing it (fflags nobuffer) would lose the key frame that all pictures until the next one need.
_OPTIONS = {"analyzeduration": "1000000", "probesize": "500000"}
_OPTIONS_OF = {
    "rtsp": {"rtsp_flags": "prefer_tcp"},
    "rtsps": {"rtsp_flags": "prefer_tcp"},
    "udp": {"overrun_nonfatal": "1", "fifo_size": "20000"},
}
_WAITING_PICTURES = 4
_MAX_FAILURES = 100
"""Reads that fail one after the other before the stream counts as broken."""


class StreamSource(GrabbedSource):
    """A network stream. Live: what the network loses is lost.

    Damaged pictures are left out, as networks lose packets; times are the stream's, from 0 at the first
    picture. A stream that its sender ends gives None; one that breaks off raises.

    Args:
        url: "udp://:5000", "rtsp://host/path", "http://host/scan.ts", ...
        open_timeout_s: How long the first picture may take.
        read_timeout_s: How long a silence is waited out before the stream counts as broken.

    Raises:
        SourceError: Nobody answers, the address is wrong, or (from `read`) the stream broke off.
    """

    def __init__(
        self, url: str, *, open_timeout_s: float = OPEN_TIMEOUT_S, read_timeout_s: float = READ_TIMEOUT_S
    ) -> None:
        name = public_name(url)
        device = _Stream(url, name, open_timeout_s, read_timeout_s)
        grabber = Grabber(device, name, _WAITING_PICTURES, newest_wins=False)
        super().__init__(grabber, 2 * open_timeout_s + read_timeout_s)


def public_name(url: str) -> str:
    """The address without user name, password and query: those are nobody's business in an export."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Stream:
    """The connection itself; lives in the grabber's thread, as PyAV cannot be woken from outside."""

    def __init__(self, url: str, name: str, open_timeout_s: float, read_timeout_s: float) -> None:
        self._url, self._name = url, name
        self._timeouts_s = (open_timeout_s, read_timeout_s)
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._decoded: deque[Grabbed] = deque()
        self._draining = False
        self._failures = 0

    def open(self) -> SourceInfo:
        scheme = urlsplit(self._url).scheme.lower()
        options = {**_OPTIONS, **_OPTIONS_OF.get(scheme, {})}
        try:
            container = av.open(self._url, options=options, timeout=self._timeouts_s)
        except (av.FFmpegError, OSError) as error:
            # PyAV's error holds the address with its password; it must not reach a log as the cause.
            raise SourceError(_why_not_opened(self._name, error, self._timeouts_s[0])) from None
        self._container = container
        stream = container.streams.best("video")
        if not isinstance(stream, VideoStream):
            raise SourceError(f"{self._name} sends no pictures; check what the sender sends.")
        # Decoding several frames at once would hold each back until the next ones have come.
        stream.thread_type = "SLICE"
        self._stream = stream
        rate = stream.average_rate or stream.guessed_rate
        self._clock = FrameClock(stream.time_base, rate)
        self._uprights = Uprights(pixel_aspect(stream.sample_aspect_ratio))
        first = self.grab(threading.Event())
        if first is None:
            raise SourceError(f"{self._name} ended before the first picture; check the sender.")
        self._decoded.appendleft(first)
        height, width = first.picture.height, first.picture.width
        return SourceInfo(
            source_id=self._name,
            kind="stream",
            width=width,
            height=height,
            frame_rate=float(rate) if rate else None,
            frame_count=None,
            live=True,
        )

    def grab(self, stopping: threading.Event) -> Grabbed | None:
        while not self._decoded and not self._draining and not stopping.is_set():
            self._decode_next()
        return self._decoded.popleft() if self._decoded and not stopping.is_set() else None

    def release(self) -> None:
        if self._container is not None:
            self._container.close()

    def _decode_next(self) -> None:
        assert self._container is not None
        assert self._stream is not None
        try:
            packet = next(self._container.demux(self._stream))
            self._failures = 0
        except av.InvalidDataError:
            self._failures += 1
            if self._failures == _MAX_FAILURES:
                raise SourceError(f"{self._name} sends damaged data; check the sender.") from None
            return
        except (av.FFmpegError, OSError) as error:
            raise SourceError(_why_broken(self._name, error, self._timeouts_s[1])) from None
        # The demultiplexer gives an empty packet at the end, which flushes the decoder.
        self._draining = packet.size == 0 and packet.dts is None
        now_s = time.monotonic()
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        for frame in frames:
            if isinstance(frame, av.VideoFrame) and not frame.is_corrupt:
                self._decoded.append(
                    Grabbed(
                        picture_of(frame, upright=self._uprights.of(frame)), self._clock.time_of(frame), now_s
                    )
                )


def _why_not_opened(name: str, error: Exception, timeout_s: float) -> str:
    if isinstance(error, av.error.ExitError | TimeoutError):
        return f"Nothing came from {name} within {timeout_s:g} s; check that the sender is on."
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return f"{name} wants a user name and password; give them as {name.partition('://')[0]}://user:password@..."
    if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return f"{name} is not offered by the server; check the address."
    if isinstance(error, ConnectionRefusedError):
        return f"{name} refuses the connection; check that the sender is on and the port is right."
    if isinstance(error, av.InvalidDataError):
        return f"{name} does not send a video format that is known here; check the sender's settings."
    return f"{name} cannot be reached; check the address and the network."


def _why_broken(name: str, error: Exception, timeout_s: float) -> str:
    if isinstance(error, av.error.ExitError | TimeoutError):
        return f"{name} broke off: nothing has come for {timeout_s:g} s; check the sender and the network."
    return f"{name} broke off; check the sender and the network."
