"""Decodes any frame of an indexed video with a few decoders, and keeps what was decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np

from semc_core.capture.seek import GiveUp
from semc_core.capture.seek_cache import ByteCache
from semc_core.capture.seek_cursor import Cursor
from semc_core.capture.video_index import Start, VideoIndex

_CURSORS: Final = 3
_OVERSHOOT: Final = 24
"""Frames behind the wanted one after which it is not expected any more."""


class FrameDecoder:
    """For one thread at a time.

    Decoding begins at the last start before the wanted frame, or goes on with whichever of a few decoders is
    nearest. On the way there, frames that no other refers to are left out. Should that not lead to the
    frame, nothing is left out; then an earlier start is taken, in the end the beginning of the file.

    Attributes:
        kept: Frames as the decoder gave them, by index.
        index: Of the file.
    """

    def __init__(self, path: Path, index: VideoIndex, cache_bytes: int) -> None:
        """Open the file.

        Raises:
            SourceError: It cannot be opened.
        """
        self._path = path
        self.index = index
        self.kept: ByteCache[av.VideoFrame] = ByteCache(cache_bytes)
        self._cursors = [Cursor(path)]
        self._refused: set[int] = set()

    def begins_as_indexed(self) -> bool:
        """Whether the first decoded frames are those that the packets promise."""
        cursor = self._cursors[0]
        cursor.begin(self.index, self.index.starts[0])
        for wanted in range(min(4, len(self.index))):
            given = cursor.next()
            if given is None or given[0] != wanted:
                return False
            self.kept.put(*given, size_of(given[1]))
        return True

    def use(self, index: VideoIndex) -> None:
        """Go on by another index; what was decoded by the old one is forgotten."""
        self.index = index
        self.kept.clear()
        self._refused.clear()

    def close(self) -> None:
        """Release the file."""
        for cursor in self._cursors:
            cursor.close()
        self._cursors = []
        self.kept.clear()

    def decode(self, wanted: int, first: int, give_up: GiveUp) -> av.VideoFrame | None:
        """Decode the frame `wanted`, and keep those from `first` on; None if given up, or not found."""
        cursor = self._nearest(first) or self._nearest(wanted)
        if cursor is not None and (found := self._forward(cursor, wanted, first, give_up)) is not None:
            return found
        for start in self._starts_before(wanted):
            for skip_to in (self._skip_to(max(first, start.frame), wanted), -1):
                if give_up():
                    return None
                cursor = self._free_cursor()
                if not cursor.begin(self.index, start, skip_to):
                    break
                if (found := self._forward(cursor, wanted, first, give_up)) is not None:
                    return found
                if cursor.refused:
                    self._refused.add(start.packet)
                    break
        return None

    def _forward(self, cursor: Cursor, wanted: int, first: int, give_up: GiveUp) -> av.VideoFrame | None:
        """Go on with `cursor` until it gives the frame `wanted`; None if it does not."""
        last: tuple[int, av.VideoFrame] | None = None
        while cursor.position < wanted + _OVERSHOOT:
            if give_up():
                if last is not None:
                    # As far as it came: something to see that is near what is wanted next.
                    self.kept.put(*last, size_of(last[1]))
                return None
            given = cursor.next()
            if given is None:
                return None
            index, frame = given
            if frame.is_corrupt and self.index.checks is None:
                continue
            last = given
            if index >= first:
                self.kept.put(index, frame, size_of(frame))
            if index == wanted:
                return frame
        return None

    def _nearest(self, wanted: int) -> Cursor | None:
        """The decoder that reaches `wanted` by going on, sooner than one that begins anew."""
        start = self.start_before(wanted)
        able = [
            cursor
            for cursor in self._cursors
            if start.frame <= cursor.position + 1 <= wanted and self._not_skipped(cursor, wanted)
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
        """The decoder not used for longest, or another while there are few."""
        cursor = Cursor(self._path) if len(self._cursors) < _CURSORS else self._cursors.pop(0)
        self._cursors.append(cursor)
        return cursor

    def start_before(self, wanted: int) -> Start:
        """Where decoding of `wanted` begins at best."""
        return next(self._starts_before(wanted))

    def _starts_before(self, wanted: int) -> Iterator[Start]:
        """Where decoding of `wanted` can begin: the nearest, the one before, then ever farther, the first."""
        frames = [start.frame for start in self.index.starts]
        place = int(np.searchsorted(frames, wanted, side="right")) - 1
        step = 1
        while place > 0:
            start = self.index.starts[place]
            if start.packet in self._refused:
                place -= 1
                continue
            yield start
            place, step = place - step, step * 2
        yield self.index.starts[0]

    def _skip_to(self, first: int, wanted: int) -> int:
        """Number of the first packet that has to be decoded whatever it is."""
        packets = self.index.packets
        return -1 if packets is None else int(packets[first : wanted + 1].min())


def size_of(frame: av.VideoFrame) -> int:
    """Bytes of the decoded frame."""
    return sum(plane.buffer_size for plane in frame.planes)
