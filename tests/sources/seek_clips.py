"""Clips that are hard to seek in, and the comparison with reading them in order.

As a program: `python -m tests.capture.seek_clips [--seeks 200] [FILE ...]` compares random seeks in these
clips, or in the files given, and prints what it saw.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.io.video_encoder import VideoWriter
from semc_core.io.video_quality import Quality
from semc_core.picture import gray_of
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.seek.base import SeekableSource
from semc_core.sources.seek.video import SeekableVideo
from semc_core.types import FramePacket
from tests.sources.capture_clips import read_all, write_images, write_video

COUNT = 70
_KEPT = 6


def noisy(index: int) -> NDArray[np.uint8]:
    """uint8 (96, 128, 3): a coarse pattern that moves, under noise, so that every frame leans on others."""
    rng = np.random.default_rng(index)
    coarse = np.random.default_rng(0).integers(0, 200, (12, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    moved = coarse[:, 2 * index % 150 :][:, :128]
    return (moved + rng.integers(0, 40, moved.shape, dtype=np.uint8)).astype(np.uint8)


def encode(
    path: Path,
    codec: str,
    options: dict[str, str] | None = None,
    *,
    gop: int = 30,
    b_frames: int = 3,
    ticks: Sequence[int] | None = None,
    count: int = COUNT,
) -> Path:
    """A clip of noisy frames at 30 frames/s, or at `ticks` milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 128, 96
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 1_500_000
        stream.codec_context.gop_size = gop
        if codec not in ("mjpeg", "ffv1", "libvpx"):
            stream.codec_context.max_b_frames = b_frames
        stream.codec_context.time_base = Fraction(1, 1000 if ticks else 30)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(noisy(index), format="rgb24").reformat(format=stream.pix_fmt)
            frame.pts = ticks[index] if ticks else index
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def record(path: Path, *, gray: bool) -> Path:
    """A clip of noisy frames at 30 frames/s, as the recorder writes it to be compact."""
    with VideoWriter(path, 128, 96, gray=gray, quality=Quality.COMPACT) as writer:
        for index in range(COUNT):
            pixels = noisy(index)
            writer.write(gray_of(pixels) if gray else pixels, index * 1000 // 30)
    return path


def _x264(params: str) -> dict[str, str]:
    return {"preset": "veryfast", "x264-params": f"scenecut=0:{params}"}


def _ticks(count: int = COUNT) -> list[int]:
    """Uneven times: pauses, bursts."""
    steps = np.random.default_rng(5).choice([1, 7, 33, 40, 500], count)
    return [int(tick) for tick in np.cumsum(steps)]


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def _damaged(path: Path) -> Path:
    """Some packets in the middle overwritten."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in places[40:43]:
        data[place + 20 : place + size - 20] = b"\xff" * (size - 40)
    path.write_bytes(data)
    return path


OPEN = "open-gop=1:keyint=30:bframes=3:b-pyramid=normal"
KINDS: dict[str, Callable[[Path], Path]] = {
    "open groups, mp4": lambda d: encode(d / "a.mp4", "libx264", _x264(OPEN)),
    "open groups, mkv": lambda d: encode(d / "a.mkv", "libx264", _x264(OPEN)),
    "open groups, ts": lambda d: encode(d / "a.ts", "libx264", _x264(OPEN)),
    "open groups, mpeg": lambda d: encode(d / "a.mpeg", "mpeg2video", gop=12, b_frames=2),
    "gradual refresh": lambda d: encode(
        d / "a.mp4", "libx264", _x264("intra-refresh=1:keyint=30"), b_frames=0
    ),
    "one key frame": lambda d: encode(d / "a.mp4", "libx264", _x264("keyint=infinite:bframes=3")),
    "variable rate, mp4": lambda d: encode(d / "a.mp4", "libx264", _x264(OPEN), ticks=_ticks()),
    "variable rate, mkv": lambda d: encode(d / "a.mkv", "libx264", _x264(OPEN), ticks=_ticks()),
    "no times, avi": lambda d: encode(d / "a.avi", "libx264", _x264("keyint=30:bframes=2")),
    "mpeg-4, avi": lambda d: encode(d / "a.avi", "mpeg4", b_frames=2),
    "hidden frames, vp8": lambda d: encode(
        d / "a.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "8"}
    ),
    "vp9": lambda d: encode(
        d / "a.webm", "libvpx-vp9", {"cpu-used": "8", "deadline": "realtime"}, b_frames=0
    ),
    "av1": lambda d: encode(d / "a.mp4", "libsvtav1", {"preset": "12"}, b_frames=0),
    "a plane's clip": lambda d: encode(
        d / "a.mp4", "libvpx-vp9", {"cpu-used": "8", "deadline": "realtime", "lag-in-frames": "0"}, b_frames=0
    ),
    "recording, gray": lambda d: record(d / "a.mkv", gray=True),
    "recording, colours": lambda d: record(d / "a.mkv", gray=False),
    "mjpeg, mov": lambda d: encode(d / "a.mov", "mjpeg"),
    "gif": lambda d: write_video(d / "a.gif", 40),
    "cut short": lambda d: _cut(encode(d / "a.mkv", "libx264", _x264(OPEN))),
    "damaged, mjpeg": lambda d: _damaged(encode(d / "a.mkv", "mjpeg")),
    "damaged, h264": lambda d: _damaged(encode(d / "a.mkv", "libx264", _x264("keyint=30:bframes=3"))),
    "images": lambda d: write_images(d / "images"),
}


def order_of(count: int, seeks: int, seed: int = 1) -> list[int]:
    """Random places, then steps back and forth from the last."""
    picked = random.Random(seed)
    order = [picked.randrange(count) for _ in range(seeks)]
    return [*order, *(max(0, order[-1] - step) for step in range(1, 9)), min(count - 1, order[-1] + 1), 0]


def put_made(into: list[FramePacket | None], make: Callable[[], FramePacket | None]) -> None:
    """Make a packet of a frame that came up on the way, and put it there."""
    into.append(make())


def first_difference(source: SeekableSource, expected: Sequence[FramePacket], order: Sequence[int]) -> str:
    """Where reading `source` in `order` differs from `expected`, in words; "" if nowhere.

    A frame that `expected` lacks is damaged, and may not be given.
    """
    by_number = {packet.index: packet for packet in expected}
    for index in order:
        if index not in by_number:
            try:
                source.frame(index)
            except SourceError:
                continue
            return f"frame {index}: given although it is damaged"
        on_the_way: list[FramePacket | None] = []
        # Half of them as somebody who watches does, for whom other frames are read ahead.
        watching = (lambda: False) if index % 2 else None
        got = source.frame(index, watching, partial(put_made, on_the_way))
        wanted = by_number[index]
        if (got.source_id, got.index, got.pts_s) != (wanted.source_id, wanted.index, wanted.pts_s):
            return (
                f"frame {index}: {got.index} at {got.pts_s} s instead of {wanted.index} at {wanted.pts_s} s"
            )
        if got.pixels.shape != wanted.pixels.shape or not np.array_equal(got.pixels, wanted.pixels):
            return f"frame {index}: other pixels"
        for packet in on_the_way:
            if packet is None or packet.index >= index:
                return f"on the way to frame {index}: {packet and packet.index}"
            if not np.array_equal(packet.pixels, by_number[packet.index].pixels):
                return f"frame {packet.index}, on the way to {index}: other pixels"
    numbers, times_s = numbers_and_times(expected)
    count = numbers[-1] + 1
    if not source.settled or not source.count == source.info.frame_count == count:
        return f"{source.count} frames instead of {count}"
    return "" if np.array_equal(source.times_s[numbers], times_s) else "other times"


def numbers_and_times(packets: Sequence[FramePacket]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What a sequential read tells `SeekableSource.confirm`."""
    return (
        np.array([packet.index for packet in packets], np.int64),
        np.array([packet.pts_s for packet in packets], np.float64),
    )


def compare(path: Path, seeks: int) -> tuple[str, list[float]]:
    """The first difference between random and sequential reading of a file, and how long each seek took."""
    expected = read_all(open_source(str(path)))
    source, taken_s = open_seekable(path), []
    try:
        source.confirm(*numbers_and_times(expected))
        source.frame(0)  # of a file that has to be decoded to be indexed, waits for that
        if isinstance(source, SeekableVideo):
            # All of a small clip would be kept, and few seeks would be seeks.
            source._decoder.kept.limit = _KEPT * expected[0].picture.nbytes
        for index in order_of(expected[-1].index + 1, seeks):
            begun_s = time.perf_counter()
            problem = first_difference(source, expected, [index])
            taken_s.append(time.perf_counter() - begun_s)
            if problem:
                return problem, taken_s
    finally:
        source.close()
    return "", taken_s


def main() -> int:
    """Returns how many files differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seeks", type=int, default=200)
    args = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        clips = {path.name: path for path in args.files}
        for number, (name, make) in enumerate([] if clips else KINDS.items()):
            folder = Path(scratch, str(number))
            folder.mkdir()
            clips[name] = make(folder)
        for name, path in clips.items():
            problem, taken_s = compare(path, args.seeks)
            p50, p95 = np.percentile(np.array(taken_s) * 1000, (50, 95))
            told = problem or "none wrong"
            print(f"{name:40} {len(taken_s):4} reads  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {told}")
            wrong += bool(problem)
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
