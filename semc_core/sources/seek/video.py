"""Video files at random, frame for frame as a sequential read gives them."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import FrameDamaged, SourceError, SourceInterrupted
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.seek.base import GiveUp, Passed, index_at
from semc_core.sources.seek.decoder import FrameDecoder
from semc_core.sources.seek.index import DecodingIndexer, Start, VideoIndex, index_by_packets
from semc_core.types import FramePacket, SourceInfo

_log = logging.getLogger(__name__)

CACHE_BYTES: Final = 256 * 2**20
_BEFORE_A_JUMP: Final = 12
"""Frames before the one jumped to that are decoded after it: the user may step back."""
_LOOKING_S: Final = 0.1
"""A user looks for so long at least at the frame jumped to; that is not the moment to decode others."""
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

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        cache_bytes: int = CACHE_BYTES,
        options: PictureOptions = AS_IT_IS,
    ) -> None:
        """Index the file.

        Args:
            path: The file.
            info: What `VideoSource` says of it.
            cache_bytes: Most bytes of decoded frames to keep.
            options: How its pictures are read.

        Raises:
            SourceError: It cannot be opened.
        """
        self._path = path
        self._info = info
        self._options = options
        self._lock = threading.Lock()  # of the decoder
        self._changed = threading.Condition()  # of what follows
        self._closed = False
        self._waiting = 0
        self._hurried = 0  # of those waiting
        self._ahead: _Ahead | None = None
        self._asked = -1
        self._indexer: threading.Thread | None = None
        self._failure: SourceError | None = None
        found = index_by_packets(path)
        self._index = found or _guessed(info)
        self._decoder = FrameDecoder(path, self._index, cache_bytes, self._made, options)
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

    def frame(self, index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        """See `SeekableSource`. Of a file that is not settled, waits until it is."""
        hurried = give_up is not None
        with self._changed:
            self._waiting += 1
            self._hurried += hurried
        try:
            while True:
                self._wait_until_settled(hurried)
                try:
                    with self._lock:
                        packet = self._packet(index, give_up or self._somebody_hurries, passed)
                except SourceInterrupted:
                    if hurried:
                        raise
                    continue
                if packet is not None:
                    return packet
                self._mistrust_index()
        finally:
            with self._changed:
                self._waiting -= 1
                self._hurried -= hurried
                if hurried:
                    self._look_ahead(index)
                self._changed.notify_all()

    def _somebody_hurries(self) -> bool:
        return self._hurried > 0

    def _look_ahead(self, index: int) -> None:
        """Choose what is read ahead once a user asked for this frame. With the condition held."""
        step, self._asked = index - self._asked, index
        if 0 < abs(step) <= _SAME_WAY:
            self._ahead = _Ahead(index, _FORWARD_AHEAD if step > 0 else -_BACKWARD_AHEAD)
        elif step:
            self._ahead = _Ahead(index, -_BEFORE_A_JUMP, _LOOKING_S)

    def number_of(self, index: int) -> int:
        """See `SeekableSource`."""
        return index

    def confirm(
        self, numbers: NDArray[np.int64], times_s: NDArray[np.float64], *, complete: bool = False
    ) -> None:
        """See `SeekableSource`."""
        there = self._index.times_s
        known = numbers[numbers < len(there)]
        gaps = not np.array_equal(numbers, np.arange(len(there) if complete else len(numbers)))
        if self.settled and (gaps or not np.array_equal(there[known], times_s)):
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

    # The index

    def _mistrust_index(self) -> None:
        """A frame of the index is not in the file: learn by decoding what is.

        Raises:
            SourceError: That was done already.
        """
        if self._indexer is not None and self.settled:
            raise SourceError(
                _("{name} gives other pictures than before; open it again.", name=self._path.name)
            )
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
            indexer = DecodingIndexer(self._path, self._options)
            index = indexer.run(lambda: self._closed)
        except SourceError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            _log.error("A video could not be indexed: %s", type(error).__name__)
            failure = SourceError(
                _("{name} could not be read to its end; copy it again.", name=self._path.name)
            )
        with self._lock, self._changed:
            if index is not None:
                self._index, self._info = index, replace(self._info, notice=indexer.notice)
                self._decoder.use(index)
            self._failure = failure
            self._settled = index is not None
            self._changed.notify_all()

    def _wait_until_settled(self, hurried: bool) -> None:
        """Wait for the index, and who does not hurry for those who do."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    (self._settled and (hurried or not self._hurried))
                    or self._closed
                    or self._failure is not None
                )
            )
            if self._closed:
                raise SourceError(_("{name} is closed; open it again to read from it.", name=self._path.name))
            if self._failure is not None:
                raise self._failure

    # Decoding; all with the lock held

    def _packet(self, index: int, give_up: GiveUp, passed: Passed | None) -> FramePacket | None:
        """The frame; None if the file does not hold what its packets promise."""
        if self._closed:
            raise SourceError(_("{name} is closed; open it again to read from it.", name=self._path.name))
        if not 0 <= index < len(self._index):
            raise SourceError(
                _(
                    "{name} has no frame {index}; choose one below {count}.",
                    name=self._path.name,
                    index=index,
                    count=len(self._index),
                )
            )
        if self._index.is_damaged(index):
            raise FrameDamaged(
                _("Frame {index} of {name} is damaged; choose another.", index=index, name=self._path.name)
            )
        kept = self._decoder.kept
        packet = self._decoder.kept_packet(index)
        if packet is not None:
            return packet
        if passed is not None:
            nearest = kept.nearest(self._decoder.start_before(index).frame, index)
            if nearest is not None:
                passed(partial(self._decoder.kept_packet, nearest))
        return self._decoder.decode(index, give_up, passed)

    def _made(self, index: int, picture: Picture) -> FramePacket:
        time_s = float(self._index.times_s[index])
        return FramePacket(self._info.source_id, index, time_s, time.monotonic(), picture)

    # Reading ahead

    def _read_ahead(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._ahead is not None and self._idle()))
                if self._closed:
                    return
                assert self._ahead is not None
                ahead, self._ahead = self._ahead, None
                if self._changed.wait_for(self._called_away, ahead.rest_s):
                    self._ahead = self._ahead or ahead
                    continue
            try:
                self._fetch(ahead.place, ahead.many)
            except SourceInterrupted:
                with self._changed:
                    # Who called may have wanted but one frame; else something newer is wanted ahead.
                    self._ahead = self._ahead or ahead
            except Exception as error:  # noqa: BLE001 - the thread's boundary: whoever asks is told
                _log.warning("Reading ahead in a video failed: %s", type(error).__name__)

    def _idle(self) -> bool:
        return self._settled and not self._waiting

    def _fetch(self, index: int, many: int) -> None:
        """Decode what follows or precedes `index`, until something else is wanted.

        Raises:
            SourceInterrupted: Something else is.
        """
        with self._lock:
            wanted_frames = self._wanted(index, many)
        for wanted in wanted_frames:
            with self._lock:
                if self._called_away():
                    raise SourceInterrupted("Something else is wanted.")
                if (
                    wanted not in self._decoder.kept
                    and not self._index.is_damaged(wanted)
                    and self._decoder.decode(wanted, self._called_away) is None
                ):
                    return

    def _called_away(self) -> bool:
        """Whether something is more urgent than reading ahead."""
        return self._closed or self._ahead is not None or self._waiting > 0

    def _wanted(self, index: int, many: int) -> range:
        if many > 0:
            return range(index + 1, min(len(self._index), index + 1 + many))
        here = self._decoder.kept.get(index)
        room = self._decoder.kept.limit // 3 // here.picture.nbytes if here is not None else _FORWARD_AHEAD
        many = max(1, min(-many, room))
        # Only when half of what was fetched is used up, so that decoding begins anew seldom.
        if all(near in self._decoder.kept for near in range(max(0, index - many // 2), index)):
            return range(0)
        return range(max(0, index - many), index)


class _Ahead(NamedTuple):
    """What to read ahead: from where, how many frames (backward if negative), after what rest."""

    place: int
    many: int
    rest_s: float = 0.0


def _guessed(info: SourceInfo) -> VideoIndex:
    """Something to show until the file is known: what its header says."""
    count, rate = info.frame_count or 1, info.frame_rate or 25.0
    times_s = np.arange(count, dtype=np.float64) / rate
    times_s.flags.writeable = False
    return VideoIndex(times_s, None, None, None, (Start(0, 0, None, None, None),))
