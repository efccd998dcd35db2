"""A clip of the scan round each plane: H.264 in MP4, which plays everywhere, blanked like the pictures.

Which pictures of a clip are looked at for text: its mean, and a few of the moments at which text appears.

Text stands still, so a mean of frames shows it better than any frame does. The mean of the whole clip shows
what stays; what is there for a moment only is faint in it. So every two frames that follow each other are
looked at together: lines that are bright in both, and that were not there just before, are news. Speckle that
changes fast has none of them, and speckle that changes slowly has had them before. The moments with the most
news are read as well, unless a picture chosen before shows the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from semc_core.io.atomic import save_error
from semc_core.session.records import PlaneEntry
from semc_core.sources.open import open_source
from semc_core.sources.seek.base import SeekableSource
from semc_core.types import FramePacket

BEFORE_S: Final = 2.0
AFTER_S: Final = 1.0
_TICKS: Final = Fraction(1, 90_000)
_QUALITY: Final = {"crf": "18", "preset": "veryfast"}  # hardly to be told from the original


def write_clip(
    path: Path, frames: Iterable[FramePacket], shown: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> int:
    """Write `frames` with their own times, beginning at 0.

    Frames of another size than the first are left out: a clip has one.

    Args:
        path: The new MP4 file.
        frames: In order.
        shown: Makes of a frame's pixels those that may leave the machine, of the same shape.

    Returns:
        The number of frames written. Without any there is no file.

    Raises:
        SaveError: It could not be written.
    """
    waiting = iter(frames)
    first = next(waiting, None)
    if first is None:
        return 0
    height, width = first.pixels.shape[:2]
    count, last = 0, -1
    try:
        path.parent.mkdir(exist_ok=True)
        with av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(30), options=_QUALITY)
            # yuv420p wants even sizes: a column or row that is missing is black.
            stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
            stream.codec_context.time_base = stream.time_base = _TICKS
            stream.codec_context.thread_count = 2
            for packet in _chain(first, waiting):
                if packet.pixels.shape[:2] != (height, width):
                    continue
                pixels = _even(shown(packet.pixels))
                frame = av.VideoFrame.from_ndarray(pixels, "gray" if pixels.ndim == 2 else "rgb24")
                # Two frames of one time are one after the other all the same.
                last = max(last + 1, round((packet.pts_s - first.pts_s) / _TICKS))
                frame.pts, frame.time_base = last, _TICKS
                container.mux(stream.encode(frame))
                count += 1
            container.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        raise save_error(path.parent, OSError(error.errno, error.strerror)) from error
    return count


def saved_clip(folder: Path, plane: PlaneEntry) -> Path | None:
    """The clip that was saved with a plane of the session in `folder`; None if there is none."""
    return None if plane.clip is None else folder / plane.clip


def kept_clip(path: Path) -> Iterator[FramePacket]:
    """The frames of a clip that was saved with its plane.

    Raises:
        SemcError: It cannot be read.
    """
    with closing(open_source(str(path))) as source:
        while (packet := source.read()) is not None:
            yield packet


def cut(source: SeekableSource, start_s: float, end_s: float) -> Iterator[FramePacket]:
    """The frames of a loop or a recording from `start_s` to `end_s`, one at a time.

    Raises:
        SemcError: The file cannot be read.
    """
    first = int(np.searchsorted(source.times_s, start_s))
    after = int(np.searchsorted(source.times_s, end_s, "right"))
    for index in range(first, after):
        yield source.frame(index)


def _chain(first: FramePacket, rest: Iterator[FramePacket]) -> Iterator[FramePacket]:
    yield first
    yield from rest


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    added = [(0, height % 2), (0, width % 2), (0, 0)][: pixels.ndim]
    return np.pad(pixels, added)


MOST_MOMENTS: Final = 4
"""With the clip's mean and the plane's own picture, six pictures are read at most."""

_MOST_KEPT: Final = 8
_LEAST_STEP: Final = 48
_LEAST_NEWS: Final = 1500
_STROKE_PX: Final = 11

T = TypeVar("T", bound=np.generic)

Shown = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """Two frames: how much their lines are news, their mean, and their lines, uint8 (H, W)."""

    news: int
    picture: NDArray[np.uint8]
    lines: NDArray[np.uint8]


class ClipLook:
    """Takes the frames of a clip one by one, and then gives the pictures to be read."""

    def __init__(self, shown: Shown) -> None:
        """No frame is there yet.

        Args:
            shown: Blanks in a picture what will not be exported of it: text there does not matter.
        """
        self._shown = shown
        self._total: NDArray[np.uint32] | None = None
        self._count = 0
        self._last: NDArray[np.uint8] | None = None
        self._before: NDArray[np.uint8] | None = None
        self._twice = False
        self._kept: list[_Moment] = []

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Take the next frame; one of another size than the first is left out, as it is of the clip.

        Args:
            pixels: uint8 (H, W) or (H, W, 3), as it is; colour may come and go.
        """
        if self._total is None:
            self._total = np.zeros(pixels.shape, np.uint32)
        if self._total.shape[:2] != pixels.shape[:2]:
            return
        if pixels.ndim > self._total.ndim:
            self._total = _coloured(self._total)
        elif pixels.ndim < self._total.ndim:
            pixels = _coloured(pixels)
        self._total += pixels
        self._count += 1
        last, self._last = self._last, pixels
        # A card that is faster than the scanner gives a frame twice; one that stands for longer was frozen.
        self._twice = not self._twice and last is not None and np.array_equal(last, pixels)
        if last is not None and not self._twice:
            self._add_pair(last if last.ndim == pixels.ndim else _coloured(last), pixels)

    def pictures(self) -> list[NDArray[np.uint8]]:
        """The pictures to be read, as they are; the mean of the clip first. None without a frame."""
        if self._total is None:
            return []
        mean = np.rint(self._total / self._count).astype(np.uint8)
        seen = self._shown(_lines(mean))
        chosen = [mean]
        while self._kept and len(chosen) <= MOST_MOMENTS:
            news = [_news(each.lines, seen) for each in self._kept]
            most = int(np.argmax(news))
            if news[most] < _LEAST_NEWS:
                break
            chosen.append(self._kept[most].picture)
            seen = np.maximum(seen, _spread(self._kept[most].lines))
        return chosen

    def _add_pair(self, last: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        lines = self._shown(_lines(np.minimum(last, pixels)))
        before = np.zeros_like(lines) if self._before is None else self._before
        news, self._before = _news(lines, before), _spread(lines)
        if len(self._kept) == _MOST_KEPT:
            least = min(self._kept, key=lambda each: each.news)
            if news <= least.news:
                return
            self._kept.remove(least)
        self._kept.append(_Moment(news, _uint8(cv2.addWeighted(last, 0.5, pixels, 0.5, 0)), lines))


def _coloured(gray: NDArray[T]) -> NDArray[T]:
    """(H, W) as (H, W, 3)."""
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def _news(lines: NDArray[np.uint8], seen: NDArray[np.uint8]) -> int:
    """By how much lines stand out beyond what was seen; a little more than before is no news."""
    return int(cv2.subtract(lines, cv2.add(seen, np.full_like(seen, _LEAST_STEP))).sum(dtype=np.int64))


def _lines(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far each pixel of a thin bright line stands out, 0 where that is little; uint8 (H, W)."""
    bright = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    # A square costs a tenth of what a disc does, and this is done for every frame.
    letters = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    return _uint8(cv2.morphologyEx(bright, cv2.MORPH_TOPHAT, letters))


def _spread(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same, a pixel wider."""
    return _uint8(cv2.dilate(lines, np.ones((3, 3), np.uint8)))


def _uint8(values: Any) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)
