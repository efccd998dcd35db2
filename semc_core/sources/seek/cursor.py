"""One decoder at one place of a video file, which can go forward from there or begin anew elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from semc_core.io.process import usable_cores
from semc_core.picture_options import PictureOptions
from semc_core.sources.avi import AviIndex
from semc_core.sources.containers import open_container, picture_stream
from semc_core.sources.decoders import FileDecoder
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.seek.index import Start, VideoIndex, check_of

_THREADS: Final = max(2, min(8, usable_cores()))
_FAILURES: Final = 16
_CAN_SKIP: Final = ("h264", "hevc", "mpeg4")
"""Decoders that leave out exactly the packets they were told to, and not those in work around them.

Not MPEG-1 and -2: damage may swallow the next packet, and is seen in the one that is decoded only.
"""
_REACH: Final = 24
"""Frames behind one that may be decoded before it."""
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
        self._decoder = FileDecoder(stream, self._threads)
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
        trusts = index.checks is not None or context.codec.intra_only
        waiting = _Waiting(index)
        for number, packet in enumerate(self._packets_from(start), start.packet):
            if number == skip_to:
                context.skip_frame = "DEFAULT"
            for answer in self._decoder.decode(packet):
                if answer.error is not None and not trusts:
                    # A sequential read leaves this frame out too, and those that lean on it.
                    return
                for _, frame in answer.frames:
                    if frame.is_corrupt:
                        if begun and not trusts:
                            # What leans on it is left out there, too: the packets do not tell which.
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
                    yield from waiting.behind(known, frame)
            if naming.lost:
                return
        yield from waiting.rest()

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


class _Waiting:
    """Frames that lean on others shown after them, and are given once these have come.

    Whether those are damaged is not known before. Where the pixels of the frames are known, nothing waits.
    """

    def __init__(self, index: VideoIndex) -> None:
        self._packets = index.packets if index.checks is None else None
        self._held: deque[tuple[int, av.VideoFrame]] = deque()

    def behind(self, known: int, frame: av.VideoFrame) -> Iterator[tuple[int, av.VideoFrame]]:
        """The frame `known` came: those that can be given now."""
        self._held.append((known, frame))
        while self._held and self._last_before(self._held[0][0]) <= known:
            yield self._held.popleft()

    def rest(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """At the end: those that are left."""
        yield from self._held

    def _last_before(self, known: int) -> int:
        """The last frame whose packet comes before that of the frame `known`."""
        if self._packets is None:
            return known
        behind = self._packets[known + 1 : known + 1 + _REACH] < self._packets[known]
        return known + 1 + int(np.flatnonzero(behind)[-1]) if behind.any() else known


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
