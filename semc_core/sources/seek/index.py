"""Where the frames of a video file are: their times, and the packets at which decoding can begin.

The packets tell it of nearly every file, in a fraction of a second and without decoding. Where they do not
(times missing or double, frames that are not shown, damage), the whole file is decoded once.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeVar

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import Grabbed
from semc_core.sources.decoded import picture_of
from semc_core.sources.video import (
    HIDES_FRAMES,
    FrameClock,
    VideoSource,
    open_container,
    picture_stream,
)

T = TypeVar("T", bound=np.generic)

_WITHOUT_TIMES: Final = ("avi", "h264", "hevc")
_FREELY_ORDERED: Final = ("h264", "hevc")
"""In containers that store no presentation times FFmpeg guesses them, for these codecs wrongly."""

_NOTHING: Final = Picture(np.zeros((1, 1), np.uint8))


@dataclass(frozen=True, slots=True)
class Start:
    """A packet at which a decoder can begin.

    Attributes:
        frame: Index of its frame, in the order of showing. Frames before it need an earlier start.
        packet: Its number, in the order of decoding.
        pts: Its presentation time stamp, ticks; None where the file has none.
        dts: Its decoding time stamp, ticks.
        position: Its place in the file, bytes.
    """

    frame: int
    packet: int
    pts: int | None
    dts: int | None
    position: int | None


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """All frames of a file in the order of showing, N of them. Arrays are read-only.

    Attributes:
        times_s: float64 (N,), as `VideoSource` gives them.
        stamps: int64 (N,), ascending time stamps by which a decoded frame is known; None if some are missing
            or double.
        packets: int64 (N,), number of each frame's packet in the order of decoding; None if not known.
        checks: uint32 (N,), checksum of each frame's pixels; None if they were not decoded.
        starts: Ascending; the first is the beginning of the file.
    """

    times_s: NDArray[np.float64]
    stamps: NDArray[np.int64] | None
    packets: NDArray[np.int64] | None
    checks: NDArray[np.uint32] | None
    starts: tuple[Start, ...]

    def __len__(self) -> int:
        return len(self.times_s)

    def index_of(self, stamp: int | None) -> int | None:
        """Which frame has this time stamp; None if none has."""
        if self.stamps is None or stamp is None:
            return None
        index = int(np.searchsorted(self.stamps, stamp))
        return index if index < len(self.stamps) and self.stamps[index] == stamp else None


def index_by_packets(path: Path) -> VideoIndex | None:
    """The index from the packets alone; None if they do not tell it.

    Raises:
        SourceError: The file cannot be opened.
    """
    with open_container(path) as container:
        stream = picture_stream(container, path.name)
        name = stream.codec_context.name
        if name in HIDES_FRAMES or (container.format.name in _WITHOUT_TIMES and name in _FREELY_ORDERED):
            return None
        rate = stream.average_rate or stream.guessed_rate
        try:
            packets = [
                (packet.pts, packet.dts, packet.pos, packet.is_keyframe, packet.is_discard, packet.is_corrupt)
                for packet in container.demux(stream)
                if packet.size > 0
            ]
        except av.FFmpegError:
            return None
        base = stream.time_base
    stamps = np.array([-1 if packet[0] is None else packet[0] for packet in packets], np.int64)
    shown = np.array([not packet[4] for packet in packets], np.bool_)
    damaged = any(packet[5] for packet in packets)
    if damaged or not shown.any() or any(packet[0] is None for packet in packets):
        return None
    numbers = np.flatnonzero(shown)
    numbers = numbers[np.argsort(stamps[numbers], kind="stable")]
    ordered = stamps[numbers]
    if len(ordered) > 1 and int(np.diff(ordered).min()) <= 0:
        return None
    frame_of = {int(number): frame for frame, number in enumerate(numbers)}
    starts = [Start(0, 0, packets[0][0], packets[0][1], packets[0][2])]
    for number, (pts, dts, position, is_key, _, _) in enumerate(packets):
        frame = frame_of.get(number)
        if is_key and frame is not None and frame > starts[-1].frame:
            starts.append(Start(frame, number, pts, dts, position))
    times_s = _times_of(ordered, base, rate)
    return VideoIndex(_frozen(times_s), _frozen(ordered), _frozen(numbers), None, tuple(starts))


def _times_of(stamps: NDArray[np.int64], base: Fraction | None, rate: Fraction | None) -> NDArray[np.float64]:
    """What `FrameClock` says of ascending stamps, ticks of `base` seconds; to the last bit, but quicker."""
    if base is None:
        clock = FrameClock(base, rate)
        return np.array([clock.time_at(stamp, None, base) for stamp in stamps.tolist()], np.float64)
    # Whole numbers below 2**53 are exact, so there is one rounding, as from a fraction.
    ticks = ((stamps - stamps[0]) * base.numerator).astype(np.float64)
    return np.asarray(ticks / base.denominator, np.float64)


class DecodingIndexer:
    """Makes the index by decoding the whole file once, exactly as a sequential read does. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            SourceError: It cannot be opened.
        """
        self._source = _Recorder(path)

    def run(self, stopped: Callable[[], bool]) -> VideoIndex | None:
        """Decode to the end; None if `stopped` said so before. Closes the file.

        Raises:
            SourceError: The file broke off.
        """
        source = self._source
        try:
            while source.read() is not None:
                if stopped():
                    return None
            return source.index()
        finally:
            source.close()


def check_of(frame: av.VideoFrame) -> int:
    """A checksum of the frame's pixels as they are shown; the decoder's own lines end in random bytes."""
    return zlib.crc32(picture_of(frame).pixels.data)


class _Recorder(VideoSource):
    """A sequential read that remembers what it saw, but no pixels."""

    def __init__(self, path: Path) -> None:
        self._stamps: list[int | None] = []
        self._checks: list[int] = []
        self._times_s: list[float] = []
        self._key_frames: list[int] = []
        self._key_packets: list[Start] = []
        self._packets_seen = 0
        super().__init__(path)

    def _grabbed(self, frame: av.VideoFrame) -> Grabbed:
        time_s = max(self._clock.time_of(frame), self._times_s[-1] if self._times_s else 0.0)
        if frame.key_frame:
            self._key_frames.append(len(self._times_s))
        self._stamps.append(frame.pts)
        self._checks.append(check_of(frame))
        self._times_s.append(time_s)
        return Grabbed(_NOTHING, time_s)

    def _packets(self, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
        for packet in super()._packets(stream):
            if packet is not None and packet.size > 0:
                if packet.is_keyframe:
                    self._key_packets.append(
                        Start(-1, self._packets_seen, packet.pts, packet.dts, packet.pos)
                    )
                self._packets_seen += 1
            yield packet

    def index(self) -> VideoIndex:
        """What was seen, after the last frame."""
        if not self._times_s:
            raise SourceError(
                f"{self.info.source_id} holds no picture that could be decoded; check the file."
            )
        known = [stamp for stamp in self._stamps if stamp is not None]
        ascending = all(low < high for low, high in itertools.pairwise(known))
        whole = len(known) == len(self._stamps) and ascending
        return VideoIndex(
            _frozen(np.array(self._times_s, np.float64)),
            _frozen(np.array(known, np.int64)) if whole else None,
            None,
            _frozen(np.array(self._checks, np.uint32)),
            tuple(self._starts()),
        )

    def _starts(self) -> Iterator[Start]:
        """The key packets whose frame is known for certain."""
        yield Start(0, 0, None, None, None)
        frames = self._key_frames
        if len(frames) != len(self._key_packets):
            by_stamp = {self._stamps[frame]: frame for frame in frames}
            frames = [-1 if start.pts is None else by_stamp.get(start.pts, -1) for start in self._key_packets]
        last = 0
        for frame, start in zip(frames, self._key_packets, strict=True):
            if frame > last:
                last = frame
                yield Start(frame, start.packet, start.pts, start.dts, start.position)


def _frozen(values: NDArray[T]) -> NDArray[T]:
    values.flags.writeable = False
    return values
