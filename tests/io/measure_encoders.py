"""What each encoder that could write our videos costs, and how close it stays.

`python -m tests.io.measure_encoders`: the same frames of a simulated scan, 1280x720, gray and with a box in
colours, go through every candidate in turn, in one process. Printed for each: processor time of encoding a
frame (of all threads) and of decoding it, size of a minute at 30 frames/s, likeness of the luma (PSNR in dB,
of all pixels together), and the most frames that it held back, which a kill would lose. H.264 by x264 is
there to be compared with; nothing of ours uses it.
"""

from __future__ import annotations

import argparse
import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeAlias, cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semc_core.phantom.scan import SimulatedScan

WIDTH, HEIGHT, RATE = 1280, 720, 30
PacketsOf: TypeAlias = Callable[["NDArray[np.uint8] | None", int], "list[av.Packet[Any]]"]
"""Of a frame and its number; None asks for what was held back."""
_FAST_VP9: Final = {"b": "0", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
_ONLY_BEFORE: Final = "pred-struct=1"
"""No frame of SVT-AV1 leans on a later one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoder with its settings.

    Attributes:
        use: What it would be used for: "record", "clip" or "render".
        codec: FFmpeg's name; "libjpeg" is OpenCV's own.
        options: As FFmpeg names them.
        key_every: Frames from one key picture to the next; 0 leaves it to the encoder.
        full_range: Whether black is 0 and white 255.
        gray: Pixel format of frames without colour.
        colour: Pixel format of frames with colour.
    """

    use: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    key_every: int = 0
    full_range: bool = False
    gray: str = "yuv420p"
    colour: str = "yuv420p"

    @property
    def name(self) -> str:
        """As it is printed."""
        settings = " ".join(f"{key}={value}" for key, value in self.options.items())
        keys = f" key picture every {self.key_every}" if self.key_every else ""
        return f"{self.use}: {self.codec} {settings}{keys}"


def _quantised(use: str, codec: str, steps: str, key_every: int = 0) -> Iterator[Candidate]:
    """With every frame quantised alike."""
    for step in steps:
        yield Candidate(use, codec, {"qmin": step, "qmax": step}, key_every, use == "record")


def candidates() -> Iterator[Candidate]:
    """All of them, that which was used before first."""
    before = {"preset": "ultrafast", "tune": "zerolatency", "crf": "17", "bf": "0"}
    yield Candidate("record", "libx264", before, 6, True, "gray")
    yield Candidate("record", "libjpeg", {"gray": "87", "colour": "91"}, 1, True, "gray")
    yield Candidate("record", "libjpeg", {"gray": "95", "colour": "95"}, 1, True, "gray")
    lossless = {"level": "3", "slices": "4", "slicecrc": "1"}
    yield Candidate("record", "ffv1", lossless, 1, True, "gray", "bgr0")
    yield from _quantised("record", "mjpeg", "23", 1)
    yield from _quantised("record", "mpeg4", "23", 6)
    yield Candidate("record", "libvpx-vp9", {**_FAST_VP9, "crf": "16"}, 6, True)
    fast_av1 = {"preset": "13", "crf": "12", "svtav1-params": _ONLY_BEFORE}
    yield Candidate("record", "libsvtav1", fast_av1, 6, True)

    yield Candidate("clip", "libx264", {"preset": "veryfast", "crf": "18"})
    for crf in ("24", "27", "30"):
        yield Candidate("clip", "libvpx-vp9", {**_FAST_VP9, "crf": crf}, 30)
    for preset in ("12", "10"):
        yield Candidate("clip", "libsvtav1", {"preset": preset, "crf": "18"}, 30)
    yield from _quantised("clip", "mpeg4", "4", 30)

    yield Candidate("render", "libx264", {"crf": "18", "preset": "veryfast", "x264-params": "mbtree=0"})
    yield from _quantised("render", "mpeg4", "345")


def scan_frames(count: int) -> list[NDArray[np.uint8]]:
    """uint8 (720, 1280) of the simulated scan."""
    scan = SimulatedScan(2007, count / RATE, WIDTH, HEIGHT, float(RATE))
    return [scan.frame(index) for index in range(count)]


def with_colours(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (720, 1280, 3): a box of a quarter of the picture in colours, as where flow is shown."""
    rgb = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    box = (slice(HEIGHT // 4, HEIGHT * 3 // 4), slice(WIDTH // 4, WIDTH * 3 // 4))
    rgb[box] = cv2.applyColorMap(rgb[box], cv2.COLORMAP_JET)
    return np.asarray(rgb, np.uint8)


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As an encoder is given it, at the full range."""
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def encode(one: Candidate, frames: list[NDArray[np.uint8]]) -> tuple[bytes, float, int]:
    """A Matroska file, processor seconds, and the most frames held back."""
    content = io.BytesIO()
    begun_s = time.process_time()
    held = most_held = 0
    with av.open(content, "w", format="matroska") as container:
        packets_of = _jpeg(container, one) if one.codec == "libjpeg" else _ffmpeg(container, one, frames[0])
        for number, pixels in enumerate(frames):
            packets = packets_of(pixels, number)
            held += 1 - len(packets)
            most_held = max(most_held, held)
            container.mux(packets)
        container.mux(packets_of(None, len(frames)))
    return content.getvalue(), time.process_time() - begun_s, most_held


def _ffmpeg(container: OutputContainer, one: Candidate, first: NDArray[np.uint8]) -> PacketsOf:
    stream = cast(VideoStream, container.add_stream(one.codec, rate=RATE, options=one.options))
    stream.width, stream.height = WIDTH, HEIGHT
    stream.pix_fmt = one.gray if first.ndim == 2 else one.colour
    context = stream.codec_context
    context.thread_count = 1
    color_range = context.color_range = ColorRange.JPEG if one.full_range else ColorRange.MPEG
    if one.key_every:
        context.gop_size = one.key_every

    def packets_of(pixels: NDArray[np.uint8] | None, number: int) -> list[av.Packet[Any]]:
        if pixels is None:
            return stream.encode(None)
        frame = av.VideoFrame.from_ndarray(pixels, "gray" if pixels.ndim == 2 else "rgb24")
        frame.color_range = ColorRange.JPEG
        frame = frame.reformat(format=stream.pix_fmt, dst_color_range=color_range)
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        return stream.encode(frame)

    return packets_of


def _jpeg(container: OutputContainer, one: Candidate) -> PacketsOf:
    stream = container.add_mux_stream("mjpeg", rate=RATE, width=WIDTH, height=HEIGHT)

    def packets_of(pixels: NDArray[np.uint8] | None, number: int) -> list[av.Packet[Any]]:
        if pixels is None:
            return []
        quality = int(one.options["gray" if pixels.ndim == 2 else "colour"])
        blue_first = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        _, content = cv2.imencode(".jpg", blue_first, (cv2.IMWRITE_JPEG_QUALITY, quality))
        packet = av.Packet(content.tobytes())
        packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, RATE), True
        packet.pts = packet.dts = number
        return [packet]

    return packets_of


def decode(content: bytes) -> tuple[list[NDArray[np.uint8]], float]:
    """The luma of every frame at the full range, and processor seconds of decoding."""
    with av.open(io.BytesIO(content), "r") as container:
        container.streams.video[0].codec_context.thread_count = 1
        begun_s = time.process_time()
        frames = list(container.decode(video=0))
        seconds = time.process_time() - begun_s
        return [np.asarray(each.to_ndarray(format="gray"), np.uint8) for each in frames], seconds


def likeness_db(given: list[NDArray[np.uint8]], got: list[NDArray[np.uint8]]) -> float:
    """PSNR of all pixels together."""
    wrong = np.mean([np.mean((a.astype(np.float32) - b) ** 2) for a, b in zip(given, got, strict=True)])
    return math.inf if wrong == 0 else 10 * math.log10(255**2 / float(wrong))


def main() -> None:
    """Measure every candidate."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--frames", type=int, default=60)
    given = asked.parse_args()
    gray = scan_frames(given.frames)
    for name, frames in (("gray", gray), ("colours", [with_colours(each) for each in gray])):
        for one in candidates():
            content, encoding_s, held = encode(one, frames)
            got, decoding_s = decode(content)
            to_ms = 1000 / len(frames)
            likeness = likeness_db([luma(each) for each in frames], got)
            print(
                f"{encoding_s * to_ms:6.1f} ms  decoding {decoding_s * to_ms:5.1f} ms  "
                f"{len(content) / len(frames) * RATE * 60 / 1e6:5.0f} MB/min  "
                f"{likeness:5.1f} dB  {held:2} held  {name}, {one.name}",
                flush=True,
            )


if __name__ == "__main__":
    main()
