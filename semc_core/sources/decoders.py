"""Makes a stream's decoder ready: its threads, and that it tells of damage instead of hiding it."""

from __future__ import annotations

from typing import Final

from av.packet import Packet
from av.video.stream import VideoStream

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


def make_ready(stream: VideoStream, threads: int) -> None:
    """Set up the decoder of `stream`, before its first packet, with at most so many threads."""
    context = stream.codec_context
    stream.thread_type = "AUTO"
    context.thread_count = threads
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
