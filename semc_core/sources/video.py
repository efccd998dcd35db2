"""Video files: mp4, mov, avi, mkv, mpeg, gif and what else FFmpeg reads, through PyAV."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from semc_core.errors import SourceError
from semc_core.io.process import usable_cores
from semc_core.language import N_, _
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, Deinterlace, PictureOptions
from semc_core.sources.accelerated import Decode, open_to_decode
from semc_core.sources.avi import AviIndex
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.containers import picture_stream
from semc_core.sources.decoders import FileDecoder, is_disposable
from semc_core.sources.frames.decoded import is_full, luma_of
from semc_core.sources.frames.deinterlace import Deinterlacer, said_of_marked
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.frames.times import Arrival, FrameClock, FrameNumbers
from semc_core.sources.frames.upright import Upright, pixel_aspect
from semc_core.sources.frames.watched import ReadingWatch
from semc_core.sources.left_out import left_out_sentence
from semc_core.types import SourceInfo

_LOG = logging.getLogger(__name__)

HIDES_FRAMES = ("vp8", "libvpx")
"""Decoders of formats in which some packets hold a frame that is only referred to, and never shown."""
WITHOUT_TIMES: Final = ("avi", "h264", "hevc")
FREELY_ORDERED: Final = ("h264", "hevc")
"""In containers that store no presentation times FFmpeg guesses them, for these codecs wrongly."""
_MAX_FAILURES = 16
"""Reads that fail one after the other before the rest of the file is given up."""
_MOST_HELD: Final = 32
"""Frames that are kept at most until all that they lean on has come."""
_DAMAGED: Final = N_("Parts of the file are damaged; frames may be missing or wrong there.")


class VideoSource(BaseSource):
    """Every frame of a video file in presentation order, with the file's own times, starting at 0.

    A frame that is damaged is left out and told in `info.notice`; those behind it keep their numbers and
    times, and it does not end the file. `options` say how the pictures are read, `decode` by what.

    Raises:
        SourceError: The file is not there, not a video, or holds no picture.
    """

    def __init__(self, path: Path | str, options: PictureOptions = AS_IT_IS, decode: Decode = "auto") -> None:
        path = Path(path)
        self._options = options
        self._container, said = open_to_decode(path, decode)
        try:
            stream = picture_stream(self._container, path.name)
            rate = stream.average_rate or stream.guessed_rate
            self._clock = FrameClock(stream.time_base, rate)
            self._numbers = frame_numbers(self._container, stream)
            self._decoder = FileDecoder(stream, min(4, usable_cores()))
            self._held: deque[tuple[av.VideoFrame, Arrival]] = deque()
            self._avi = AviIndex(self._container, stream, path)
            self._aspect = pixel_aspect(stream.sample_aspect_ratio)
            self._pictures = StreamPictures(stream.codec_context, stream.sample_aspect_ratio, options)
            self._deinterlacer: Deinterlacer[tuple[int, float]] = Deinterlacer(self._combs_of(options))
            self._watch = ReadingWatch(options)
            self._frames = self._decode(stream)
            self._damaged = 0
            self._number = 0
            self._left_out: list[int] = []
            self._told_damage = ""
            self._stored: tuple[int, int] | None = None
            # Only the first frame tells the size after rotation, and whether there is any picture.
            super().__init__(_info(path.name, stream, rate), options)
            self._add_notice(said)
            self._first = next(self._frames, None)
            if self._first is None:
                raise SourceError(
                    _("{name} holds no picture that could be decoded; check the file.", name=path.name)
                )
            shown = self._first.picture
            self._info = replace(self._info, width=shown.width, height=shown.height)
        except av.FFmpegError as error:
            self._container.close()
            raise SourceError(
                _("{name} cannot be decoded; export it as MP4 (H.264).", name=path.name)
            ) from error
        except BaseException:
            self._container.close()
            raise

    @property
    def damaged(self) -> Sequence[int]:
        """See `BaseSource.damaged`."""
        return self._left_out

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
        for packet, place in self._promising(stream):
            expected += packet is not None and packet.size > 0 and not packet.is_discard
            for answer in self._decoder.decode(packet, place):
                if answer.error is not None:
                    self._numbers.fail(answer.place)
                    self._report_damage(answer.error)
                decoded += len(answer.frames)
                for place_of_frame, frame in answer.frames:
                    if (arrival := self._numbers.arrived(frame, place_of_frame)) is not None:
                        self._held.append((frame, arrival))
                    yield from self._released()
        self._numbers.end()
        yield from self._released(all_of_them=True)
        yield from self._made(self._deinterlacer.gap())
        for stamp in self._numbers.rest():
            self._leave_out(self._clock.time_at(stamp, None, stream.time_base))
        if decoded < expected and stream.codec_context.name not in HIDES_FRAMES:
            self._report_damage(None)

    def _released(self, *, all_of_them: bool = False) -> Iterator[Grabbed]:
        """Those of the kept frames of which it is known whether they are whole, with number and time."""
        while self._held:
            frame, arrival = self._held[0]
            waits = not self._numbers.is_known(arrival) and len(self._held) <= _MOST_HELD
            if waits and not all_of_them:
                return
            self._held.popleft()
            lost, stamp = arrival.lost, arrival.pts
            if self._numbers.deals:
                lost, stamp = self._numbers.stamp_of(frame)
            spoilt = self._numbers.is_spoilt(arrival)
            if lost or spoilt:
                yield from self._made(self._deinterlacer.gap())
            for each in lost:
                self._leave_out(self._clock.time_at(each, None, frame.time_base))
            pts_s = self._clock.time_at(stamp, frame.dts, frame.time_base)
            if spoilt:
                self._leave_out(pts_s)
                continue
            self._tell_of(frame)
            if (luma := luma_of(frame)) is not None:
                marked = frame.interlaced_frame
                self._add_notice(self._watch.saw(luma, is_full(frame), pts_s, marked=marked))
            number, self._number = self._number, self._number + 1
            yield from self._made(self._deinterlacer.put(frame, (number, pts_s)))

    def _made(self, shown: Iterator[tuple[tuple[int, float], av.VideoFrame]]) -> Iterator[Grabbed]:
        """Pictures of frames that are ready, each with its number and time."""
        for (number, pts_s), frame in shown:
            yield Grabbed(self._picture(frame, pts_s), pts_s, index=number)

    def _combs_of(self, options: PictureOptions) -> Deinterlace:
        """From which frames combs are removed."""
        return options.deinterlace

    def _picture(self, frame: av.VideoFrame, pts_s: float) -> Picture:
        """What is shown of a whole frame, whose time is `pts_s`."""
        del pts_s
        return self._pictures.of(frame)

    def _leave_out(self, pts_s: float) -> None:
        """A frame that was to be shown at `pts_s` is damaged."""
        del pts_s
        self._left_out.append(self._number)
        self._number += 1
        self._report_damage(None)

    def _promising(self, stream: VideoStream) -> Iterator[tuple[Packet[VideoStream] | None, int]]:
        """The packets, each with its own time stamps, and promised to the frames' numbers: at which place."""
        last: int | None = None
        headless = behind_key = False
        for packet in self._packets(stream):
            place = -1
            if packet is not None and (packet := self._avi.mended(packet)) is None:
                continue
            if packet is not None and packet.size > 0 and not packet.is_discard:
                for stamp in self._avi.lost_between(last, packet.dts):
                    self._numbers.promise(stamp, stamp, lost=True)
                    headless = headless or (last is None and not stream.codec_context.codec.intra_only)
                last = packet.dts
                alone = is_disposable(packet, stream.codec_context.name)
                begun = headless and packet.is_keyframe
                behind_key = behind_key and alone
                headless = headless and not begun
                if headless or behind_key:
                    # It leans on the beginning, which is not there: some decoders give nothing, others gray.
                    self._numbers.promise(packet.dts, packet.dts, lost=True, alone=alone)
                    continue
                behind_key = behind_key or begun
                key = packet.is_keyframe
                place = self._numbers.promise(packet.pts, packet.dts, key=key, alone=alone)
            elif packet is None or packet.dts is None:
                for stamp in self._avi.lost_behind(last):
                    self._numbers.promise(stamp, stamp, lost=True)
            yield packet, place

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

    # What is told

    def _report_damage(self, error: av.FFmpegError | None) -> None:
        self._damaged += 1
        if self._damaged == 1:
            # Without the file's name: it may hold the patient's, and logs hold no patient data.
            _LOG.warning("Damaged video data: %s", type(error).__name__ if error else "mended or left out")
        said = _(_DAMAGED)
        if self._left_out:
            said = left_out_sentence(self._left_out)
        if said != self._told_damage:
            self._replace_notice(self._told_damage, said)
            self._told_damage = said

    def _tell_of(self, frame: av.VideoFrame) -> None:
        """What the user should know of how this frame is shown."""
        if self._clock.derived == 1:
            self._add_notice(_("Times missing from the file were filled in from its frame rate."))
        if self._numbers.mended:
            self._add_notice(
                _("The file holds times of decoding only; the frames are shown in order at its frame rate.")
            )
        if frame.interlaced_frame:
            self._add_notice(said_of_marked(self._options.deinterlace))
        size = frame.height, frame.width
        if size == self._stored:
            return
        if self._stored is not None:
            self._add_notice(_("The size of the pictures changes within the file; each is used as it is."))
        elif self._aspect != 1 and self._options.aspect == "auto":
            shown = Upright(self._aspect).shape(*size)
            self._add_notice(
                _(
                    "Its pixels are not square ({aspect}): {stored} are shown as {shown}.",
                    aspect=f"{self._aspect.numerator}:{self._aspect.denominator}",
                    stored=f"{size[1]} x {size[0]}",
                    shown=f"{shown[1]} x {shown[0]}",
                )
            )
        self._stored = size


def frame_numbers(container: InputContainer, stream: VideoStream) -> FrameNumbers:
    """What tells the frames of `stream` apart."""
    context, form = stream.codec_context, container.format.name
    return FrameNumbers(
        sorts=(form in WITHOUT_TIMES and context.name in FREELY_ORDERED and form != "avi")
        or (form == "avi" and context.has_b_frames),
        counts=context.name not in HIDES_FRAMES,
        leans=not context.codec.intra_only,
        depth=max(2, context.reorder_depth),
        # A gradual refresh begins at a packet that is marked as a key, and at no such frame.
        doubts_keys=context.name not in FREELY_ORDERED,
    )


def _info(name: str, stream: VideoStream, rate: Fraction | None) -> SourceInfo:
    return SourceInfo(
        source_id=name,
        kind="video",
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        frame_rate=float(rate) if rate else None,
        frame_count=stream.frames or None,
        live=False,
    )
