"""Makes a stream's decoder ready: its threads, and that it tells of damage instead of hiding it."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

import av
from av.codec.codec import Capabilities
from av.packet import Packet
from av.video.stream import VideoStream

from semc_core.io.packets import packet_of
from semc_core.sources.containers import MOST_PIXELS
from semc_core.sources.frames.ffv1 import SliceChecks

_TELLS: Final = {
    **dict.fromkeys(("mjpeg", "mjpegb", "ljpeg"), "explode"),
    **dict.fromkeys(
        ("msmpeg4v1", "msmpeg4v2", "msmpeg4", "msmpeg4v3", "wmv1", "wmv2"), "bitstream+buffer+explode"
    ),
}
"""What FFmpeg's option err_detect must be so that a damaged picture is an error, or marked as damaged.

Other decoders mark it without. Those of H.264 and HEVC would hold back a good frame for each damaged
one, or give one more.
"""
_SLICES: Final = {"h264": (1, 5), "hevc": range(32)}
_BEGINNING: Final = b"\0\0\1"
_PICTURE: Final = b"\0\0\1\xb6"
_BETWEEN: Final = 2
"""The kind of a picture of MPEG-4 that leans on one before and one behind."""
_HEAD: Final = 64
_LOOKED_AT: Final = 8
"""Units of a packet that are looked at, to find the first that holds a piece of the picture."""


_DELAY: Final = 8
_MOST_DELAYED: Final = 16
"""Frames that the decoder of H.264 holds back: usually, and at most."""
_REMEMBERED: Final = 256
"""Packets whose time stamps are kept until their frames come."""
_DELIMITER: Final = b"\x09"
"""A unit of H.264 that holds no picture."""


def make_ready(stream: VideoStream, threads: int) -> None:
    """Set up the decoder of `stream`, before its first packet, with at most so many threads."""
    context = stream.codec_context
    stream.thread_type = "AUTO"
    context.thread_count = threads
    # Also where the size changes within the file.
    context.options = {**context.options, "max_pixels": str(MOST_PIXELS)}
    if told := _TELLS.get(context.name):
        context.options = {**context.options, "err_detect": told}


def is_disposable(packet: Packet[VideoStream], codec: str) -> bool:
    """Whether no other frame leans on this one's, by its own words; False where it does not say."""
    data = memoryview(packet)
    if codec == "mpeg4":
        _, picture, behind = bytes(data[:_HEAD]).partition(_PICTURE)
        return bool(picture and behind) and behind[0] >> 6 == _BETWEEN
    if packet.is_disposable or codec not in _SLICES:
        return packet.is_disposable
    place = 0
    for _ in range(_LOOKED_AT):
        head = bytes(data[place : place + 5])
        if len(head) < 5:
            return False
        begun = head.startswith(_BEGINNING) or head[1:].startswith(_BEGINNING)
        unit = place + (4 if not begun or head[0] == head[2] == 0 else 3)
        first = data[unit] if unit < len(data) else 0
        kind = first & 0x1F if codec == "h264" else first >> 1 & 0x3F
        if kind in _SLICES[codec]:
            # H.264: nal_ref_idc is 0. HEVC: the even ones of the first 16 kinds.
            return first & 0x60 == 0 if codec == "h264" else kind < 16 and kind % 2 == 0
        if begun:
            place = bytes(data[unit:]).find(_BEGINNING)
            if place < 0:
                return False
            place += unit
        else:
            place = unit + int.from_bytes(head[:4], "big")
    return False


class Decoded(NamedTuple):
    """What a decoder answered: frames, each with its packet's place; or an error, and at which packet."""

    frames: list[tuple[int, av.VideoFrame]]
    error: av.FFmpegError | None = None
    place: int = -1


class FileDecoder:
    """The decoder of a file's stream, which says the same of damage whatever its threads. For one thread.

    That a picture of H.264 is damaged is known once it is decoded. FFmpeg may give it out before, from the
    thread of a later packet: here it is held back until its own thread has ended. An error comes later by as
    many packets as there are threads, and is told with the packet's own place.
    """

    def __init__(self, stream: VideoStream, threads: int) -> None:
        """Set up the decoder of `stream`, before its first packet, with at most so many threads."""
        context = stream.codec_context
        if context.name == "h264":
            depth = context.reorder_depth
            delay = min(_MOST_DELAYED, max(_DELAY, depth + 2))
            threads = max(1, min(threads, delay - depth))
            context.reorder_depth = delay
        make_ready(stream, threads)
        self._stream = stream
        self._threads = threads
        self._checks = SliceChecks() if context.name == "ffv1" else None
        behind = threads if context.codec.capabilities & Capabilities.frame_threads else 1
        self._stamps: dict[int, tuple[int | None, int | None]] = {}
        # Of the packets whose answer is yet to come, and of the one whose answer came last.
        self._places: deque[int] = deque([-1] * behind, maxlen=behind)

    def decode(self, packet: Packet[VideoStream] | None, place: int = -1) -> Iterator[Decoded]:
        """Put in the next packet, or None or an empty one at the end: what comes out by then.

        A packet that is put in with its place is numbered by it, so that its frame brings the number along;
        the frame then gets the packet's own time stamps. Another place is -1.
        """
        if packet is not None and packet.size > 0:
            yield self._answer(packet, place)
            return
        yield from self._settled()
        yield self._answer(packet, -1)

    def reset(self) -> None:
        """Forget what was put in, to go on with another packet."""
        context = self._stream.codec_context
        context.flush_buffers()
        # Left so by `_settled`, where nobody wanted the rest of it.
        context.skip_frame = "DEFAULT"
        self._stamps.clear()
        self._places.extend([-1] * len(self._places))

    def _answer(self, packet: Packet[VideoStream] | None, place: int) -> Decoded:
        if self._checks is not None and packet is not None and self._checks.finds_damage(bytes(packet)):
            return Decoded([], av.InvalidDataError(errno.EINVAL, "A checksum does not hold."), place)
        self._places.append(place)
        if packet is not None and place >= 0:
            # Without a time of decoding FFmpeg leaves the number as it is, however odd the order.
            self._stamps[place] = packet.pts, packet.dts
            packet.pts, packet.dts = place, None
        try:
            frames = self._stream.codec_context.decode(packet)
        except av.FFmpegError as error:
            return Decoded([], error, self._places[0])
        return Decoded([self._named(frame) for frame in frames if isinstance(frame, av.VideoFrame)])

    def _named(self, frame: av.VideoFrame) -> tuple[int, av.VideoFrame]:
        place = -1 if frame.pts is None else frame.pts
        if place not in self._stamps:
            return -1, frame
        frame.pts, frame.dts = self._stamps.pop(place)
        for each in [each for each in self._stamps if each < place - _REMEMBERED]:
            del self._stamps[each]
        return place, frame

    def _settled(self) -> Iterator[Decoded]:
        """What comes out while every thread ends what it has begun.

        In the end all comes at once, and an error would take the frames with it.
        """
        context = self._stream.codec_context
        if context.name != "h264":
            return
        header = context.extradata or b""
        # Behind its length, in as many bytes as the header of an MP4 says; else behind a mark.
        bytes_of_length = (header[4] & 3) + 1 if header[:1] == b"\x01" and len(header) > 4 else 4
        unit = len(_DELIMITER).to_bytes(bytes_of_length, "big") + _DELIMITER
        before, context.skip_frame = context.skip_frame, "NONREF"
        for _ in range(self._threads):
            empty = cast("Packet[VideoStream]", packet_of(unit))
            empty.time_base = self._stream.time_base or empty.time_base
            yield self._answer(empty, -1)
        context.skip_frame = before
