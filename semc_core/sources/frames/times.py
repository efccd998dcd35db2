"""Which decoded frame is which: its number and its time, from the time stamps of a file."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from fractions import Fraction
from typing import Final, NamedTuple

import av
from av.video.frame import PictureType

_REACH: Final = 48
"""A frame waits for packets that lie before its own, but for none so far before."""


class FrameClock:
    """Seconds since the first frame, for frames given in presentation order.

    Uses the time stamps of the file; where a frame has none, or one that lies before the frame ahead of it,
    the frame rate fills in, and `derived` counts it.

    Args:
        time_base: Seconds per tick of a time stamp; None where the stream does not say.
        rate: Frames per second; None where unknown (then 25 is taken).
    """

    def __init__(self, time_base: Fraction | None, rate: Fraction | None) -> None:
        self._time_base = time_base
        self._period_s = 1 / rate if rate else Fraction(1, 25)
        self._offset_s: Fraction | None = None
        self._last_s: Fraction | None = None
        self._by_pts = True
        self.derived = 0

    def time_of(self, frame: av.VideoFrame) -> float:
        """Seconds; 0.0 for the first frame, never decreasing."""
        return self.time_at(frame.pts, frame.dts, frame.time_base)

    def time_at(self, pts: int | None, dts: int | None, time_base: Fraction | None) -> float:
        """As `time_of`, for a frame known by its time stamps only, in ticks of `time_base` seconds."""
        stamp_s = self._stamp_of(pts, dts, time_base)
        if self._last_s is None:
            self._offset_s = stamp_s
            self._last_s = Fraction(0)
            self.derived += stamp_s is None
            return 0.0
        if stamp_s is not None and self._offset_s is None:
            self._offset_s = stamp_s - self._last_s - self._period_s
        now_s = None if stamp_s is None or self._offset_s is None else stamp_s - self._offset_s
        if now_s is None or now_s < self._last_s:
            self.derived += 1
            now_s = self._last_s + self._period_s
            # A jump back (clips joined end to end): what follows is counted from here.
            self._offset_s = None if stamp_s is None else stamp_s - now_s
        self._last_s = now_s
        return float(now_s)

    def _stamp_of(self, pts: int | None, dts: int | None, time_base: Fraction | None) -> Fraction | None:
        if self._last_s is None:
            # AVI stores no presentation times; the order of decoding then gives them, shifted by a constant.
            self._by_pts = pts is not None
        ticks = pts if self._by_pts else dts
        base = time_base or self._time_base
        return None if ticks is None or base is None else ticks * base


class Arrival(NamedTuple):
    """A decoded frame as it came.

    Attributes:
        place: Of its packet, in the order of decoding; None where that is not known.
        pts: Its time stamp, ticks.
        is_key: It says that it leans on none.
        is_corrupt: The decoder calls it damaged.
        lost: Stamps of what was lost before it, where its own is trusted.
    """

    place: int | None
    pts: int | None
    is_key: bool
    is_corrupt: bool
    lost: list[int]


class FrameNumbers:
    """Tells of each decoded frame which of the file's it is, and which others never came.

    Every packet promises a frame. A frame is known by its time stamp; what was promised for an earlier time
    and has not come until then was lost. Stamps that are in the order of decoding, though the frames are in
    another, are dealt out in the order of time.
    """

    def __init__(
        self, *, sorts: bool, counts: bool, leans: bool, depth: int = 0, doubts_keys: bool = False
    ) -> None:
        """Nothing is promised yet.

        Args:
            sorts: Whether the file has no times of showing, but only of decoding.
            counts: Whether each packet promises a frame, so that one that does not come was lost.
            leans: Whether frames lean on others. Then what does not come before the first frame leaned on
                what the file does not hold, and all behind a lost one are wrong until the next key frame.
            depth: How many frames may be decoded before one that is shown earlier.
            doubts_keys: Whether a key frame is one only if its frame says so, too: some containers call
                every packet one.
        """
        self._doubts_keys = doubts_keys
        self._sorts, self._counts, self._leans, self._depth = sorts, counts, leans, depth
        self._by_decoding = sorts
        # One after the other, each a heap: where times jump back, clips were joined.
        self._promised: list[list[int]] = [[]]
        self._gone: set[int] = set()
        self._newest: int | None = None
        self._last: int | None = None
        self._reordered, self._first = False, True
        # By their places in the order of decoding: stamps of packets whose frames are to come, key frames,
        # those of them that were shown, and losses.
        self._read = 0
        self._waiting: dict[int, int] = {}
        self._late: set[int | None] = set()
        self._keys: list[int] = []
        self._shown: list[int] = []
        self._losses: list[int] = []
        self._alone: set[int] = set()
        self._any_whole = self._spoiling = False
        self.mended = False

    def promise(
        self,
        pts: int | None,
        dts: int | None,
        *,
        key: bool = False,
        lost: bool = False,
        alone: bool = False,
    ) -> int:
        """A packet that shall give a frame was read, or is known to be `lost`.

        Args:
            pts: When it is shown, ticks.
            dts: When it is decoded, ticks.
            key: It leans on none.
            lost: It was not read: it is known from elsewhere that it should be there.
            alone: None leans on it.

        Returns:
            Its place; -1 where it has no stamp.
        """
        stamp = dts if self._by_decoding else pts
        if stamp is None:
            return -1
        self._read += 1
        if not lost:
            self._waiting[self._read] = stamp
        if key:
            self._keys.append(self._read)
        if alone:
            self._alone.add(self._read)
        if lost:
            self._gone.add(stamp)
            self._lose(self._read)
        self._reordered = self._reordered or (self._newest is not None and stamp < self._newest)
        self._newest = stamp
        if self._last is not None and stamp < self._last and not self._sorts:
            self._promised.append([])
            self._last = None
        heapq.heappush(self._promised[-1], stamp)
        return self._read

    def fail(self, place: int) -> None:
        """The packet at `place` gave no frame. Where stamps are dealt out, its own is left out."""
        stamp = self._waiting.pop(place, None)
        if stamp is None or not self._counts:
            return
        self._late.add(place)
        self._lose(place)
        if self._sorts:
            self._gone.add(stamp)

    def arrived(self, frame: av.VideoFrame, of: int) -> Arrival | None:
        """Take note of a frame, and of its packet's place, -1 if unknown; None if it was counted as lost."""
        place = of if of >= 0 else None
        if place in self._late:
            return None
        if place is not None:
            self._waiting.pop(place, None)
        if frame.interlaced_frame:
            # Two packets, each of a field, may have given one frame.
            self._counts = False
        if frame.pict_type == PictureType.B and not self._reordered and not self._sorts:
            self._sorts = True
        if self._sorts and place is not None and frame.pict_type != PictureType.B:
            # All that was decoded before is shown before.
            for each in [each for each in self._waiting if each < place]:
                self.fail(each)
        if self._doubts_keys and not frame.key_frame and place in self._keys:
            self._keys.remove(place)
        # Frames that only begin to be whole, as with a gradual refresh, are marked as damaged as well.
        if frame.is_corrupt and place is not None and (self._any_whole or frame.key_frame):
            self._lose(place)
        self._any_whole = self._any_whole or not frame.is_corrupt
        lost = [] if self._sorts else self._lost_before(frame.pts)
        return Arrival(place, frame.pts, frame.key_frame, frame.is_corrupt, lost)

    def is_known(self, arrival: Arrival) -> bool:
        """Whether all that the frame may lean on has come, or is known to be lost.

        One that is shown between others is decoded after them, and given before the later of them.
        """
        place = arrival.place
        if place is None or not self._leans:
            return True
        return not any(place - _REACH < each < place for each in self._waiting)

    def stamp_of(self, frame: av.VideoFrame) -> tuple[list[int], int | None]:
        """Where stamps are dealt out (`deals`): those of what was lost before `frame`, and its own.

        To be asked once, in the order of showing; None if none is left.
        """
        lost, stamp = self._smallest()
        self._last = stamp
        stamp = frame.pts if stamp is None else stamp
        # Without frames between others the order of decoding is that of showing: nothing is to be told.
        self.mended = self.mended or (stamp != frame.pts and frame.pict_type == PictureType.B)
        return lost, stamp

    @property
    def deals(self) -> bool:
        """Whether the frames' own stamps are not to be trusted."""
        return self._sorts

    def is_spoilt(self, arrival: Arrival) -> bool:
        """Whether the frame is damaged, leans on one that is damaged or lost, or may be the lost one.

        To be asked once, in the order of showing, when it is known and its stamp was dealt.
        """
        place = arrival.place
        if place is not None and self._keys[(near := bisect_left(self._keys, place)) : near + 1] == [place]:
            self._shown.append(place)
        self._spoiling = arrival.is_corrupt or (self._leans and self._leans_on_lost(arrival))
        return self._spoiling

    def _leans_on_lost(self, arrival: Arrival) -> bool:
        place = arrival.place
        if place is None:
            # Without a time it is not known where it lies: as those before it, up to a key frame.
            return self._spoiling and not arrival.is_key
        if self._sorts and self._is_near_gone():
            return True
        before = bisect_left(self._losses, place) - 1
        return before >= 0 and self._key_before(place) <= self._losses[before]

    def _key_before(self, place: int) -> int:
        """Place of the newest key frame before the one at `place`, or its own; 0 if there is none.

        One that is decoded before it but shown after it does not count: it leans on what was before that.
        """
        newest = bisect_right(self._shown, place) - 1
        return self._shown[newest] if newest >= 0 else 0

    def _is_near_gone(self) -> bool:
        """Whether one of the next frames is lost: which of those near it does not come, nobody can say."""
        last = self._last or 0
        return any(
            0 < sum(last < stamp <= gone for heap in self._promised for stamp in heap) <= self._depth
            for gone in self._gone
        )

    def _lose(self, place: int) -> None:
        """The frame of the packet at `place` is damaged, or lost."""
        if place not in self._alone:
            insort(self._losses, place)

    def end(self) -> None:
        """No frame comes any more."""
        for place in list(self._waiting):
            self.fail(place)

    def rest(self) -> list[int]:
        """The stamps of what has not come, after the end."""
        if self._sorts:
            return sorted(self._gone)
        if not self._counts:
            return []
        return [stamp for heap in self._promised for stamp in sorted(heap)]

    def _smallest(self) -> tuple[list[int], int | None]:
        """The smallest stamp that was promised, and those before it that are known to be lost."""
        lost: list[int] = []
        for heap in self._promised:
            while heap:
                stamp = heapq.heappop(heap)
                if stamp not in self._gone:
                    return lost, stamp
                self._gone.remove(stamp)
                lost.append(stamp)
        return lost, None

    def _lost_before(self, stamp: int | None) -> list[int]:
        if stamp is None or not any(stamp in heap for heap in self._promised):
            return []
        lost: list[int] = []
        while stamp not in self._promised[0]:
            lost += sorted(self._promised.pop(0))
        while (smallest := heapq.heappop(self._promised[0])) != stamp:
            lost.append(smallest)
        first, self._last = self._first, stamp
        self._first = False
        headless = not self._gone.isdisjoint(lost)
        self._gone.difference_update(lost)
        places = [place for place, each in self._waiting.items() if each in lost]
        if not self._counts or (self._leans and first and not headless):
            for place in places:
                del self._waiting[place]
            return []
        for place in places:
            self.fail(place)
        return lost
