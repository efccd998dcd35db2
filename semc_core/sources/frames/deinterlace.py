"""Removes combs: of a frame whose lines are of two moments, one whole picture is made, by FFmpeg's bwdif.

Of frame n that needs the frames n - 1 and n + 1 as well, and nothing else. Where one of them is not there, as
at the beginning, at the end and beside a damaged frame, it is made without, the same whichever way it is
reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Generic, TypeVar

import av
from av.filter import Graph

from semc_core.language import N_, _
from semc_core.picture_options import Deinterlace

T = TypeVar("T")
MARKED: Final = N_("The video is interlaced: every second line is of another moment.")
REMOVED: Final = N_("The video is interlaced; one whole picture is made of each frame.")
_FILTER: Final = "mode=send_frame:parity=auto:deint=all"


class _Weaver:
    """FFmpeg's filter: frames of one form in, the same without combs out, one behind."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._graph = Graph()
        # One: live decodes and classifies beside it, and several only wait for each other.
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 1000),
        )
        bwdif, sink = self._graph.add("bwdif", _FILTER), self._graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        self._graph.configure()

    def put(self, frame: av.VideoFrame | None) -> av.VideoFrame | None:
        """Take a frame, or None at the end; the one before it without combs, or None for the first."""
        self._graph.vpush(frame)
        try:
            given = self._graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return None
        assert isinstance(given, av.VideoFrame)
        return given


class Deinterlacer(Generic[T]):
    """Frames of one stream in order in, each with what the caller wants to have back with it. One thread.

    What is not interlaced goes straight through. One that is comes out once the frame behind it is known.
    """

    def __init__(self, wanted: Deinterlace) -> None:
        """Of which frames combs are removed; see `PictureOptions`."""
        self._wanted = wanted
        self._weaver: _Weaver | None = None
        self._before: av.VideoFrame | None = None
        self._held: tuple[T, av.VideoFrame] | None = None

    def put(self, frame: av.VideoFrame, tag: T) -> Iterator[tuple[T, av.VideoFrame]]:
        """The next frame, which comes right behind the last: what can be given now."""
        if self._before is not None and not _alike(self._before, frame):
            yield from self.gap()
        if self._held is not None:
            yield self._through(frame)
        if not has_combs(frame, self._wanted):
            self._weaver = None
            yield tag, frame
        else:
            if self._weaver is None:
                self._weaver = _Weaver(frame)
                if self._before is not None:
                    self._weaver.put(self._before)
                self._weaver.put(frame)
            self._held = tag, frame
        # Where nothing is ever removed, no frame is kept: its buffer is the decoder's.
        self._before = frame if self._wanted != "off" else None

    def gap(self) -> Iterator[tuple[T, av.VideoFrame]]:
        """What comes next does not come right behind: what is held back."""
        if self._held is not None:
            yield self._through(None)
        self._weaver = self._before = None

    def _through(self, behind: av.VideoFrame | None) -> tuple[T, av.VideoFrame]:
        assert self._held is not None
        assert self._weaver is not None
        (tag, frame), self._held = self._held, None
        return tag, self._weaver.put(behind) or frame


def has_combs(frame: av.VideoFrame, wanted: Deinterlace) -> bool:
    """Whether combs are to be removed from this frame."""
    return wanted == "on" or (wanted == "auto" and bool(frame.interlaced_frame))


def said_of_marked(wanted: Deinterlace) -> str:
    """What the user should know of frames that are marked as interlaced, a sentence."""
    return _(MARKED) if wanted == "off" else _(REMOVED)


def deinterlaced(
    before: av.VideoFrame | None, frame: av.VideoFrame, behind: av.VideoFrame | None
) -> av.VideoFrame:
    """`frame` without combs, to the bit as `Deinterlacer` gives it between those two; None is none."""
    weaver = _Weaver(frame)
    if before is not None and _alike(before, frame):
        weaver.put(before)
    weaver.put(frame)
    return weaver.put(behind if behind is not None and _alike(behind, frame) else None) or frame


def _alike(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    """Whether two frames have one form."""
    return (one.width, one.height, one.format.name) == (other.width, other.height, other.format.name)
