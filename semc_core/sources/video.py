"""Video files: mp4, mov, avi, mkv, mpeg, gif and what else FFmpeg reads, through PyAV.

What video files and network streams share: from PyAV's frames to pixels and times.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from semc_core.errors import SourceError
from semc_core.io.process import usable_cores
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.decoded import is_monochrome, picture_of
from semc_core.types import SourceInfo

_LOG = logging.getLogger(__name__)

# Only containers, and only this file: a play list named .mp4 must not make us fetch other files or addresses,
# nor may a text file be drawn as a picture.
_CONTAINERS = (
    "mov,mp4,matroska,webm,avi,mpeg,mpegvideo,mpegts,gif,asf,flv,ogg,h264,hevc,m4v,mjpeg,apng,dv,mxf,nut,ivf,"
    "yuv4mpegpipe,vc1,rm,obu,av1"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
HIDES_FRAMES = ("vp8", "libvpx")
"""Decoders of formats in which some packets hold a frame that is only referred to, and never shown."""
_MAX_FAILURES = 16
"""Reads that fail one after the other before the rest of the file is given up."""


class VideoSource(BaseSource):
    """Every frame of a video file in presentation order, with the file's own times, starting at 0.

    A damaged stretch is skipped and told in `info.notice`; it does not end the file.

    Raises:
        SourceError: The file is not there, not a video, or holds no picture.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        self._container = open_container(path)
        try:
            stream = picture_stream(self._container, path.name)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = min(4, usable_cores())
            rate = stream.average_rate or stream.guessed_rate
            self._clock = FrameClock(stream.time_base, rate)
            self._monochrome = is_monochrome(stream)
            self._frames = self._decode(stream)
            self._damaged = 0
            # Only the first frame tells the size after rotation, and whether there is any picture.
            super().__init__(_info(path.name, stream, rate))
            self._first = next(self._frames, None)
            if self._first is None:
                raise SourceError(f"{path.name} holds no picture that could be decoded; check the file.")
            height, width = self._first.picture.height, self._first.picture.width
            self._info = _info(path.name, stream, rate, width, height, self._info.notice)
        except BaseException:
            self._container.close()
            raise

    def _grab(self) -> Grabbed | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._frames, None)

    def _release(self) -> None:
        self._frames.close()
        self._container.close()

    def _decode(self, stream: VideoStream) -> Generator[Grabbed, None, None]:
        expected = decoded = 0
        for packet in self._packets(stream):
            expected += packet is not None and packet.size > 0 and not packet.is_discard
            try:
                frames = stream.codec_context.decode(None) if packet is None else packet.decode()
            except av.FFmpegError as error:
                self._report_damage(error)
                continue
            for frame in frames:
                if isinstance(frame, av.VideoFrame):
                    decoded += 1
                    yield self._grabbed(frame)
        if decoded < expected and stream.codec_context.name not in HIDES_FRAMES:
            self._report_damage(None)

    def _grabbed(self, frame: av.VideoFrame) -> Grabbed:
        if frame.is_corrupt:
            self._report_damage(None)
        pts_s = self._clock.time_of(frame)
        if self._clock.derived == 1:
            self._add_notice("Times missing from the file were filled in from its frame rate.")
        return Grabbed(picture_of(frame, monochrome=self._monochrome), pts_s)

    def _packets(self, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
        """The packets, going on behind what cannot be read. The last, empty or None, flushes the decoder."""
        failures = 0
        while True:
            try:
                for packet in self._container.demux(stream):
                    failures = 0
                    yield packet
                return
            except av.FFmpegError as error:
                failures += 1
                self._report_damage(error)
                if failures == _MAX_FAILURES:
                    _LOG.warning("Gave up reading behind damaged video data")
                    yield None
                    return

    def _report_damage(self, error: av.FFmpegError | None) -> None:
        self._damaged += 1
        if self._damaged == 1:
            # Without the file's name: it may hold the patient's, and logs hold no patient data.
            _LOG.warning("Damaged video data: %s", type(error).__name__ if error else "mended or left out")
            self._add_notice("Parts of the file are damaged; frames may be missing or wrong there.")


def open_container(path: Path) -> InputContainer:
    """Open a video file, and nothing that it may name.

    Raises:
        SourceError: It is not there, or no video.
    """
    try:
        # Else a name with a colon would be taken for an address.
        return av.open(f"file:{path}", options=_OPTIONS)
    except FileNotFoundError as error:
        raise SourceError(f"{path.name} was not found; check the name.") from error
    except PermissionError as error:
        raise SourceError(f"{path.name} may not be read; check its permissions.") from error
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path.name} cannot be opened as a video; it is damaged, cut short, or in another format."
        ) from error


def picture_stream(container: InputContainer, name: str) -> VideoStream:
    """The stream of pictures that is shown.

    Raises:
        SourceError: There is none.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise SourceError(f"{name} holds no pictures, only sound or text; choose a video.")
    return stream


def _info(
    name: str, stream: VideoStream, rate: Fraction | None, width: int = 0, height: int = 0, notice: str = ""
) -> SourceInfo:
    return SourceInfo(
        source_id=name,
        kind="video",
        width=width or stream.codec_context.width,
        height=height or stream.codec_context.height,
        frame_rate=float(rate) if rate else None,
        frame_count=stream.frames or None,
        live=False,
        notice=notice,
    )


class FrameClock:
    """Seconds since the first frame, for frames given in presentation order.

    Uses the time stamps of the file; where a frame has none, or one that lies before the frame ahead of it,
    the frame rate fills in, and `derived` counts it.

    Args:
        time_base: Seconds per tick of a time stamp; None where the stream does not say.
        rate: Frames per second; None where unknown (then 25 is taken).
    """

    def __init__(self, time_base: Fraction | None, rate: Fraction | None) -> None:
        self._time_base = time_base
        self._period_s = 1 / rate if rate else Fraction(1, 25)
        self._offset_s: Fraction | None = None
        self._last_s: Fraction | None = None
        self._by_pts = True
        self.derived = 0

    def time_of(self, frame: av.VideoFrame) -> float:
        """Seconds; 0.0 for the first frame, never decreasing."""
        return self.time_at(frame.pts, frame.dts, frame.time_base)

    def time_at(self, pts: int | None, dts: int | None, time_base: Fraction | None) -> float:
        """As `time_of`, for a frame known by its time stamps only, in ticks of `time_base` seconds."""
        stamp_s = self._stamp_of(pts, dts, time_base)
        if self._last_s is None:
            self._offset_s = stamp_s
            self._last_s = Fraction(0)
            self.derived += stamp_s is None
            return 0.0
        if stamp_s is not None and self._offset_s is None:
            self._offset_s = stamp_s - self._last_s - self._period_s
        now_s = None if stamp_s is None or self._offset_s is None else stamp_s - self._offset_s
        if now_s is None or now_s < self._last_s:
            self.derived += 1
            now_s = self._last_s + self._period_s
            # A jump back (clips joined end to end): what follows is counted from here.
            self._offset_s = None if stamp_s is None else stamp_s - now_s
        self._last_s = now_s
        return float(now_s)

    def _stamp_of(self, pts: int | None, dts: int | None, time_base: Fraction | None) -> Fraction | None:
        if self._last_s is None:
            # AVI stores no presentation times; the order of decoding then gives them, shifted by a constant.
            self._by_pts = pts is not None
        ticks = pts if self._by_pts else dts
        base = time_base or self._time_base
        return None if ticks is None or base is None else ticks * base
