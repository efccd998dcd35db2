"""Video files at random, frame for frame as a sequential read gives them."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from semc_core.capture.decode import pixels_of
from semc_core.capture.seek import GiveUp, index_at
from semc_core.capture.seek_cache import ByteCache
from semc_core.capture.seek_cursor import Cursor
from semc_core.capture.seek_decoder import FrameDecoder, size_of
from semc_core.capture.source import SourceInfo
from semc_core.capture.video_index import DecodingIndexer, Start, VideoIndex, index_by_packets
from semc_core.errors import SourceError, SourceInterrupted
from semc_core.frames import FramePacket, read_only

_log = logging.getLogger(__name__)

CACHE_BYTES: Final = 256 * 2**20
_PACKET_BYTES: Final = 32 * 2**20
_NEAR_WAIT_S: Final = 0.02
_FULLY_BEFORE: Final = 12
"""Frames before the one jumped to that are decoded as well: the user may step back."""
_FORWARD_AHEAD: Final = 8
_BACKWARD_AHEAD: Final = 128
"""Most frames decoded in one go for somebody who goes backward; a third of the cache is the other limit."""
_SAME_WAY: Final = 16
"""Steps of at most so many frames count as going forward or backward, larger ones as jumps."""


class SeekableVideo:
    """See `SeekableSource`.

    How a frame is found and decoded is told in `FrameDecoder`. Should it not be there, the packets said more
    than the file holds, and the whole is decoded once to learn what there is.
    """

    def __init__(self, path: Path, info: SourceInfo, cache_bytes: int = CACHE_BYTES) -> None:
        """Index the file.

        Args:
            path: The file.
            info: What `VideoSource` says of it.
            cache_bytes: Most bytes of decoded frames to keep.

        Raises:
            SourceError: It cannot be opened.
        """
        self._path = path
        self._info = info
        self._lock = threading.Lock()  # of the decoders and caches
        self._changed = threading.Condition()  # of what follows
        self._closed = False
        self._waiting = 0
        self._ahead: tuple[int, int] | None = None
        self._asked = -1
        self._indexer: threading.Thread | None = None
        self._failure: SourceError | None = None
        self._near_lock = threading.Lock()  # of what `near` needs, which must not wait for a long decoding
        self._near: ByteCache[FramePacket] = ByteCache(_PACKET_BYTES)
        self._near_cursor: Cursor | None = None
        self._packets: ByteCache[FramePacket] = ByteCache(_PACKET_BYTES)
        found = index_by_packets(path)
        self._index = found or _guessed(info)
        self._decoder = FrameDecoder(path, self._index, cache_bytes)
        self._settled = found is not None and self._decoder.begins_as_indexed()
        if not self._settled:
            self._index_by_decoding()
        self._reader = threading.Thread(target=self._read_ahead, name="seek-ahead")
        self._reader.start()

    @property
    def info(self) -> SourceInfo:
        """See `SeekableSource`."""
        return replace(self._info, frame_count=self.count) if self.settled else self._info

    @property
    def count(self) -> int:
        """See `SeekableSource`."""
        return len(self._index)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """See `SeekableSource`."""
        return self._index.times_s

    @property
    def settled(self) -> bool:
        """See `SeekableSource`."""
        with self._changed:
            return self._settled

    def at(self, time_s: float) -> int:
        """See `SeekableSource`."""
        return index_at(self._index.times_s, time_s)

    def frame(self, index: int, give_up: GiveUp | None = None) -> FramePacket:
        """See `SeekableSource`. Of a file that is not settled, waits until it is."""
        with self._changed:
            self._waiting += 1
        try:
            while True:
                self._wait_until_settled()
                with self._lock:
                    packet = self._packet(index, give_up or _never)
                if packet is not None:
                    break
                if give_up is not None and give_up():
                    raise SourceInterrupted(f"Reading frame {index} of {self._path.name} was given up.")
                self._mistrust_index()
        finally:
            with self._changed:
                self._waiting -= 1
                step = index - self._asked
                self._asked = index
                if 0 < abs(step) <= _SAME_WAY:
                    self._ahead = (index, 1 if step > 0 else -1)
                self._changed.notify_all()
        return packet

    def number_of(self, index: int) -> int:
        """See `SeekableSource`."""
        return index

    def near(self, index: int) -> FramePacket | None:
        """See `SeekableSource`: the nearest that is kept, or the frame at the start before `index`."""
        with self._near_lock:
            known = self._index
            if self._closed or not self.settled or not 0 <= index < len(known):
                return None
            start = self._decoder.start_before(index)
            kept = self._kept_near(start.frame, index) or self._near.get(start.frame)
            if kept is not None:
                return kept
            if self._near_cursor is None:
                self._near_cursor = Cursor(self._path, threads=1)
            given = self._near_cursor.next() if self._near_cursor.begin(known, start) else None
            if given is None or given[0] != start.frame:
                return None
            packet = self._made(start.frame, given[1])
            self._near.put(start.frame, packet, packet.pixels.nbytes)
            return packet

    def _kept_near(self, first: int, last: int) -> FramePacket | None:
        """The frame nearest to `last` that was decoded; None, too, where a decoding takes long."""
        if not self._lock.acquire(timeout=_NEAR_WAIT_S):
            return None
        try:
            place = self._decoder.kept.nearest(first, last)
            return None if place is None else self._packet(place, _never)
        finally:
            self._lock.release()

    def read_ahead(self, index: int, step: int) -> None:
        """See `SeekableSource`."""
        with self._changed:
            self._ahead = (index, step) if step else None
            self._changed.notify_all()

    def confirm(self, times_s: NDArray[np.float64]) -> None:
        """See `SeekableSource`."""
        expected = self._index.times_s[: len(times_s)]
        if self.settled and not np.array_equal(expected, times_s):
            self._index_by_decoding()

    def close(self) -> None:
        """See `SeekableSource`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._reader.join()
        if self._indexer is not None:
            self._indexer.join()
        with self._lock:
            self._decoder.close()
            self._packets.clear()
        with self._near_lock:
            if self._near_cursor is not None:
                self._near_cursor.close()
                self._near_cursor = None
            self._near.clear()

    # The index

    def _mistrust_index(self) -> None:
        """A frame of the index is not in the file: learn by decoding what is.

        Raises:
            SourceError: That was done already.
        """
        if self._indexer is not None and self.settled:
            raise SourceError(f"{self._path.name} gives other pictures than before; open it again.")
        self._index_by_decoding()

    def _index_by_decoding(self) -> None:
        """Begin to decode the whole file in the background, unless that was begun before."""
        with self._changed:
            if self._indexer is not None or self._closed:
                return
            self._settled = False
            self._indexer = threading.Thread(target=self._run_indexer, name="seek-index")
            self._indexer.start()

    def _run_indexer(self) -> None:
        failure: SourceError | None = None
        index: VideoIndex | None = None
        try:
            index = DecodingIndexer(self._path).run(lambda: self._closed)
        except SourceError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            _log.error("A video could not be indexed: %s", type(error).__name__)
            failure = SourceError(f"{self._path.name} could not be read to its end; copy it again.")
        with self._lock, self._changed:
            if index is not None:
                self._index = index
                self._decoder.use(index)
                self._packets.clear()
            self._failure = failure
            self._settled = index is not None
            self._changed.notify_all()

    def _wait_until_settled(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._settled or self._closed or self._failure is not None)
            if self._closed:
                raise SourceError(f"{self._path.name} is closed; open it again to read from it.")
            if self._failure is not None:
                raise self._failure

    # Decoding; all with the lock held

    def _packet(self, index: int, give_up: GiveUp) -> FramePacket | None:
        """The frame as a packet; None if given up, or if the file does not hold what its packets promise."""
        if not 0 <= index < len(self._index):
            raise SourceError(f"{self._path.name} has no frame {index}; choose one below {len(self._index)}.")
        packet = self._packets.get(index)
        if packet is not None:
            return packet
        frame = self._decoder.kept.get(index) or self._decoder.decode(
            index, max(0, index - _FULLY_BEFORE), give_up
        )
        if frame is None:
            return None
        packet = self._made(index, frame)
        self._packets.put(index, packet, packet.pixels.nbytes)
        return packet

    def _made(self, index: int, frame: av.VideoFrame) -> FramePacket:
        time_s = float(self._index.times_s[index])
        return FramePacket(self._info.source_id, index, time_s, time.monotonic(), read_only(pixels_of(frame)))

    # Reading ahead

    def _read_ahead(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._ahead is not None and self._idle()))
                if self._closed:
                    return
                assert self._ahead is not None
                (index, step), self._ahead = self._ahead, None
            try:
                self._fetch(index, step)
            except Exception as error:  # noqa: BLE001 - the thread's boundary: whoever asks is told
                _log.warning("Reading ahead in a video failed: %s", type(error).__name__)

    def _idle(self) -> bool:
        return self._settled and not self._waiting

    def _fetch(self, index: int, step: int) -> None:
        """Decode what follows or precedes `index`, until something else is wanted."""
        with self._lock:
            wanted_frames = self._wanted(index, step)
        for wanted in wanted_frames:
            with self._lock:
                if self._called_away():
                    return
                if (
                    wanted not in self._decoder.kept
                    and self._decoder.decode(wanted, wanted, self._called_away) is None
                ):
                    return

    def _called_away(self) -> bool:
        """Whether something is more urgent than reading ahead."""
        return self._closed or self._ahead is not None or self._waiting > 0

    def _wanted(self, index: int, step: int) -> range:
        if step > 0:
            return range(index + 1, min(len(self._index), index + 1 + _FORWARD_AHEAD))
        here = self._decoder.kept.get(index)
        room = self._decoder.kept.limit // 3 // size_of(here) if here is not None else _FORWARD_AHEAD
        many = max(1, min(_BACKWARD_AHEAD, room))
        # Only when half of what was fetched is used up, so that decoding begins anew seldom.
        if all(near in self._decoder.kept for near in range(max(0, index - many // 2), index)):
            return range(0)
        return range(max(0, index - many), index)


def _never() -> bool:
    return False


def _guessed(info: SourceInfo) -> VideoIndex:
    """Something to show until the file is known: what its header says."""
    count, rate = info.frame_count or 1, info.frame_rate or 25.0
    times_s = np.arange(count, dtype=np.float64) / rate
    times_s.flags.writeable = False
    return VideoIndex(times_s, None, None, None, (Start(0, 0, None, None, None),))
