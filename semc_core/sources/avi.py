"""The time stamps of AVI files by their index: where a chunk is lost, those behind it keep their own."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from semc_core.io.packets import packet_of

_HEADER: Final = 8
"""Bytes before a chunk's data. The index says where the header is, a packet where the data is."""
_LOOKED_AT: Final = 32
_PICTURES: Final = (b"dc", b"db")
"""How the names of chunks with pictures end, compressed or not."""
_MOST_LOST: Final = 64
"""Chunks at the beginning that may be lost."""


class _Chunk(NamedTuple):
    """Where its header is, bytes; its time stamp; and how many bytes follow the header."""

    position: int
    stamp: int
    size: int


class AviIndex:
    """What the index of an AVI file says of its chunks; of another file, nothing.

    FFmpeg counts the chunks as it meets them, but counts by the index after a jump.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, path: Path) -> None:
        entries = list(stream.index_entries) if container.format.name == "avi" else []
        chunks = [_Chunk(entry.pos, entry.timestamp, entry.size) for entry in entries if entry.size > 0]
        self._path = path
        self._moved = _moved(path, chunks) if chunks else 0
        self._stamp_at = {chunk.position - self._moved + _HEADER: chunk.stamp for chunk in chunks}
        self._stamps = sorted(self._stamp_at.values())

    def mended(self, packet: Packet[VideoStream]) -> Packet[VideoStream] | None:
        """The packet with the time stamps that it has by the index, and all of its bytes; None: it is none.

        An AVI has no times of showing: where FFmpeg makes up one, it is shifted.
        """
        position = packet.pos
        if self._moved and position is not None and packet.size > 0:
            position = self._own_place(position, packet.size)
            if position is None:
                return None
            if position != packet.pos:
                packet = self._from(position, packet)
        if not self._stamps or packet.dts is None:
            return packet
        packet.dts = packet.dts if position is None else self._stamp_at.get(position, packet.dts)
        if packet.pts is not None:
            packet.pts = packet.dts
        return packet

    def _own_place(self, position: int, size: int) -> int | None:
        """Where the data of a packet really begins that FFmpeg found at `position`; None if it is lost.

        FFmpeg goes by the index, which it puts too far behind, or from chunk to chunk.
        """
        with self._path.open("rb") as file:
            for place in (position, position - self._moved):
                if place in self._stamp_at and _is_picture(file, place - _HEADER, size):
                    return place
        return None

    def _from(self, position: int, packet: Packet[VideoStream]) -> Packet[VideoStream]:
        with self._path.open("rb") as file:
            file.seek(position)
            own = cast("Packet[VideoStream]", packet_of(file.read(packet.size)))
        own.stream, own.time_base = packet.stream, packet.time_base
        own.pts, own.dts, own.is_keyframe = packet.pts, packet.dts, packet.is_keyframe
        return own

    def lost_between(self, before: int | None, stamp: int | None) -> Iterator[int]:
        """The stamps that the index promises between those of two packets; from the first on for None."""
        if stamp is None:
            return iter(())
        first = 0 if before is None else bisect_right(self._stamps, before)
        return iter(self._stamps[first : bisect_left(self._stamps, stamp)])

    def lost_any(self, stamps: Sequence[int | None]) -> bool:
        """Whether the index promises chunks that packets of these stamps are not."""
        return not set(self._stamps) <= set(stamps)

    def lost_behind(self, stamp: int | None) -> Iterator[int]:
        """The stamps that the index promises behind the last packet's."""
        return iter(self._stamps[0 if stamp is None else bisect_right(self._stamps, stamp) :])


def _moved(path: Path, chunks: Sequence[_Chunk]) -> int:
    """How many bytes too far behind FFmpeg puts all chunks.

    It takes the first chunk that it can read for the first of the index.
    """
    looked_at = chunks[:: max(1, len(chunks) // _LOOKED_AT)]
    with path.open("rb") as file:

        def found(moved: int) -> int:
            return sum(_size_at(file, chunk.position - moved) == chunk.size for chunk in looked_at)

        best = found(0)
        if 2 * best > len(looked_at):
            return 0
        moves = [chunk.position - chunks[0].position for chunk in chunks[1:_MOST_LOST]]
        return max(moves, key=found, default=0) if any(found(moved) > best for moved in moves) else 0


def _size_at(file: BinaryIO, position: int) -> int:
    """What the header of a chunk says of its size; -1 behind the end."""
    file.seek(max(0, position) + _HEADER // 2)
    return int.from_bytes(read, "little") if len(read := file.read(_HEADER // 2)) == _HEADER // 2 else -1


def _is_picture(file: BinaryIO, position: int, size: int) -> bool:
    """Whether a chunk of a picture of so many bytes begins there."""
    file.seek(max(0, position))
    return file.read(_HEADER // 2)[2:] in _PICTURES and _size_at(file, position) == size
