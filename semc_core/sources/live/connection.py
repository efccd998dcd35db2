"""One connection with the sender of a network stream, through PyAV, from its opening to its end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Final
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.picture_options import PictureOptions
from semc_core.sources.containers import CONTAINERS
from semc_core.sources.frames.live_frames import LiveFrames, Received
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.frames.times import FrameClock
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.raw.tap import RawTap

# Look no longer than a second for what the stream holds. What arrives meanwhile is kept and decoded at once,
# as losing it (fflags nobuffer) would lose the key frame that all pictures until the next one need.
# No play list: whoever sends it would choose which other hosts are asked.
_OPTIONS = {
    "analyzeduration": "1000000",
    "probesize": "500000",
    "format_whitelist": f"{CONTAINERS},rtsp,rtp,mpjpeg,live_flv",
}
_OPTIONS_OF = {
    "rtsp": {"rtsp_flags": "prefer_tcp"},
    "rtsps": {"rtsp_flags": "prefer_tcp"},
    "udp": {"overrun_nonfatal": "1", "fifo_size": "20000"},
}
_MAX_FAILURES: Final = 100
"""Reads that fail one after the other before the stream counts as broken."""
_PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935}
_ASK_S: Final = 2.0


class Connection:
    """An open connection. Used by one thread.

    Attributes:
        rate: Frames per second that the sender announces; None where it does not.
        has_end: The sender said how long it is, a recording that is offered and no live picture; or it can
            send only once.
    """

    def __init__(
        self,
        url: str,
        name: str,
        timeouts_s: tuple[float, float],
        options: PictureOptions,
        tap: RawTap | None = None,
    ) -> None:
        """Open it.

        Args:
            url: The address.
            name: To begin sentences with: the address without secrets.
            timeouts_s: How long opening and each reading may take.
            options: How the pictures are read.
            tap: Takes the packets as well, before they are decoded.

        Raises:
            SourceError: It cannot be opened; the sentence says why.
        """
        self._name, self._timeout_s = name, timeouts_s[1]
        scheme = urlsplit(url).scheme.lower()
        settings = {**_OPTIONS, **_OPTIONS_OF.get(scheme, {})}
        try:
            self._container: InputContainer = av.open(url, options=settings, timeout=timeouts_s)
        except (av.FFmpegError, OSError) as error:
            # PyAV's error holds the address with its password; it must not reach a log as the cause.
            raise SourceError(_why_not_opened(url, name, error, timeouts_s[0])) from None
        stream = self._container.streams.best("video")
        if not isinstance(stream, VideoStream):
            self._container.close()
            raise SourceError(_("{name} sends no pictures; check what the sender sends.", name=name))
        # Decoding several frames at once would hold each back until the next ones have come.
        stream.thread_type = "SLICE"
        self._stream = stream
        rate = stream.average_rate or stream.guessed_rate
        self.rate = float(rate) if rate else None
        # Who writes into a pipe cannot begin again.
        self.has_end = scheme == "pipe" or (scheme in ("http", "https") and self._container.size > 0)
        self._tap = tap
        self._coding = None if tap is None else coding_of(stream, tap.opening())
        pictures = StreamPictures(stream.codec_context, stream.sample_aspect_ratio, options)
        self._frames = LiveFrames(pictures, FrameClock(stream.time_base, rate), options)

    @property
    def told(self) -> str:
        """What the user should know of its pictures, or ""."""
        return self._frames.told

    def received(self) -> Iterator[Received | None]:
        """Pictures as they come, and None where one packet gave none; ends where the sender ends.

        Raises:
            SourceError: It broke off; the sentence says why.
        """
        failures = 0
        while True:
            try:
                packet = next(self._container.demux(self._stream))
            except StopIteration:
                return
            except av.InvalidDataError:
                failures += 1
                if failures == _MAX_FAILURES:
                    raise SourceError(
                        _("{name} sends damaged data; check the sender.", name=self._name)
                    ) from None
                continue
            except (av.FFmpegError, OSError) as error:
                raise SourceError(_why_broken(self._name, error, self._timeout_s)) from None
            failures = 0
            now_s = time.monotonic()
            if self._tap is not None and self._coding is not None and packet.size:
                self._tap.keep(raw_of(self._coding, packet, now_s))
            yield from self._decoded(packet, now_s)
            yield None
            # The demultiplexer gives an empty packet at the end, which flushes the decoder.
            if packet.size == 0 and packet.dts is None:
                yield from self._frames.ended()
                return

    def close(self) -> None:
        """End the connection."""
        self._container.close()

    def _decoded(self, packet: av.Packet[VideoStream], now_s: float) -> Iterator[Received]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        yield from self._frames.of(frames, now_s)


def coding_of(stream: VideoStream, opening: int) -> Coding:
    """How the packets of a stream are coded that had been opened so often before."""
    context = stream.codec_context
    return Coding(
        kind="packet",
        codec=context.name,
        width=context.width,
        height=context.height,
        rate=_pair(stream.average_rate or stream.guessed_rate),
        aspect=_pair(stream.sample_aspect_ratio),
        time_base=_pair(stream.time_base),
        # What is not compressed is known by nothing else.
        pixel_format=(context.pix_fmt or "") if context.name == "rawvideo" else "",
        extra=bytes(context.extradata or b"").hex(),
        opening=opening,
    )


def _pair(number: Fraction | None) -> tuple[int, int] | None:
    return (number.numerator, number.denominator) if number else None


def raw_of(coding: Coding, packet: av.Packet[VideoStream], now_s: float) -> Raw:
    """A packet as a raw tap keeps it."""
    return Raw(
        coding=coding,
        time_s=now_s,
        data=np.frombuffer(bytes(packet), np.uint8),
        key=packet.is_keyframe,
        pts=packet.pts,
        dts=packet.dts,
        corrupt=packet.is_corrupt,
    )


def _why_not_opened(url: str, name: str, error: Exception, timeout_s: float) -> str:
    if isinstance(error, av.error.ProtocolNotFoundError):
        scheme = urlsplit(url).scheme.lower()
        return _(
            "The video library here does not know {scheme}; let FFmpeg's program take it: "
            "ffmpeg -i ADDRESS -c copy -f mpegts - | semc live pipe:",
            scheme=scheme,
        )
    if url.startswith("pipe:"):
        return _(
            "{name} brought no video of a format that is known here; check the program that writes it.",
            name=name,
        )
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return _(
            "{name} wants a user name and password; give them as {scheme}://user:password@...",
            name=name,
            scheme=name.partition("://")[0],
        )
    if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return _("{name} is not offered by the server; check the address.", name=name)
    if isinstance(error, ConnectionRefusedError):
        return _(
            "{name} refuses the connection; check that the sender is on and the port is right.", name=name
        )
    if isinstance(error, av.InvalidDataError):
        return _(
            "{name} does not send a video format that is known here; check the sender's settings.", name=name
        )
    parts = urlsplit(url)
    if not _is_known(parts.hostname):
        return _(
            "No computer is called {host} in this network; check the address of {name}.",
            host=parts.hostname,
            name=name,
        )
    if isinstance(error, av.error.ExitError | TimeoutError):
        if _accepts(parts.scheme.lower(), parts.hostname, parts.port):
            return _(
                "{name} accepts the connection and sent nothing within {seconds} s; start the picture on the "
                "sender.",
                name=name,
                seconds=f"{timeout_s:g}",
            )
        return _(
            "Nothing came from {name} within {seconds} s; check that the sender is on.",
            name=name,
            seconds=f"{timeout_s:g}",
        )
    return _("{name} cannot be reached; check the address and the network.", name=name)


def _is_known(host: str | None) -> bool:
    try:
        return not host or bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


def _accepts(scheme: str, host: str | None, port: int | None) -> bool:
    """Whether somebody is there who takes a connection; False of what knows no connections."""
    port = port or _PORTS.get(scheme)
    if scheme in ("udp", "rtp", "srt") or not host or port is None:
        return False
    try:
        with socket.create_connection((host, port), _ASK_S):
            return True
    except OSError:
        return False


def _why_broken(name: str, error: Exception, timeout_s: float) -> str:
    if isinstance(error, av.error.ExitError | TimeoutError):
        return _(
            "{name} broke off: nothing has come for {seconds} s; check the sender and the network.",
            name=name,
            seconds=f"{timeout_s:g}",
        )
    return _("{name} broke off; check the sender and the network.", name=name)
