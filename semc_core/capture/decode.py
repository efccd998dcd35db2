"""What video files and network streams share: from PyAV's frames to pixels and times."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

_GRAY_LIKE = ("gray", "mono")
_MPEG_RANGE = 1
"""`VideoFrame.color_range` of pixels whose black is 16 and whose white is 235."""

_EXPAND = np.clip(np.round((np.arange(256) - 16.0) * 255 / 219), 0, 255).astype(np.uint8)


def pixels_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The frame upright, as uint8 (H, W) where the file is gray, else (H, W, 3) RGB, full range.

    The array is a copy: the decoder may use its buffers again.
    """
    # One thread: starting several takes longer than converting a frame does.
    if frame.format.name.startswith(_GRAY_LIKE):
        gray = np.asarray(frame.to_ndarray(format="gray", threads=1), np.uint8)
        pixels = _EXPAND[gray] if frame.color_range == _MPEG_RANGE else gray.copy()
    else:
        pixels = np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)
    turns = round(frame.rotation / 90) % 4
    return np.rot90(pixels, turns) if turns else pixels


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
