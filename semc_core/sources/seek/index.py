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
from typing import Final, NamedTuple, TypeVar

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, Deinterlace, PictureOptions
from semc_core.sources.avi import AviIndex
from semc_core.sources.containers import open_container, picture_stream
from semc_core.sources.frames.decoded import picture_of
from semc_core.sources.frames.times import FrameClock
from semc_core.sources.frames.upright import Upright
from semc_core.sources.video import FREELY_ORDERED, HIDES_FRAMES, WITHOUT_TIMES, VideoSource

T = TypeVar("T", bound=np.generic)

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
        stamps: int64 (M,), ascending time stamps by which a decoded frame is known; None if some are missing
            or double.
        packets: int64 (N,), number of each frame's packet in the order of decoding; None if not known.
        checks: uint32 (N,), checksum of each frame's pixels; None if they were not decoded.
        whole: int64 (M,), ascending, the frames that a sequential read gives; None if those are all N.
        starts: Ascending; the first is the beginning of the file.
    """

    times_s: NDArray[np.float64]
    stamps: NDArray[np.int64] | None
    packets: NDArray[np.int64] | None
    checks: NDArray[np.uint32] | None
    starts: tuple[Start, ...]
    whole: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    def index_of(self, stamp: int | None) -> int | None:
        """Which frame has this time stamp; None if none has."""
        if self.stamps is None or stamp is None:
            return None
        place = int(np.searchsorted(self.stamps, stamp))
        if place == len(self.stamps) or self.stamps[place] != stamp:
            return None
        return place if self.whole is None else int(self.whole[place])

    def is_damaged(self, index: int) -> bool:
        """Whether a sequential read leaves this frame out; False where that is not known."""
        return self.follows(index - 1) != index

    def follows(self, index: int) -> int:
        """The first frame after `index` that is not damaged; the number of frames if none is."""
        if self.whole is None:
            return index + 1
        place = int(np.searchsorted(self.whole, index, side="right"))
        return int(self.whole[place]) if place < len(self.whole) else len(self)


class _Packet(NamedTuple):
    """What is kept of a packet."""

    pts: int | None
    dts: int | None
    position: int | None
    is_keyframe: bool
    is_discard: bool
    is_corrupt: bool

    @classmethod
    def of(cls, packet: Packet[VideoStream], promised: AviIndex) -> _Packet:
        position = packet.pos
        packet = promised.mended(packet) or packet
        return cls(packet.pts, packet.dts, position, packet.is_keyframe, packet.is_discard, packet.is_corrupt)

    def start(self, frame: int, number: int) -> Start:
        return Start(frame, number, self.pts, self.dts, self.position)


def index_by_packets(path: Path) -> VideoIndex | None:
    """The index from the packets alone; None if they do not tell it.

    Raises:
        SourceError: The file cannot be opened.
    """
    with open_container(path) as container:
        stream = picture_stream(container, path.name)
        name = stream.codec_context.name
        if name in HIDES_FRAMES or (container.format.name in WITHOUT_TIMES and name in FREELY_ORDERED):
            return None
        rate = stream.average_rate or stream.guessed_rate
        promised = AviIndex(container, stream, path)
        try:
            packets = [_Packet.of(packet, promised) for packet in container.demux(stream) if packet.size > 0]
        except av.FFmpegError:
            return None
        if promised.lost_any([packet.dts for packet in packets]):
            return None
        base = stream.time_base
    stamps = np.array([-1 if packet.pts is None else packet.pts for packet in packets], np.int64)
    shown = np.array([not packet.is_discard for packet in packets], np.bool_)
    damaged = any(packet.is_corrupt for packet in packets)
    if damaged or not shown.any() or any(packet.pts is None for packet in packets):
        return None
    numbers = np.flatnonzero(shown)
    numbers = numbers[np.argsort(stamps[numbers], kind="stable")]
    ordered = stamps[numbers]
    if len(ordered) > 1 and int(np.diff(ordered).min()) <= 0:
        return None
    frame_of = {int(number): frame for frame, number in enumerate(numbers)}
    starts = [packets[0].start(0, 0)]
    for number, packet in enumerate(packets):
        frame = frame_of.get(number)
        if packet.is_keyframe and frame is not None and frame > starts[-1].frame:
            starts.append(packet.start(frame, number))
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

    def __init__(self, path: Path, options: PictureOptions = AS_IT_IS) -> None:
        """Open the file; `options` say how its pictures are read, on which notices depend.

        Raises:
            SourceError: It cannot be opened.
        """
        self._source = _Recorder(path, options)

    @property
    def notice(self) -> str:
        """What a sequential read tells of the file."""
        return self._source.info.notice

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
    """A checksum of the frame's pixels as they are stored; the decoder's own lines end in random bytes."""
    return zlib.crc32(picture_of(frame, upright=Upright()).pixels.data)


class _Recorder(VideoSource):
    """A sequential read that remembers what it saw, but no pixels."""

    def __init__(self, path: Path, options: PictureOptions) -> None:
        self._stamps: list[int | None] = []
        self._checks: list[int] = []
        self._times_s: list[float] = []
        self._key_frames: list[int] = []
        self._key_packets: list[Start] = []
        self._packets_seen = 0
        super().__init__(path, options)

    def _combs_of(self, options: PictureOptions) -> Deinterlace:
        # The checks are of what the decoder gives.
        return "off"

    def _picture(self, frame: av.VideoFrame, pts_s: float) -> Picture:
        if frame.key_frame:
            self._key_frames.append(len(self._times_s))
        self._remember(frame.pts, check_of(frame), pts_s)
        return _NOTHING

    def _leave_out(self, pts_s: float) -> None:
        super()._leave_out(pts_s)
        # Its own time stamp would lead a decoder to what cannot be shown.
        self._remember(None, 0, pts_s)

    def _remember(self, stamp: int | None, check: int, pts_s: float) -> None:
        self._stamps.append(stamp)
        self._checks.append(check)
        self._times_s.append(max(pts_s, self._times_s[-1] if self._times_s else 0.0))

    def _promising(self, stream: VideoStream) -> Iterator[tuple[Packet[VideoStream] | None, int]]:
        for packet, place in super()._promising(stream):
            if packet is not None and packet.size > 0:
                if packet.is_keyframe:
                    self._key_packets.append(
                        Start(-1, self._packets_seen, packet.pts, packet.dts, packet.pos)
                    )
                self._packets_seen += 1
            yield packet, place

    def index(self) -> VideoIndex:
        """What was seen, after the last frame."""
        damaged = set(self._left_out)
        whole = [frame for frame in range(len(self._times_s)) if frame not in damaged]
        if not whole:
            raise SourceError(
                _("{name} holds no picture that could be decoded; check the file.", name=self.info.source_id)
            )
        return VideoIndex(
            _frozen(np.array(self._times_s, np.float64)),
            self._ascending(whole),
            None,
            _frozen(np.array(self._checks, np.uint32)),
            tuple(self._starts()),
            _frozen(np.array(whole, np.int64)) if damaged else None,
        )

    def _ascending(self, whole: list[int]) -> NDArray[np.int64] | None:
        known = [stamp for frame in whole if (stamp := self._stamps[frame]) is not None]
        ascending = all(low < high for low, high in itertools.pairwise(known))
        return _frozen(np.array(known, np.int64)) if len(known) == len(whole) and ascending else None

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
