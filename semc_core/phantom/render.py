"""Writes a simulated scan as a video, with the truth of every frame beside it."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.container import OutputContainer

from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import save_error
from semc_core.io.leftovers import leftovers, work_done, work_path
from semc_core.io.regular import is_folder
from semc_core.phantom.scan import SimulatedScan

CONTAINERS: Final = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}
"""FFmpeg's name of the container, by the file's suffix."""

TRUTH_COLUMNS: Final = ("frame_index", "time_s", "plane", "distance")
_CODEC: Final = "mpeg4"
_OPTIONS: Final = {"qmin": "3", "qmax": "3"}
"""MPEG-4 part 2, every frame quantised alike: closer to the scan than H.264 was at its rate factor 18."""
_MPEG_RANGE: Final = 1  # black is 16, white 235


def render(scan: SimulatedScan, path: Path, on_frame: Callable[[int], None] | None = None) -> Path:
    """Write the video and, beside it with the suffix .csv, its truth; each whole or not at all.

    Args:
        scan: One with an end, of even width and height.
        path: The video to write; a file there is replaced. Its suffix chooses the format (`CONTAINERS`).
        on_frame: Called after each frame with the number of frames done.

    Returns:
        The truth's path. Its distance is `inf` while the probe is off the skin.

    Raises:
        UsageError: The suffix, the length or the size cannot be written.
        SaveError: The folder is missing, or the disk is full or write-protected.
    """
    container = _container_for(path)
    count = scan.frame_count
    if not count:
        raise UsageError("The scan would have no frame: ask for more seconds.")
    if scan.width % 2 or scan.height % 2:
        raise UsageError(f"{scan.width}x{scan.height} cannot be written: give an even width and height.")
    if not is_folder(path.parent):
        raise SaveError(
            f"There is no folder {path.parent}: make it first, or choose another for {path.name}."
        )
    truth = path.with_suffix(".csv")
    try:
        with _whole_file(truth) as truth_part, _whole_file(path) as video_part:
            _write_truth(scan, count, truth_part)
            with av.open(str(video_part), "w", format=container) as out:
                _write_video(scan, count, out, on_frame or (lambda done: None))
    except (OSError, av.FFmpegError) as error:
        # Without its file, which is a hidden one.
        told = OSError(error.errno, error.strerror or type(error).__name__)
        raise save_error(path.parent, told) from error
    return truth


def _container_for(path: Path) -> str:
    """FFmpeg's name of the container for a file's suffix."""
    container = CONTAINERS.get(path.suffix.lower())
    if container is None:
        known = ", ".join(CONTAINERS)
        raise UsageError(f"{path.name} is no video that can be written: end its name in one of {known}.")
    return container


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, moved there when the block ends well, removed when it does not."""
    part = work_path(path)
    try:
        for left, name, _ in leftovers(path.parent):
            if name == path.name and left.is_file():
                left.unlink(missing_ok=True)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        work_done(part)


def _write_truth(scan: SimulatedScan, count: int, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(TRUTH_COLUMNS)
        for index in range(count):
            truth = scan.truth(index)
            rows.writerow((index, f"{truth.time_s:.6f}", truth.plane, f"{truth.distance:.4f}"))


def _write_video(
    scan: SimulatedScan, count: int, out: OutputContainer, on_frame: Callable[[int], None]
) -> None:
    rate = Fraction(scan.frame_rate).limit_denominator(1001)
    stream = out.add_stream(_CODEC, rate=rate, options=_OPTIONS)
    stream.width, stream.height, stream.pix_fmt = scan.width, scan.height, "yuv420p"
    stream.codec_context.color_range = _MPEG_RANGE
    # With more the file would depend on how many cores there are.
    stream.codec_context.thread_count = 1
    out.metadata["title"] = f"Simulated scan, seed {scan.seed}"
    for index in range(count):
        picture: Any = scan.frame(index)
        frame = av.VideoFrame.from_ndarray(picture, format="gray")
        frame.pts, frame.time_base = index, 1 / rate
        out.mux(stream.encode(frame))
        on_frame(index + 1)
    out.mux(stream.encode(None))
