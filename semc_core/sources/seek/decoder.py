"""Decodes any frame of an indexed video with a few decoders, and keeps what was decoded.

One decoder at one place of a video file, which can go forward from there or begin anew elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semc_core.errors import SourceInterrupted
from semc_core.io.process import usable_cores
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.avi import AviIndex
from semc_core.sources.containers import open_container, picture_stream
from semc_core.sources.decoders import make_ready
from semc_core.sources.frames.deinterlace import deinterlaced, has_combs
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.seek.base import GiveUp, Passed
from semc_core.sources.seek.cache import ByteCache
from semc_core.sources.seek.index import Start, VideoIndex, check_of
from semc_core.types import FramePacket

_CURSORS: Final = 3
_REORDERED: Final = 24
"""Frames behind the wanted one whose packets may come before its own."""
_OVERSHOOT: Final = 24
"""Frames behind the wanted one after which it is not expected any more."""


class FrameDecoder:
    """For one thread at a time.

    Decoding begins at the last start before the wanted frame, or goes on with whichever of a few decoders is
    nearest. On the way there, frames that no other refers to are left out. Should that not lead to the
    frame, nothing is left out; then an earlier start is taken, in the end the beginning of the file.

    Attributes:
        kept: Packets by index of the frame.
        index: Of the file.
    """

    def __init__(
        self,
        path: Path,
        index: VideoIndex,
        cache_bytes: int,
        made: Callable[[int, Picture], FramePacket],
        options: PictureOptions = AS_IT_IS,
    ) -> None:
        """Open the file.

        Args:
            path: The file.
            index: Of the file.
            cache_bytes: Most bytes of packets to keep. Packets, because each decoder has a pool of its own
                for its frames, which never becomes smaller: to keep those would fill every pool.
            made: Makes a packet of the index and the pixels of a frame.
            options: How the pictures are read.

        Raises:
            SourceError: It cannot be opened.
        """
        self._path = path
        self.index = index
        self._start_frames = _start_frames(index)
        self.kept: ByteCache[FramePacket] = ByteCache(cache_bytes)
        self._made = made
        # To open a file takes some tens of milliseconds, too long for somebody who waits for a frame.
        self._cursors = [Cursor(path) for _ in range(_CURSORS)]
        self._pictures = self._cursors[0].pictures(options)
        self._wanted = options.deinterlace
        self._weaves = options.deinterlace == "on"
        self._near: dict[int, av.VideoFrame] = {}
        self._refused: set[int] = set()

    def begins_as_indexed(self) -> bool:
        """Whether the first decoded frames are those that the packets promise."""
        cursor = self._cursors[0]
        cursor.begin(self.index, self.index.starts[0])
        for wanted in range(min(4, len(self.index))):
            given = cursor.next()
            if given is None or given[0] != wanted:
                return False
            if not has_combs(given[1], self._wanted):
                self._keep(*given)
        return True

    def use(self, index: VideoIndex) -> None:
        """Go on by another index; what was decoded by the old one is forgotten."""
        self.index = index
        self._start_frames = _start_frames(index)
        for cursor in self._cursors:
            # One that goes on would name its frames by the old index.
            cursor.end()
        self.kept.clear()
        self._near.clear()
        self._refused.clear()

    def close(self) -> None:
        """Release the file."""
        for cursor in self._cursors:
            cursor.close()
        self._cursors = []
        self.kept.clear()
        self._near.clear()

    def decode(self, wanted: int, give_up: GiveUp, passed: Passed | None = None) -> FramePacket | None:
        """Decode the frame `wanted` and keep it; None if the file does not hold it.

        Raises:
            SourceInterrupted: It was given up. At least one frame was decoded first, so that whoever asks for
                another place all the time sees where that leads.
        """
        if not self._weaves:
            frame = self._raw(wanted, give_up, passed)
            if frame is None or not has_combs(frame, self._wanted):
                return None if frame is None else self._keep(wanted, frame)
            self._weaves = True
        return self._woven(wanted, give_up)

    def _woven(self, wanted: int, give_up: GiveUp) -> FramePacket | None:
        """The frame `wanted` as a sequential read shows it: made with those beside it, unless damaged."""
        near: dict[int, av.VideoFrame] = {}
        for index in range(max(0, wanted - 1), min(len(self.index), wanted + 2)):
            if self.index.is_damaged(index):
                continue
            frame = self._near.get(index) or self._raw(index, give_up, None)
            if frame is None:
                return None
            near[index] = frame
        self._near = near
        frame = near[wanted]
        if not has_combs(frame, self._wanted):
            return self._keep(wanted, frame)
        return self._keep(wanted, deinterlaced(near.get(wanted - 1), frame, near.get(wanted + 1)))

    def _raw(self, wanted: int, give_up: GiveUp, passed: Passed | None) -> av.VideoFrame | None:
        """The frame `wanted` as it is decoded; None if the file does not hold it."""
        cursor = self._nearest(wanted)
        if cursor is not None and (found := self._forward(cursor, wanted, give_up, passed)) is not None:
            return found
        for start in self._starts_before(wanted):
            for skip_to in dict.fromkeys((self._first_packet_from(wanted), -1)):
                cursor = self._free_cursor()
                if not cursor.begin(self.index, start, skip_to):
                    break
                if (found := self._forward(cursor, wanted, give_up, passed)) is not None:
                    return found
                if cursor.refused:
                    self._refused.add(start.packet)
                    break
        return None

    def _forward(
        self, cursor: Cursor, wanted: int, give_up: GiveUp, passed: Passed | None
    ) -> av.VideoFrame | None:
        """Go on with `cursor` until it gives the frame `wanted`; None if it does not."""
        while cursor.position < wanted + _OVERSHOOT:
            given = cursor.next()
            if given is None:
                return None
            index, frame = given
            if index == wanted:
                return frame
            if index < wanted and passed is not None and not has_combs(frame, self._wanted):
                passed(partial(self._packet, index, frame))
            if give_up():
                raise SourceInterrupted(f"Reading frame {wanted} of {self._path.name} was given up.")
        return None

    def _keep(self, index: int, frame: av.VideoFrame) -> FramePacket:
        packet = self._packet(index, frame)
        self.kept.put(index, packet.bare(), packet.picture.nbytes)
        return packet

    def kept_packet(self, index: int) -> FramePacket | None:
        """The packet if it is kept. What is made of its picture does not stay in the cache."""
        packet = self.kept.get(index)
        return None if packet is None else packet.bare()

    def _packet(self, index: int, frame: av.VideoFrame) -> FramePacket:
        return self._made(index, self._pictures.of(frame))

    def _nearest(self, wanted: int) -> Cursor | None:
        """The decoder that reaches `wanted` by going on, sooner than one that begins anew."""
        start = self.start_before(wanted)
        able = [
            cursor
            for cursor in self._cursors
            if cursor.going
            and start.frame <= cursor.position + 1 <= wanted
            and self._not_skipped(cursor, wanted)
        ]
        best = max(able, key=lambda cursor: cursor.position, default=None)
        if best is not None:
            self._cursors.remove(best)
            self._cursors.append(best)
        return best

    def _not_skipped(self, cursor: Cursor, wanted: int) -> bool:
        packets = self.index.packets
        return cursor.skipped_to < 0 or (packets is not None and int(packets[wanted]) > cursor.skipped_to)

    def _free_cursor(self) -> Cursor:
        """The decoder not used for longest."""
        cursor = self._cursors.pop(0)
        self._cursors.append(cursor)
        return cursor

    def start_before(self, wanted: int) -> Start:
        """Where decoding of `wanted` begins at best."""
        return next(self._starts_before(wanted))

    def _starts_before(self, wanted: int) -> Iterator[Start]:
        """Where decoding of `wanted` can begin: the nearest, the one before, then ever farther, the first."""
        place = int(np.searchsorted(self._start_frames, wanted, side="right")) - 1
        step = 1
        while place > 0:
            start = self.index.starts[place]
            if start.packet in self._refused:
                place -= 1
                continue
            yield start
            place, step = place - step, step * 2
        yield self.index.starts[0]

    def _first_packet_from(self, wanted: int) -> int:
        """Number of the first packet from which on all are decoded: no frame from `wanted` on lies before."""
        packets = self.index.packets
        return -1 if packets is None else int(packets[wanted : wanted + _REORDERED].min())


def _start_frames(index: VideoIndex) -> NDArray[np.int64]:
    """Index of the frame of each start, ascending."""
    return np.array([start.frame for start in index.starts], np.int64)


_THREADS: Final = max(2, min(8, usable_cores()))
_FAILURES: Final = 16
_CAN_SKIP: Final = ("h264", "hevc", "mpeg4")
"""Decoders that leave out exactly the packets they were told to, and not those in work around them.

Not MPEG-1 and -2: damage may swallow the next packet, and is seen in the one that is decoded only.
"""
_LEANING: Final = (PictureType.P, PictureType.B, PictureType.S, PictureType.BI)


class Cursor:
    """Decodes forward, frame after frame, each with its index. For one thread at a time.

    Attributes:
        position: Index of the last frame given; -1 before the first.
        skipped_to: Packets up to this number were decoded only as far as others need them.
        refused: The start turned out to be none: what is decoded from there is not what the file shows.
    """

    def __init__(self, path: Path, threads: int = _THREADS) -> None:
        self._path = path
        self._threads = threads
        self._container = open_container(path)
        self._stream = self._prepared()
        self._fresh = True
        self._frames: Generator[tuple[int, av.VideoFrame], None, None] | None = None
        self.position = -1
        self.skipped_to = -1
        self.refused = False

    def begin(self, index: VideoIndex, start: Start, skip_to: int = -1) -> bool:
        """Go to `start`. Packets before the number `skip_to` are decoded only if others refer to them.

        Returns:
            False if the file does not lead there.
        """
        self.end()
        self.refused = False
        fresh, self._fresh = self._fresh, False
        if self._stream.codec_context.name not in _CAN_SKIP:
            skip_to = -1
        self.position, self.skipped_to = start.frame - 1, skip_to - 1
        if start.packet == 0:
            # A fresh decoder on a fresh file: exactly what a sequential read does.
            if not fresh:
                self._container.close()
                self._container = open_container(self._path)
                self._stream = self._prepared()
        elif not self._seek(start):
            return False
        self._frames = self._decode(index, start, skip_to)
        return True

    def pictures(self, options: PictureOptions) -> StreamPictures:
        """What makes pictures of its frames, and of those of any other cursor on the same file."""
        return StreamPictures(self._stream.codec_context, self._stream.sample_aspect_ratio, options)

    @property
    def going(self) -> bool:
        """Whether there may be a next frame."""
        return self._frames is not None

    def next(self) -> tuple[int, av.VideoFrame] | None:
        """The next frame and its index; None at the end, or where frames can no longer be told apart."""
        found = None if self._frames is None else next(self._frames, None)
        if found is not None:
            self.position = found[0]
        return found

    def end(self) -> None:
        """Stop here; it can only begin anew."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def close(self) -> None:
        """Release the file."""
        self.end()
        self._container.close()

    def _prepared(self) -> VideoStream:
        stream = picture_stream(self._container, self._path.name)
        make_ready(stream, self._threads)
        self._avi = AviIndex(self._container, stream, self._path)
        return stream

    def _seek(self, start: Start) -> bool:
        ticks = start.pts if start.pts is not None else start.dts
        if ticks is None:
            return False
        with suppress(av.FFmpegError):
            self._container.seek(ticks, stream=self._stream, backward=True)
            return True
        return False

    def _decode(
        self, index: VideoIndex, start: Start, skip_to: int
    ) -> Generator[tuple[int, av.VideoFrame], None, None]:
        context = self._stream.codec_context
        context.skip_frame = "NONREF" if skip_to > start.packet else "DEFAULT"
        naming, begun = _Naming(index, start), start.packet == 0
        last, watches = start.frame - 1, index.checks is None and skip_to <= start.packet
        for number, packet in enumerate(self._packets_from(start), start.packet):
            if number == skip_to:
                context.skip_frame = "DEFAULT"
            try:
                frames = packet.decode()
            except av.FFmpegError:
                # A sequential read leaves this frame out too, and those that lean on it.
                if index.checks is None and not context.codec.intra_only:
                    return
                continue
            for frame in frames:
                if frame.is_corrupt:
                    if begun and index.checks is None and not context.codec.intra_only:
                        # What leans on it is left out there, too, and the packets do not tell which that is.
                        return
                    continue
                known = naming.index_of(frame)
                if known is None or known < start.frame:
                    # Frames ahead of the start's own lean on some that were not decoded.
                    continue
                if not begun and not _is_entry(frame, known, start):
                    self.refused = True
                    return
                if watches and begun and last >= start.frame and known != last + 1:
                    # One did not come, and those that lean on it are not to be trusted.
                    return
                begun, last = True, known
                yield known, frame
            if naming.lost:
                return

    def _packets_from(self, start: Start) -> Generator[Packet[VideoStream], None, None]:
        """The packets from `start` on, to the end; none if the file does not lead there."""
        reached, failures = start.packet == 0, 0
        while failures < _FAILURES:
            try:
                for each in self._container.demux(self._stream):
                    failures = 0
                    packet = self._avi.mended(each)
                    if packet is None:
                        continue
                    reached = reached or _is_start(packet, start)
                    if reached:
                        yield packet
                    elif _is_behind(packet, start):
                        return
                return
            except av.FFmpegError:
                failures += 1


class _Naming:
    """Tells which frame a decoded one is: by its time stamp, or else by counting from a start."""

    def __init__(self, index: VideoIndex, start: Start) -> None:
        self._index = index
        self._start = start
        self._count = index.follows(-1) if start.packet == 0 else None
        self._given = -1
        self.lost = False

    def index_of(self, frame: av.VideoFrame) -> int | None:
        """The frame's index; None if it is not one of the file's, or not as a sequential read has it."""
        index = self._index
        if index.stamps is not None:
            known = index.index_of(frame.pts)
            return known if known is not None and self._is_right(known, frame) else None
        if self._count is None:
            # Frames ahead of the start's own, in the order of showing, lean on what was not decoded.
            if self._is_right(self._start.frame, frame):
                self._count, self._given = self._start.frame, self._start.frame - 1
            else:
                return None
        known = self._count
        right = known < len(index) and self._is_right(known, frame)
        if not right and known - self._given > 1:
            # One of those between is damaged, and came all the same.
            self._given += 1
            return None
        self._count, self._given = index.follows(known), known
        self.lost = not right
        return known if right else None

    def _is_right(self, known: int, frame: av.VideoFrame) -> bool:
        checks = self._index.checks
        return checks is None or int(checks[known]) == check_of(frame)


def _is_entry(frame: av.VideoFrame, known: int, start: Start) -> bool:
    """Whether the first frame is the start's own, and whole by itself.

    With a gradual refresh a packet is marked as a start whose picture is complete only many frames later.
    """
    return known == start.frame and frame.pict_type not in _LEANING


def _is_start(packet: Packet[VideoStream], start: Start) -> bool:
    return packet.pts == start.pts if start.pts is not None else packet.pos == start.position


def _is_behind(packet: Packet[VideoStream], start: Start) -> bool:
    return packet.dts is not None and start.dts is not None and packet.dts > start.dts
