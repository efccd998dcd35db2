"""Which decoded frame is which: its number and its time, from the time stamps of a file."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from fractions import Fraction

import av
from av.video.frame import PictureType


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
        # In the order of decoding: each packet's place by its stamp, key frames, and the newest loss.
        self._read = 0
        self._places: dict[int, int] = {}
        self._keys: list[int] = []
        self._shown: dict[int, int] = {}
        self._lost_at = -1
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
    ) -> None:
        """A packet that shall give a frame was read, or is known to be `lost`.

        Args:
            pts: When it is shown, ticks.
            dts: When it is decoded, ticks.
            key: It leans on none.
            lost: It was not read: it is known from elsewhere that it should be there.
            alone: None leans on it.
        """
        stamp = dts if self._by_decoding else pts
        if stamp is None:
            return
        self._read += 1
        if pts is not None:
            self._places[pts] = self._read
        if key:
            self._keys.append(self._read)
            self._shown[self._read] = stamp
        if alone:
            self._alone.add(self._read)
        if lost:
            self._gone.add(stamp)
            self._lost_at = self._read
        self._reordered = self._reordered or (self._newest is not None and stamp < self._newest)
        self._newest = stamp
        if self._last is not None and stamp < self._last and not self._sorts:
            self._promised.append([])
            self._last = None
        heapq.heappush(self._promised[-1], stamp)

    def stamp_of(self, frame: av.VideoFrame) -> tuple[list[int], int | None]:
        """The stamps of what was lost before `frame`, and that of the frame itself; None if it has none."""
        if frame.interlaced_frame:
            # Two packets, each of a field, may have given one frame.
            self._counts = False
        if frame.pict_type == PictureType.B and not self._reordered and not self._sorts:
            self._sorts = True
        if not self._sorts:
            return self._lost_before(frame.pts), frame.pts
        lost, stamp = self._smallest()
        self._last = stamp
        stamp = frame.pts if stamp is None else stamp
        # Without frames between others the order of decoding is that of showing: nothing is to be told.
        self.mended = self.mended or (stamp != frame.pts and frame.pict_type == PictureType.B)
        return lost, stamp

    def is_spoilt(self, frame: av.VideoFrame) -> bool:
        """Whether `frame` is damaged, leans on one that is damaged or lost, or may be the lost one.

        To be asked once, after `stamp_of`.
        """
        spoilt = self._leans_on_lost(frame) or frame.is_corrupt
        self._any_whole = self._any_whole or not spoilt
        self._spoiling = spoilt
        return spoilt

    def _leans_on_lost(self, frame: av.VideoFrame) -> bool:
        place = None if frame.pts is None else self._places.pop(frame.pts, None)
        if not self._leans:
            return False
        if place is None:
            # Without a time it is not known where it lies: as those before it, up to a key frame.
            return self._spoiling and not frame.key_frame
        if self._doubts_keys and not frame.key_frame and place in self._keys:
            self._keys.remove(place)
        # Frames that only begin to be whole, as with a gradual refresh, are marked as damaged as well.
        if frame.is_corrupt and (self._any_whole or frame.key_frame) and place not in self._alone:
            self._lost_at = max(self._lost_at, place)
        if self._lost_at < 0:
            return False
        if self._sorts and any(0 < gone - (self._last or 0) <= self._depth for gone in self._gone):
            # Which of the frames near a lost packet is the one that does not come, nobody can say.
            return True
        return self._key_before(place, frame.pts) < self._lost_at < place

    def _key_before(self, place: int, stamp: int | None) -> int:
        """Place of the newest key frame that one at `place`, shown at `stamp`, does not go back behind."""
        newest = bisect_right(self._keys, place) - 1
        while newest > 0 and stamp is not None and self._shown[self._keys[newest]] > stamp:
            # Shown before that key frame, though decoded after it: leans on what was before it, too.
            newest -= 1
        return self._keys[newest] if newest >= 0 else 0

    def rest(self) -> list[int]:
        """The stamps of what has not come by the end."""
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
        if not self._counts or (self._leans and first and not headless):
            return []
        for each in lost:
            place = self._places.pop(each, -1)
            if place not in self._alone:
                self._lost_at = max(self._lost_at, place)
        return lost
