"""Video inside a DICOM file (MPEG-2, H.264, HEVC), through PyAV: each frame by its number."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import av
from av.packet import Packet
from av.video.stream import VideoStream
from pydicom.uid import UID

from semc_core.errors import SourceError
from semc_core.io.process import usable_cores
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.sources.decoders import make_ready
from semc_core.sources.dicom.frames import DamagedFrame
from semc_core.sources.frames.decoded import is_monochrome, picture_of
from semc_core.sources.frames.upright import Uprights, pixel_aspect

_SYNTAXES: Final = "1.2.840.10008.1.2.4.1"
"""MPEG-2, H.264 and HEVC have numbers from 00 to 08 behind it, and those in fragments a .1 more."""
_VIDEO_NUMBERS: Final = tuple(f"{number:02}" for number in range(9))
_CONTAINERS: Final = "mpeg,mpegvideo,mpegts,h264,hevc,mov,mp4,matroska"
_OPTIONS: Final = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
_BEGINNINGS: Final = (b"\x00\x00\x01\xb3", b"\x00\x00\x01\xba", b"\x00\x00\x01\x67", b"\x00\x00\x00\x01")


def is_video(syntax: UID | None, beginning: bytes) -> bool:
    """Whether the header names a video's coding, or says nothing known while the data begins as a video."""
    if syntax is not None and syntax.startswith(_SYNTAXES):
        return syntax[len(_SYNTAXES) :].removesuffix(".1") in _VIDEO_NUMBERS
    return beginning.startswith(_BEGINNINGS) or beginning[4:8] == b"ftyp"


class VideoFrames:
    """One stream of video, held in memory as it is compressed.

    A frame is known by the packet that it came from: after a jump it is found again by that, however the
    stream orders its packets.

    Attributes:
        count: Frames.
        rate: Frames per second as the stream says; None where it does not.
    """

    def __init__(self, data: bytes, expected: int | None) -> None:
        """Find its packets.

        Args:
            data: The stream.
            expected: Frames that the header counts.

        Raises:
            SourceError: It is none, or cannot be decoded; without the file's name.
        """
        try:
            # The container stays open as long as its stream decodes.
            self._container = av.open(BytesIO(data), "r", options=_OPTIONS)
            stream = self._container.streams.best("video")
            if not isinstance(stream, VideoStream):
                raise SourceError(_("holds no pictures, only sound; choose a cine loop"))
            self._packets = [packet for packet in self._container.demux(stream) if packet.size]
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(_("holds a video that cannot be opened; it is damaged or cut short")) from error
        make_ready(stream, min(4, usable_cores()))
        self._stream, self._monochrome = stream, is_monochrome(stream.codec_context)
        self._uprights = Uprights(pixel_aspect(None))
        self.rate = float(rate) if (rate := stream.average_rate or stream.guessed_rate) else None
        # Each packet is numbered, and its frame brings the number along.
        for number, packet in enumerate(self._packets):
            packet.pts = packet.dts = number
        self._order: list[int] | None = None
        self._next = 0
        self._going = self._decoded(0)
        self.count = len(self._packets)
        if self.count != expected:
            # A packet may hold no frame of its own: only decoding tells.
            self.count = len(self._known_order())
        if self.count == 0:
            raise SourceError(_("holds a video of which no frame can be decoded; it is damaged or cut short"))

    def picture(self, index: int) -> Picture:
        """The frame `index`, upright.

        Raises:
            DamagedFrame: It cannot be decoded.
        """
        frame = next(self._going, None) if index == self._next else self._sought(index)
        if frame is None:
            raise DamagedFrame
        self._next = index + 1
        return picture_of(frame, monochrome=self._monochrome, upright=self._uprights.of(frame))

    def close(self) -> None:
        """Let go of the stream."""
        self._going = iter(())
        self._packets = []
        self._container.close()

    def _sought(self, index: int) -> av.VideoFrame | None:
        order = self._known_order()
        if index >= len(order):
            return None
        self._going = self._decoded(self._start(index, order))
        return next((frame for frame in self._going if frame.pts == order[index]), None)

    def _start(self, index: int, order: list[int]) -> int:
        """The last packet from which decoding leads to the frame: a whole picture not shown after it."""
        place = {packet: shown for shown, packet in enumerate(order)}
        wanted = order[index]
        for number in range(wanted, 0, -1):
            if self._packets[number].is_keyframe and place.get(number, sys.maxsize) <= index:
                return number
        return 0

    def _known_order(self) -> list[int]:
        """The packet of every frame, as they are shown; decodes the whole video once."""
        if self._order is None:
            self._order = [int(frame.pts or 0) for frame in self._decoded(0)]
            self._going, self._next = self._decoded(0), 0
        return self._order

    def _decoded(self, start: int) -> Iterator[av.VideoFrame]:
        """What comes out from the packet `start` on. Damaged packets are passed over."""
        context = self._stream.codec_context
        begun = False
        last: list[Packet[VideoStream] | None] = [*self._packets[start:], None]
        for packet in last:
            if not begun:
                context.flush_buffers()
                begun = True
            try:
                yield from (one for one in context.decode(packet) if isinstance(one, av.VideoFrame))
            except av.FFmpegError:
                continue
