"""Messages of OpenIGTLink as they come over the wire: heads and pictures, held against what they say.

All numbers have their highest byte first. The protocol: http://openigtlink.org/developers/spec
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

from semc_core.io.crc64 import crc64

HEAD_BYTES: Final = 58
_HEAD: Final = struct.Struct("> H 12s 20s I I Q Q")
_EXTENDED: Final = struct.Struct("> H H I I")
_PICTURE: Final = struct.Struct("> H B B B B 3H 12f 6H")
_VERSIONS: Final = (1, 2, 3)
_TYPE: Final = re.compile(rb"[A-Z][A-Z0-9_]*\0*")
IMAGE: Final = "IMAGE"
MOST_BYTES: Final = 64 << 20
"""Of one message: a picture of 4096 x 4096 in colour has fewer."""
_MOST_CHECKED: Final = 2 << 20
"""Larger ones are not summed up: TCP does so, and it would take as long as the model."""
_UINT8: Final = 3
_NUMBERS: Final = {
    2: "8 bits with signs",
    4: "16 bits",
    5: "16 bits",
    6: "32 bits",
    7: "32 bits",
    10: "32 bits",
    11: "64 bits",
}
_COORDINATES: Final = {1: "RAS", 2: "LPS"}
_MOST_SIDE: Final = 32_768


class NotOpenIgtLink(Exception):
    """What came is no message: whoever sends speaks something else, or bytes were lost."""


class DamagedMessage(Exception):
    """One message is not as it was sent; the next may be."""


class UnusablePicture(Exception):
    """A picture of a kind that is not shown; its text says how it is, to go on after "pictures "."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a message.

    Attributes:
        version: Of the protocol; from 2 on more stands before the content.
        kind: "IMAGE", "TRANSFORM", ...
        device: Who sends it, as the sender calls it.
        stamp_s: When it was made, by the sender's clock; 0 where it does not say.
        size: Bytes that follow.
        checksum: Of them; 0 where there is none.
    """

    version: int
    kind: str
    device: str
    stamp_s: float
    size: int
    checksum: int


@dataclass(frozen=True, slots=True)
class RawPicture:
    """A picture of one slice.

    Attributes:
        width: Columns.
        height: Rows.
        channels: 1 gray, 3 RGB.
        data: Its pixels, row after row.
        sides: Points along the three axes of the message, one of which is 1.
        geometry: Directions of the three axes, as long as a pixel is in millimetres, and the place of the
            picture's middle: 12 numbers as they were sent, whatever they are.
        coordinates: "RAS" or "LPS"; "" where the sender does not say.
    """

    width: int
    height: int
    channels: int
    data: memoryview
    sides: tuple[int, int, int]
    geometry: tuple[float, ...]
    coordinates: str


def read_head(content: bytes | bytearray) -> Head:
    """A head out of its 58 bytes.

    Raises:
        NotOpenIgtLink: It is none, or announces more than any picture has.
    """
    version, kind, device, seconds, fraction, size, checksum = _HEAD.unpack(content)
    if version not in _VERSIONS or not _TYPE.fullmatch(kind) or size > MOST_BYTES:
        raise NotOpenIgtLink
    return Head(
        version, kind.rstrip(b"\0").decode("ascii"), device.rstrip(b"\0 ").decode("utf-8", "replace"),
        seconds + fraction / (1 << 32), size, checksum,
    )  # fmt: skip


def read_picture(head: Head, body: bytearray) -> RawPicture:
    """The picture of an IMAGE message.

    Raises:
        DamagedMessage: It is not what its head and its own first bytes say.
        UnusablePicture: It is not of 8 bits, gray or RGB, and of one slice.
    """
    content = checked_content(head, body)
    if len(content) < _PICTURE.size:
        raise DamagedMessage
    _, channels, number, _, coordinates, *rest = _PICTURE.unpack_from(content)
    sides, offsets, parts = (rest[0], rest[1], rest[2]), tuple(rest[15:18]), tuple(rest[18:21])
    if number != _UINT8:
        raise UnusablePicture(f"of {_NUMBERS.get(number, 'an unknown kind of number')}")
    if channels not in (1, 3):
        raise UnusablePicture(f"with {channels} values a pixel")
    if offsets != (0, 0, 0) or parts != sides:
        raise UnusablePicture("in parts")
    # Axes from the one that runs fastest; some senders put the single slice first.
    plane = [side for side in sides if side != 1]
    if len(plane) != 2 or not min(plane) or max(plane) > _MOST_SIDE:
        raise UnusablePicture(f"of {sides[0]} x {sides[1]} x {sides[2]} points")
    width, height = plane
    data = content[_PICTURE.size :]
    if len(data) != width * height * channels:
        raise DamagedMessage
    return RawPicture(
        width, height, channels, data, sides, tuple(rest[3:15]), _COORDINATES.get(coordinates, "")
    )


def checked_content(head: Head, body: bytearray) -> memoryview:
    """What a message says, without what later versions put around it.

    Raises:
        DamagedMessage: Its checksum is another, or it is too short.
    """
    if head.checksum and len(body) <= _MOST_CHECKED and crc64(body) != head.checksum:
        raise DamagedMessage
    return _content(head, memoryview(body))


def _content(head: Head, body: memoryview) -> memoryview:
    if head.version == 1:
        return body
    if len(body) < _EXTENDED.size:
        raise DamagedMessage
    before, heads, texts, _ = _EXTENDED.unpack_from(body)
    end = len(body) - heads - texts
    if not _EXTENDED.size <= before <= end:
        raise DamagedMessage
    return body[before:end]
