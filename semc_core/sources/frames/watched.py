"""Watches the first seconds of a source: levels that speak against their range, combs that nobody marked."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from semc_core.language import _
from semc_core.picture_options import PictureOptions

_RANGE_S: Final = 4.0
"""So long levels are watched: what is wrong is said within five seconds."""
_EVERY_S: Final = 0.4
_LEAST_S: Final = 2.5
"""So long at least levels must stay within 16 to 235 before that is a sign."""
_BLACK: Final = 16
_WHITE: Final = 235
_NEAR: Final = 4
"""Coding and sharpening reach so far beyond black and white."""
_OUTSIDE: Final = 0.005
"""Share of pixels beyond them that is more than coding makes."""
_AT_BLACK: Final = 0.01
_AT_WHITE: Final = 0.0005
"""Shares of pixels that a screen has at least in black and in white: its back ground and its text."""

_RUN: Final = 8
_PERIOD: Final = 32
_COMB_FRAMES: Final = 640
"""Of each 32 frames eight in a row are looked at for combs, until so many have come."""
_LEAST_COMBS: Final = 12
_FOR_ONE: Final = 4
"""So many frames with combs are needed for each that is known to have none."""


class ReadingWatch:
    """What the pictures of one source say of themselves. For one thread.

    Args:
        options: What the user said: that is not doubted.
    """

    def __init__(self, options: PictureOptions) -> None:
        self._levels = _Levels() if options.range == "auto" else None
        self._combs = _Combs() if options.deinterlace != "on" else None

    def saw(self, luma: NDArray[np.uint8], full: bool, time_s: float, *, marked: bool = False) -> str:
        """Look at a frame; a sentence where something is wrong, told once, else "".

        Args:
            luma: uint8 (H, W), light as it was decoded; it is not changed.
            full: Whether it is taken for the full range.
            time_s: Its time in the source.
            marked: Whether it is marked as interlaced: that is told elsewhere.
        """
        said = []
        if self._levels is not None:
            said.append(self._levels.saw(luma, full, time_s))
            self._levels = None if self._levels.done else self._levels
        if marked:
            self._combs = None
        if self._combs is not None:
            said.append(self._combs.saw(luma))
            self._combs = None if self._combs.done else self._combs
        return " ".join(filter(None, said))


class _Levels:
    def __init__(self) -> None:
        self.done = False
        self._next_s = 0.0
        self._sum = np.zeros(256)

    def saw(self, luma: NDArray[np.uint8], full: bool, time_s: float) -> str:
        if time_s < self._next_s:
            return ""
        self._next_s = time_s + _EVERY_S
        few = np.ascontiguousarray(luma[::2, ::2])
        shares = np.asarray(cv2.calcHist([few], [0], None, [256], [0, 256])).ravel() / few.size
        self._sum = self._sum + shares
        self.done = time_s >= _RANGE_S
        if not full:
            outside = shares[: _BLACK - _NEAR].sum() + shares[_WHITE + _NEAR + 1 :].sum()
            if outside < _OUTSIDE:
                return ""
            self.done = True
            return _(
                "Its levels reach below 16 and above 235, though the range is said to be limited: what is "
                "very dark or bright is lost. Choose full range in the picture options (--range full)."
            )
        if self._sum[: _BLACK - 2].any() or self._sum[_WHITE + 3 :].any():
            self.done = True
            return ""
        looks = self._sum.sum()
        black = self._sum[_BLACK - 2 : _BLACK + 3].sum() / looks
        white = self._sum[_WHITE - 2 : _WHITE + 3].sum() / looks
        if time_s < _LEAST_S or black < _AT_BLACK or white < _AT_WHITE:
            return ""
        self.done = True
        return _(
            "Its levels stay within 16 to 235, though the range is said to be full: black is shown as gray. "
            "Choose limited range in the picture options (--range limited)."
        )


class _Combs:
    """By FFmpeg's idet."""

    def __init__(self) -> None:
        self.done = False
        self._graph: Graph | None = None
        self._form = (0, 0)
        self._count = self._with = self._without = 0

    def saw(self, luma: NDArray[np.uint8]) -> str:
        number, self._count = self._count, self._count + 1
        self.done = self._count >= _COMB_FRAMES
        if number % _PERIOD >= _RUN or min(luma.shape) < _RUN:
            return ""
        height, width = luma.shape
        if number % _PERIOD == 0 or self._graph is None or self._form != (height, width):
            self._graph, self._form = _idet(width, height), (height, width)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        self._graph.vpush(frame)
        try:
            found = self._graph.vpull().metadata.get("lavfi.idet.multiple.current_frame", "")
        except av.error.BlockingIOError:
            return ""
        self._with += found in ("tff", "bff")
        self._without += found == "progressive"
        if self._with < max(_LEAST_COMBS, _FOR_ONE * self._without):
            return ""
        self.done = True
        return _(
            "The pictures look interlaced, though nothing says so: every second line is of another moment. "
            "Choose to deinterlace them in the picture options (--deinterlace on)."
        )


def _idet(width: int, height: int) -> Graph:
    graph = Graph()
    graph.threads = 1
    gray = av.VideoFormat("gray", width, height)
    source = graph.add_buffer(width=width, height=height, format=gray, time_base=Fraction(1, 25))
    idet, sink = graph.add("idet"), graph.add("buffersink")
    source.link_to(idet)
    idet.link_to(sink)
    graph.configure()
    return graph
