"""Video inside a DICOM file (MPEG-2, H.264, HEVC), through PyAV: each frame by its number, or damaged."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from pydicom.uid import UID

from semc_core.errors import SourceError
from semc_core.io.process import usable_cores
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.sources.decoders import FileDecoder, is_disposable
from semc_core.sources.dicom.frames import DamagedFrame
from semc_core.sources.frames.decoded import is_monochrome, picture_of
from semc_core.sources.frames.times import Arrival, FrameNumbers
from semc_core.sources.frames.upright import Upright, Uprights, pixel_aspect

_SYNTAXES: Final = "1.2.840.10008.1.2.4.1"
"""MPEG-2, H.264 and HEVC have numbers from 00 to 08 behind it, and those in fragments a .1 more."""
_VIDEO_NUMBERS: Final = tuple(f"{number:02}" for number in range(9))
_CONTAINERS: Final = "mpeg,mpegvideo,mpegts,h264,hevc,mov,mp4,matroska"
_OPTIONS: Final = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
_BEGINNINGS: Final = (b"\x00\x00\x01\xb3", b"\x00\x00\x01\xba", b"\x00\x00\x01\x67", b"\x00\x00\x00\x01")

_SLICED: Final = ("h264", "hevc")
_LEAST_HELD: Final = 16
"""So many frames are kept at least: that one near them was lost is told later, by other threads."""
_MOST_HELD: Final = 32
"""Frames that are kept at most until all that they lean on has come."""
_MOST_FAILURES: Final = 16
"""Reads that fail one after the other before the rest of the stream is given up."""
_DAMAGED: Final = -1
"""In place of a packet's number."""


def is_video(syntax: UID | None, beginning: bytes) -> bool:
    """Whether the header names a video's coding, or says nothing known while the data begins as a video."""
    if syntax is not None and syntax.startswith(_SYNTAXES):
        return syntax[len(_SYNTAXES) :].removesuffix(".1") in _VIDEO_NUMBERS
    return beginning.startswith(_BEGINNINGS) or beginning[4:8] == b"ftyp"


class VideoFrames:
    """One stream of video, held in memory as it is compressed.

    A frame is known by the packet that it came from: after a jump it is found again by that, however the
    stream orders its packets. One whose packet gave none, or a damaged one, keeps its number and is damaged,
    and so is what leans on it.

    Attributes:
        count: Frames, damaged ones with them.
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
            self._packets = list(_packets_of(self._container, stream))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(_("holds a video that cannot be opened; it is damaged or cut short")) from error
        context = stream.codec_context
        # Before the decoder changes it.
        self._depth = max(2, context.reorder_depth)
        self._decoder = FileDecoder(stream, min(4, usable_cores()))
        self._context, self._monochrome = context, is_monochrome(context)
        self._uprights = Uprights(pixel_aspect(None))
        self.rate = float(rate) if (rate := stream.average_rate or stream.guessed_rate) else None
        self._order: list[int] | None = None
        self._checks: dict[int, int] = {}
        self._going = self._named()
        self._next = 0
        self._damaged: set[int] = set()
        self._last: tuple[int, Picture] | None = None
        self.count = len(self._packets)
        if self.count == expected:
            return
        # A packet may hold no frame of its own: only decoding tells.
        order = self._known_order()
        self.count = len(order)
        if set(order) <= {_DAMAGED}:
            raise SourceError(_("holds a video of which no frame can be decoded; it is damaged or cut short"))

    def size(self) -> tuple[int, int] | None:
        """Width and height of the first frame that is not damaged; None where all are."""
        for index in range(self.count):
            try:
                first = self.picture(index)
            except DamagedFrame:
                continue
            return first.width, first.height
        return None

    def picture(self, index: int) -> Picture:
        """The frame `index`, upright.

        Raises:
            DamagedFrame: It is damaged, or leans on one that is.
        """
        if self._last is not None and self._last[0] == index:
            return self._last[1]
        frame = None if index in self._damaged else self._frame(index)
        if frame is None:
            self._damaged.add(index)
            raise DamagedFrame
        shown = picture_of(frame, monochrome=self._monochrome, upright=self._uprights.of(frame))
        self._last = index, shown
        return shown

    def close(self) -> None:
        """Let go of the stream."""
        self._going = iter(())
        self._packets = []
        self._container.close()

    def _frame(self, index: int) -> av.VideoFrame | None:
        """None where it is damaged."""
        if self._order is None and index == self._next:
            self._next += 1
            return next(self._going, (_DAMAGED, None))[1]
        order = self._known_order()
        wanted = order[index] if index < len(order) else _DAMAGED
        goes_on, self._next = index == self._next, index + 1
        if wanted == _DAMAGED:
            return None
        if goes_on and (frame := self._until(wanted)) is not None:
            return frame
        # A refresh that goes on over many frames is marked as a start, and is none.
        for start in dict.fromkeys((self._start(index, order), 0)):
            self._going = self._decoded(start)
            if (frame := self._until(wanted)) is not None:
                return frame
        return None

    def _until(self, wanted: int) -> av.VideoFrame | None:
        """The frame of the packet `wanted`; None where it does not come any more, or not as in sequence.

        What leans on damage that nobody noticed depends on where decoding began.
        """
        found = next((frame for packet, frame in self._going if packet == wanted), None)
        return found if found is not None and _check_of(found) == self._checks[wanted] else None

    def _start(self, index: int, order: list[int]) -> int:
        """The last packet from which decoding leads to the frame: a whole picture not shown after it."""
        shown = {packet: place for place, packet in enumerate(order[: index + 1])}
        return next((n for n in range(order[index], 0, -1) if self._packets[n].is_keyframe and n in shown), 0)

    def _known_order(self) -> list[int]:
        """The packet of every frame, as they are shown; decodes the whole video once."""
        if self._order is None:
            order = []
            for packet, frame in self._named():
                order.append(packet)
                if frame is not None:
                    self._checks[packet] = _check_of(frame)
            self._order = order
            self._going, self._next = iter(()), _DAMAGED
        return self._order

    def _decoded(self, start: int) -> Iterator[tuple[int, av.VideoFrame | None]]:
        """What comes out from the packet `start` on, with the packets."""
        self._decoder.reset()
        for number in range(start, len(self._packets) + 1):
            for answer in self._decoder.decode(self._packet(number), number):
                yield from answer.frames

    def _named(self) -> Iterator[tuple[int, av.VideoFrame | None]]:
        """Every frame as it is shown, with its packet; `_DAMAGED` and None where it is damaged."""
        self._decoder.reset()
        codec = self._context.name
        # The packets' own times are often missing or guessed: frames are dealt out in their order.
        numbers = FrameNumbers(
            sorts=True, counts=True, leans=True, depth=self._depth, doubts_keys=codec not in _SLICED
        )
        held: deque[tuple[av.VideoFrame, Arrival]] = deque()
        for number in range(len(self._packets) + 1):
            place = -1
            if (packet := self._packet(number)) is not None:
                alone = is_disposable(packet, codec)
                place = numbers.promise(number, number, key=packet.is_keyframe, alone=alone)
            for answer in self._decoder.decode(packet, place):
                if answer.error is not None:
                    numbers.fail(answer.place)
                for at, frame in answer.frames:
                    if (arrival := numbers.arrived(frame, at)) is not None:
                        held.append((frame, arrival))
                    yield from _released(numbers, held)
        numbers.end()
        yield from _released(numbers, held, all_of_them=True)
        yield from ((_DAMAGED, None) for _stamp in numbers.rest())

    def _packet(self, number: int) -> Packet[VideoStream] | None:
        """The packet, stamped with its number, which its frame brings along; None behind the last."""
        if number == len(self._packets):
            return None
        packet = self._packets[number]
        packet.pts = packet.dts = number
        return packet


def _check_of(frame: av.VideoFrame) -> int:
    """A checksum of the frame's pixels as they are stored."""
    return zlib.crc32(picture_of(frame, upright=Upright()).pixels.data)


def _packets_of(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The packets, going on behind what cannot be read.

    Raises:
        av.FFmpegError: Not one can be read.
    """
    failures, any_read = 0, False
    while failures < _MOST_FAILURES:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    failures, any_read = 0, True
                    yield packet
            return
        except av.FFmpegError:
            failures += 1
            if failures == _MOST_FAILURES and not any_read:
                raise


def _released(
    numbers: FrameNumbers, held: deque[tuple[av.VideoFrame, Arrival]], *, all_of_them: bool = False
) -> Iterator[tuple[int, av.VideoFrame | None]]:
    """Those of the kept frames of which it is known whether they are whole, and those lost before them."""
    while len(held) > (0 if all_of_them else _LEAST_HELD):
        frame, arrival = held[0]
        if not (all_of_them or numbers.is_known(arrival) or len(held) > _MOST_HELD):
            return
        held.popleft()
        lost, _stamp = numbers.stamp_of(frame)
        yield from ((_DAMAGED, None) for _each in lost)
        whole = not numbers.is_spoilt(arrival) and frame.pts is not None
        yield (int(frame.pts or 0), frame) if whole else (_DAMAGED, None)
