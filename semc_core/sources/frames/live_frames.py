"""Pictures of what the decoder of a live stream gives: while it comes, and when it is played again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av

from semc_core.language import joined
from semc_core.picture import Picture
from semc_core.picture_options import PictureOptions
from semc_core.pose import Pose
from semc_core.sources.frames.decoded import is_full, luma_of
from semc_core.sources.frames.deinterlace import Deinterlacer, said_of_marked
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.frames.times import FrameClock
from semc_core.sources.frames.watched import ReadingWatch


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A picture, its time on the sender's clock from the first one on, when it came, and where it was."""

    picture: Picture
    pts_s: float
    captured_s: float
    poses: tuple[Pose, ...] = ()


class LiveFrames:
    """Of one connection, for one thread.

    Attributes:
        told: What the user should know of its pictures, or "".
    """

    def __init__(self, pictures: StreamPictures, clock: FrameClock, options: PictureOptions) -> None:
        self._pictures, self._clock, self._options, self.told = pictures, clock, options, ""
        self._deinterlacer: Deinterlacer[tuple[float, float]] = Deinterlacer(options.deinterlace)
        self._watch = ReadingWatch(options)

    def of(self, frames: Iterable[object], came_s: float) -> Iterator[Received]:
        """What is shown of the frames of a packet that came then; an interlaced one waits for the next."""
        for frame in frames:
            if isinstance(frame, av.VideoFrame) and not frame.is_corrupt:
                pts_s = self._clock.time_of(frame)
                self._look_at(frame, pts_s)
                yield from self._shown(self._deinterlacer.put(frame, (pts_s, came_s)))
            else:
                yield from self._shown(self._deinterlacer.gap())

    def ended(self) -> Iterator[Received]:
        """What still waits."""
        yield from self._shown(self._deinterlacer.gap())

    def _shown(self, ready: Iterator[tuple[tuple[float, float], av.VideoFrame]]) -> Iterator[Received]:
        for (pts_s, came_s), frame in ready:
            yield Received(self._pictures.of(frame), pts_s, came_s)

    def _look_at(self, frame: av.VideoFrame, pts_s: float) -> None:
        """Note what the user should know of it."""
        said = said_of_marked(self._options.deinterlace) if frame.interlaced_frame else ""
        if (luma := luma_of(frame)) is not None:
            seen = self._watch.saw(luma, is_full(frame), pts_s, marked=frame.interlaced_frame)
            said = joined((said, seen))
        if said not in self.told:
            self.told = joined((self.told, said))
