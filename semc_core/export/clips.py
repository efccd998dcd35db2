"""A clip of the scan round each plane: H.264 in MP4, which plays everywhere, blanked like the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
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
