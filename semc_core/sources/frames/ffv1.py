"""Whether a packet of FFV1 is as it was written, by its checksums: FFmpeg shows it all the same."""

from __future__ import annotations

import zlib
from typing import Final

_FOOTER: Final = 8
"""Bytes behind a slice: three of its size, one that is 0, four of its checksum."""
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MOST_SLICES: Final = 1024


class SliceChecks:
    """Looks through the packets of one stream. Files before version 3 have no checksums, others may."""

    def __init__(self) -> None:
        self._there = False

    def finds_damage(self, packet: bytes) -> bool:
        """Whether this packet's checksums do not hold; False while no packet has shown that it has any."""
        whole = _slices(packet)
        self._there = self._there or any(whole)
        return self._there and not all(whole)


def _slices(packet: bytes) -> list[bool]:
    """Of each slice, from the last on, whether its checksum holds. Its size tells where it begins."""
    found: list[bool] = []
    end = len(packet)
    while end > 0 and len(found) < _MOST_SLICES:
        size = int.from_bytes(packet[max(0, end - _FOOTER) : max(0, end - _FOOTER + 3)], "big")
        begin = end - _FOOTER - size
        if begin < 0:
            return [*found, False]
        found.append(_remainder(packet[begin:end]) == 0)
        end = begin
    return found


def _remainder(data: bytes) -> int:
    """The CRC of FFV1: that of zlib with the bits of each byte the other way round, from 0 and as it is."""
    return zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
