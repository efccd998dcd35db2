"""Frames to video: Matroska that stays playable wherever writing it ends."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self, cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.io.atomic import save_error
from semc_core.io.packets import packet_of
from semc_core.io.private import new_private_file
from semc_core.io.process import usable_cores
from semc_core.io.video_quality import Quality
from semc_core.language import _

_TICK: Final = Fraction(1, 1000)
"""Matroska counts milliseconds."""

_NOMINAL_RATE: Final = 30
_ENOUGH_CORES: Final = 4
_GRAY_QUALITY: Final = 87
_COLOUR_QUALITY: Final = 91
"""Of JPEG, 1 to 100: as close to the original as H.264 at its rate factor 17 was (docs/benchmarks.md)."""
_LONGEST_SIDE: Final = 65_500
"""Of a JPEG, pixels: what libjpeg takes."""

# A cluster is written as a whole: what is not yet in one is lost by a kill.
_CONTAINER_OPTIONS: Final = {"cluster_time_limit": "250", "flush_packets": "1"}


class VideoWriter:
    """Write frames of one size, gray or colour, with their times. Called by one thread.

    Times are whole milliseconds in the file. Each frame stands for itself and is handed on as soon as it is
    encoded, and clusters are closed every 0.25 s: a program that is killed leaves a file that plays up to
    then, and who jumps to a frame decodes that alone.
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
            encoder = _Ffv1 if quality is Quality.LOSSLESS else _Jpeg
            self._encoder: _Encoder = encoder(self._container, width, height, gray)
        except (av.FFmpegError, ValueError, OSError) as error:
            self._container.close()
            raise SaveError(
                _(
                    "Frames of {width}x{height} pixels could not be encoded; record in the other quality.",
                    width=width,
                    height=height,
                )
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
            self._container.mux(self._encoder.encode(pixels, self._last_ms))
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
                self._container.mux(self._encoder.rest())
            finally:
                self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._save_error(error) from error

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


class _Encoder(Protocol):
    """Makes packets of frames, each with its time in milliseconds."""

    def encode(self, pixels: NDArray[np.uint8], time_ms: int) -> list[av.Packet[Any]]: ...

    def rest(self) -> list[av.Packet[Any]]:
        """What was held back until the end."""
        ...


class _Ffv1:
    """Without loss, by FFmpeg.

    Raises:
        ValueError, FFmpegError: Frames of this size cannot be encoded.
    """

    def __init__(self, container: OutputContainer, width: int, height: int, gray: bool) -> None:
        options = {"level": "3", "slices": "4", "slicecrc": "1"}
        self._stream = container.add_stream("ffv1", rate=_NOMINAL_RATE, options=options)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "gray" if gray else "bgr0"
        context = self._stream.codec_context
        context.time_base = _TICK
        context.gop_size = 1
        context.color_range = ColorRange.JPEG
        # On a small machine the model needs the other core.
        context.thread_count = 2 if usable_cores() >= _ENOUGH_CORES else 1
        context.open()
        self._form = "gray" if gray else "rgb24"

    def encode(self, pixels: NDArray[np.uint8], time_ms: int) -> list[av.Packet[Any]]:
        frame = av.VideoFrame.from_ndarray(pixels, format=self._form)
        frame.color_range = ColorRange.JPEG
        frame.pts, frame.time_base = time_ms, _TICK
        return self._stream.encode(frame)

    def rest(self) -> list[av.Packet[Any]]:
        return self._stream.encode(None)


class _Jpeg:
    """A JPEG for each frame, by libjpeg-turbo, which leaves gray parts of a coloured picture gray.

    FFmpeg's own takes three times as long, and has no JPEG without colours.

    Raises:
        ValueError: Frames of this size cannot be encoded.
    """

    def __init__(self, container: OutputContainer, width: int, height: int, gray: bool) -> None:
        if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
            raise ValueError
        self._stream = container.add_mux_stream("mjpeg", rate=_NOMINAL_RATE, width=width, height=height)
        self._shape = (height, width) if gray else (height, width, 3)
        self._options = (cv2.IMWRITE_JPEG_QUALITY, _GRAY_QUALITY if gray else _COLOUR_QUALITY)

    def encode(self, pixels: NDArray[np.uint8], time_ms: int) -> list[av.Packet[Any]]:
        if pixels.shape != self._shape:
            # The file would be written all the same, and hold pictures of another size.
            raise ValueError(f"frames of {self._shape} were announced, not of {pixels.shape}")
        blue_first = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        _made, content = cv2.imencode(".jpg", blue_first, self._options)
        packet = packet_of(content.tobytes())
        packet.stream, packet.time_base = self._stream, _TICK
        packet.pts = packet.dts = time_ms
        packet.is_keyframe = True
        return [packet]

    def rest(self) -> list[av.Packet[Any]]:
        return []
