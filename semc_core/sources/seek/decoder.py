"""Decodes any frame of an indexed video with a few decoders, and keeps what was decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceInterrupted
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.frames.deinterlace import deinterlaced, has_combs
from semc_core.sources.seek.base import GiveUp, Passed
from semc_core.sources.seek.cache import ByteCache
from semc_core.sources.seek.cursor import Cursor
from semc_core.sources.seek.index import Start, VideoIndex
from semc_core.types import FramePacket

_CURSORS: Final = 3
_REORDERED: Final = 24
"""Frames behind the wanted one whose packets may come before its own."""
_OVERSHOOT: Final = 24
"""Frames behind the wanted one after which it is not expected any more."""


class FrameDecoder:
    """For one thread at a time.

    Decoding begins at the last start before the wanted frame, or goes on with whichever of a few decoders is
    nearest. On the way there, frames that no other refers to are left out. Should that not lead to the
    frame, nothing is left out; then an earlier start is taken, in the end the beginning of the file.

    Attributes:
        kept: Packets by index of the frame.
        index: Of the file.
    """

    def __init__(
        self,
        path: Path,
        index: VideoIndex,
        cache_bytes: int,
        made: Callable[[int, Picture], FramePacket],
        options: PictureOptions = AS_IT_IS,
    ) -> None:
        """Open the file.

        Args:
            path: The file.
            index: Of the file.
            cache_bytes: Most bytes of packets to keep. Packets, because each decoder has a pool of its own
                for its frames, which never becomes smaller: to keep those would fill every pool.
            made: Makes a packet of the index and the pixels of a frame.
            options: How the pictures are read.

        Raises:
            SourceError: It cannot be opened.
        """
        self._path = path
        self.index = index
        self._start_frames = _start_frames(index)
        self.kept: ByteCache[FramePacket] = ByteCache(cache_bytes)
        self._made = made
        # To open a file takes some tens of milliseconds, too long for somebody who waits for a frame.
        self._cursors = [Cursor(path) for _ in range(_CURSORS)]
        self._pictures = self._cursors[0].pictures(options)
        self._wanted = options.deinterlace
        self._weaves = options.deinterlace == "on"
        self._near: dict[int, av.VideoFrame] = {}
        self._refused: set[int] = set()

    def begins_as_indexed(self) -> bool:
        """Whether the first decoded frames are those that the packets promise."""
        cursor = self._cursors[0]
        cursor.begin(self.index, self.index.starts[0])
        for wanted in range(min(4, len(self.index))):
            given = cursor.next()
            if given is None or given[0] != wanted:
                return False
            if not has_combs(given[1], self._wanted):
                self._keep(*given)
        return True

    def use(self, index: VideoIndex) -> None:
        """Go on by another index; what was decoded by the old one is forgotten."""
        self.index = index
        self._start_frames = _start_frames(index)
        for cursor in self._cursors:
            # One that goes on would name its frames by the old index.
            cursor.end()
        self.kept.clear()
        self._near.clear()
        self._refused.clear()

    def close(self) -> None:
        """Release the file."""
        for cursor in self._cursors:
            cursor.close()
        self._cursors = []
        self.kept.clear()
        self._near.clear()

    def decode(self, wanted: int, give_up: GiveUp, passed: Passed | None = None) -> FramePacket | None:
        """Decode the frame `wanted` and keep it; None if the file does not hold it.

        Raises:
            SourceInterrupted: It was given up. At least one frame was decoded first, so that whoever asks for
                another place all the time sees where that leads.
        """
        if not self._weaves:
            frame = self._raw(wanted, give_up, passed)
            if frame is None or not has_combs(frame, self._wanted):
                return None if frame is None else self._keep(wanted, frame)
            self._weaves = True
        return self._woven(wanted, give_up)

    def _woven(self, wanted: int, give_up: GiveUp) -> FramePacket | None:
        """The frame `wanted` as a sequential read shows it: made with those beside it, unless damaged."""
        near: dict[int, av.VideoFrame] = {}
        for index in range(max(0, wanted - 1), min(len(self.index), wanted + 2)):
            if self.index.is_damaged(index):
                continue
            frame = self._near.get(index) or self._raw(index, give_up, None)
            if frame is None:
                return None
            near[index] = frame
        self._near = near
        frame = near[wanted]
        if not has_combs(frame, self._wanted):
            return self._keep(wanted, frame)
        return self._keep(wanted, deinterlaced(near.get(wanted - 1), frame, near.get(wanted + 1)))

    def _raw(self, wanted: int, give_up: GiveUp, passed: Passed | None) -> av.VideoFrame | None:
        """The frame `wanted` as it is decoded; None if the file does not hold it."""
        cursor = self._nearest(wanted)
        if cursor is not None and (found := self._forward(cursor, wanted, give_up, passed)) is not None:
            return found
        for start in self._starts_before(wanted):
            for skip_to in dict.fromkeys((self._first_packet_from(wanted), -1)):
                cursor = self._free_cursor()
                if not cursor.begin(self.index, start, skip_to):
                    break
                if (found := self._forward(cursor, wanted, give_up, passed)) is not None:
                    return found
                if cursor.refused:
                    self._refused.add(start.packet)
                    break
        return None

    def _forward(
        self, cursor: Cursor, wanted: int, give_up: GiveUp, passed: Passed | None
    ) -> av.VideoFrame | None:
        """Go on with `cursor` until it gives the frame `wanted`; None if it does not."""
        while cursor.position < wanted + _OVERSHOOT:
            given = cursor.next()
            if given is None:
                return None
            index, frame = given
            if index == wanted:
                return frame
            if index < wanted and passed is not None and not has_combs(frame, self._wanted):
                passed(partial(self._packet, index, frame))
            if give_up():
                raise SourceInterrupted(f"Reading frame {wanted} of {self._path.name} was given up.")
        return None

    def _keep(self, index: int, frame: av.VideoFrame) -> FramePacket:
        packet = self._packet(index, frame)
        self.kept.put(index, packet.bare(), packet.picture.nbytes)
        return packet

    def kept_packet(self, index: int) -> FramePacket | None:
        """The packet if it is kept. What is made of its picture does not stay in the cache."""
        packet = self.kept.get(index)
        return None if packet is None else packet.bare()

    def _packet(self, index: int, frame: av.VideoFrame) -> FramePacket:
        return self._made(index, self._pictures.of(frame))

    def _nearest(self, wanted: int) -> Cursor | None:
        """The decoder that reaches `wanted` by going on, sooner than one that begins anew."""
        start = self.start_before(wanted)
        able = [
            cursor
            for cursor in self._cursors
            if cursor.going
            and start.frame <= cursor.position + 1 <= wanted
            and self._not_skipped(cursor, wanted)
        ]
        best = max(able, key=lambda cursor: cursor.position, default=None)
        if best is not None:
            self._cursors.remove(best)
            self._cursors.append(best)
        return best

    def _not_skipped(self, cursor: Cursor, wanted: int) -> bool:
        packets = self.index.packets
        return cursor.skipped_to < 0 or (packets is not None and int(packets[wanted]) > cursor.skipped_to)

    def _free_cursor(self) -> Cursor:
        """The decoder not used for longest."""
        cursor = self._cursors.pop(0)
        self._cursors.append(cursor)
        return cursor

    def start_before(self, wanted: int) -> Start:
        """Where decoding of `wanted` begins at best."""
        return next(self._starts_before(wanted))

    def _starts_before(self, wanted: int) -> Iterator[Start]:
        """Where decoding of `wanted` can begin: the nearest, the one before, then ever farther, the first."""
        place = int(np.searchsorted(self._start_frames, wanted, side="right")) - 1
        step = 1
        while place > 0:
            start = self.index.starts[place]
            if start.packet in self._refused:
                place -= 1
                continue
            yield start
            place, step = place - step, step * 2
        yield self.index.starts[0]

    def _first_packet_from(self, wanted: int) -> int:
        """Number of the first packet from which on all are decoded: no frame from `wanted` on lies before."""
        packets = self.index.packets
        return -1 if packets is None else int(packets[wanted : wanted + _REORDERED].min())


def _start_frames(index: VideoIndex) -> NDArray[np.int64]:
    """Index of the frame of each start, ascending."""
    return np.array([start.frame for start in index.starts], np.int64)
