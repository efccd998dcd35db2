"""Frames to video: Matroska that stays playable wherever writing it ends."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.io.atomic import save_error
from semc_core.io.private import new_private_file
from semc_core.io.process import usable_cores

_TICK: Final = Fraction(1, 1000)
"""Matroska counts milliseconds."""

_NOMINAL_RATE: Final = 30
_KEY_EVERY_FRAMES: Final = 6
"""Whoever jumps to a frame waits for the decoding of all since the last key picture. Speckle hardly repeats
from frame to frame: with 6 instead of 30 recordings are 5 to 14 % larger.
"""
_ENOUGH_CORES: Final = 4
_FEWER_COLOURS: Final = "yuv420p"

# A cluster is written as a whole: what is not yet in one is lost by a kill.
_CONTAINER_OPTIONS: Final = {"cluster_time_limit": "250", "flush_packets": "1"}


class Quality(StrEnum):
    """How frames are kept."""

    COMPACT = "compact"
    """H.264, gray where the frames are gray: close to the original, a third of its lossless size."""

    LOSSLESS = "lossless"
    """FFV1: every pixel as it was."""


class VideoWriter:
    """Write frames of one size, gray or colour, with their times. Called by one thread.

    Times are whole milliseconds in the file. Each frame is handed on as soon as it is encoded, none waits for
    a later one (no B-frames), and clusters are closed every 0.25 s: a program that is killed leaves a file
    that plays up to then.
    """

    def __init__(
        self, target: Path | io.BytesIO, width: int, height: int, *, gray: bool, quality: Quality
    ) -> None:
        """Begin a file.

        Args:
            target: A file that is not there yet, which only its owner will read; or a buffer in memory.
            width: Pixels.
            height: Pixels.
            gray: Whether frames are (H, W), else (H, W, 3) RGB.
            quality: See there.

        Raises:
            SaveError: The file cannot be made, or frames of this size cannot be encoded.
        """
        self._folder = target.parent if isinstance(target, Path) else None
        self._gray = gray
        self._last_ms = -1
        self._closed = False
        try:
            if isinstance(target, Path):
                # Never over a file that is there.
                os.close(new_private_file(target))
            name = f"file:{target}" if isinstance(target, Path) else target
            self._container = av.open(name, "w", format="matroska", options=_CONTAINER_OPTIONS)
        except (av.FFmpegError, OSError) as error:
            raise self._save_error(error) from error
        try:
            self._stream = _new_stream(self._container, width, height, gray, quality)
            self._stream.codec_context.open()
        except (av.FFmpegError, ValueError, OSError) as error:
            self._container.close()
            raise SaveError(
                f"Frames of {width}x{height} pixels could not be encoded; record in the other quality."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, pixels: NDArray[np.uint8], time_ms: int) -> int:
        """Append a frame.

        Args:
            pixels: uint8 (H, W) or (H, W, 3) RGB, as announced.
            time_ms: Since the beginning of the file. One that is not later than the last becomes later.

        Returns:
            The time in the file, milliseconds; no two frames have the same.

        Raises:
            SaveError: The file can be written no further; what was written until now stays readable.
        """
        self._last_ms = max(time_ms, self._last_ms + 1)
        try:
            frame = self._frame(pixels)
            frame.color_range = ColorRange.JPEG
            frame.pts, frame.time_base = self._last_ms, _TICK
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._save_error(error) from error
        return self._last_ms

    def close(self) -> None:
        """Write what the encoder still holds, and the index for seeking. May be called twice.

        Raises:
            SaveError: That could not be written; the frames before stay readable.
        """
        if self._closed:
            return
        self._closed = True
        try:
            try:
                self._container.mux(self._stream.encode(None))
            finally:
                self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._save_error(error) from error

    def _frame(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        if self._gray:
            return av.VideoFrame.from_ndarray(pixels, format="gray")
        if self._stream.pix_fmt == _FEWER_COLOURS:
            return av.VideoFrame.from_ndarray(_fewer_colours(pixels), format=_FEWER_COLOURS)
        return av.VideoFrame.from_ndarray(pixels, format="rgb24")

    def _save_error(self, error: OSError | av.FFmpegError) -> SaveError:
        told = OSError(error.errno, error.strerror or type(error).__name__)
        return save_error(self._folder or Path("memory"), told)


def encode_clip(
    frames: Iterable[tuple[NDArray[np.uint8], float]],
    width: int,
    height: int,
    *,
    gray: bool,
    quality: Quality,
) -> bytes:
    """A Matroska file of these frames, in memory.

    Args:
        frames: Pixels, uint8 (H, W) or (H, W, 3) RGB, and times in seconds, in order.
        width: Of every frame, pixels.
        height: As `width`.
        gray: Whether no frame has colour.
        quality: See there.

    Raises:
        SaveError: They could not be encoded.
    """
    content = io.BytesIO()
    start_s: float | None = None
    with VideoWriter(content, width, height, gray=gray, quality=quality) as writer:
        for pixels, time_s in frames:
            start_s = time_s if start_s is None else start_s
            writer.write(as_gray(pixels) if gray else as_rgb(pixels), round((time_s - start_s) * 1000))
    return content.getvalue()


def is_gray(pixels: NDArray[np.uint8]) -> bool:
    """Whether the picture, (H, W) or (H, W, 3), has no colour in any pixel."""
    if pixels.ndim == 2:
        return True
    few = pixels[::16, ::16]
    # Most coloured pictures are found out by a few pixels.
    return all(
        np.array_equal(some[..., 0], some[..., 1]) and np.array_equal(some[..., 1], some[..., 2])
        for some in (few, pixels)
    )


def as_gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture without colour as (H, W), contiguous."""
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 0])


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as (H, W, 3)."""
    if pixels.ndim == 3:
        return pixels
    return cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))


def _fewer_colours(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB (H, W, 3), both even -> full-range Y, then Cb and Cr at half the resolution: (H * 3 / 2, W).

    Not by FFmpeg, whose rounding would tint the gray parts of a coloured picture.
    """
    height, width = pixels.shape[:2]
    levels, red, blue = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    planes = np.empty(height * width * 3 // 2, np.uint8)
    planes[: height * width] = levels.ravel()
    half = (width // 2, height // 2)
    at = height * width
    for colour in (blue, red):
        small = cv2.resize(colour, half, interpolation=cv2.INTER_AREA)
        planes[at : at + small.size] = small.ravel()
        at += small.size
    return planes.reshape(height * 3 // 2, width)


def _new_stream(
    container: av.container.OutputContainer, width: int, height: int, gray: bool, quality: Quality
) -> VideoStream:
    if quality is Quality.LOSSLESS:
        codec, pixel_format = "ffv1", "gray" if gray else "bgr0"
        options = {"level": "3", "slices": "4", "slicecrc": "1"}
    else:
        codec = "libx264"
        even = width % 2 == 0 and height % 2 == 0
        # Half as many colours as pixels needs even sides.
        pixel_format = "gray" if gray else _FEWER_COLOURS if even else "yuv444p"
        options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "17", "bf": "0"}
    stream = container.add_stream(codec, rate=_NOMINAL_RATE, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
    context = stream.codec_context
    context.time_base = _TICK
    context.gop_size = 1 if quality is Quality.LOSSLESS else _KEY_EVERY_FRAMES
    context.color_range = ColorRange.JPEG
    # On a small machine the model needs the other core.
    context.thread_count = 2 if usable_cores() >= _ENOUGH_CORES else 1
    return stream
