"""The recording of a live scan at random, its frames with the index and time that they had in the scan."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.io.video_encoder import as_gray, as_rgb
from semc_core.session.recording.parts import PartTable, part_videos, read_table, unreadable
from semc_core.sources.base import SourceInfo
from semc_core.sources.seek.base import GiveUp, Passed
from semc_core.sources.seek.times import KnownTimes
from semc_core.sources.seek.video import CACHE_BYTES, SeekableVideo
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket, read_only


class SeekableRecording(KnownTimes):
    """See `SeekableSource`: frame k is the k-th that `RecordedSource` gives.

    `FramePacket.index` is the frame's index in the scan; where frames were lost to the recording it jumps.
    `times_s` are those of the scan; the first need not be 0. They are known from the start: the packets of
    our own recordings tell what these hold. A part that cannot be read is left out; `info.notice` names it.
    """

    def __init__(self, folder: Path) -> None:
        """Open all parts of the recording in a session's folder.

        Raises:
            SourceError: The session has no recording, or none of its parts can be read.
            SessionError: The table of a part is damaged.
        """
        self._parts: list[_Part] = []
        notices: list[str] = []
        try:
            tables = [(video, read_table(video)) for video in part_videos(folder)]
            filled = [(video, table) for video, table in tables if len(table)]
            fault = SourceError("This session has no recording; record the scan, or open another session.")
            for video, table in filled:
                try:
                    self._parts.append(_Part(video, table, CACHE_BYTES // len(filled)))
                except SourceError as error:
                    # A kill came before its first picture was written, say; the others are whole.
                    fault = error
                    notices.append(unreadable(video))
                else:
                    part = self._parts[-1]
                    notices.append(part.video.info.notice if part.places else unreadable(video))
            if not any(part.places for part in self._parts):
                raise fault
        except BaseException:
            self.close()
            raise
        self._firsts = np.cumsum([0, *(len(part.places) for part in self._parts)])
        super().__init__(np.concatenate([part.times_s() for part in self._parts]))
        first = self._parts[0].video.info
        self._info = SourceInfo(
            "recording", "video", first.width, first.height, None, self.count, live=False,
            notice=" ".join(notice for notice in dict.fromkeys(notices) if notice),
        )  # fmt: skip

    @property
    def info(self) -> SourceInfo:
        """See `SeekableSource`."""
        return self._info

    def number_of(self, index: int) -> int:
        """See `SeekableSource`."""
        if not 0 <= index < self.count:
            return index
        part, place = self._place(index)
        return int(part.table.index[part.places[place][1]])

    def frame(self, index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        """See `SeekableSource`."""
        if not 0 <= index < self.count:
            raise SourceError(f"The recording has no frame {index}; choose one below {self.count}.")
        part, place = self._place(index)

        def joined(make: Callable[[], FramePacket | None]) -> FramePacket | None:
            found = make()
            for earlier in range(place, -1, -1):
                if found is not None and part.places[earlier][0] == found.index:
                    return self._joined(part, earlier, index - place + earlier, found)
            return None

        passed_here = None if passed is None else lambda make: passed(partial(joined, make))
        found = part.video.frame(part.places[place][0], give_up, passed_here)
        return self._joined(part, place, index, found)

    def close(self) -> None:
        """See `SeekableSource`."""
        for part in self._parts:
            part.video.close()

    def _place(self, index: int) -> tuple[_Part, int]:
        """The part that holds frame `index`, and the frame's place among those of the part."""
        number = int(np.searchsorted(self._firsts, index, "right")) - 1
        return self._parts[number], index - int(self._firsts[number])

    def _joined(self, part: _Part, place: int, index: int, packet: FramePacket) -> FramePacket:
        row = part.places[place][1]
        colour = int(part.table.channels[row]) == 3
        return replace(
            packet,
            source_id=self._info.source_id,
            index=int(part.table.index[row]),
            pts_s=float(self._times_s[index]),
            captured_s=time.monotonic(),
            pixels=read_only(as_rgb(packet.pixels) if colour else as_gray(packet.pixels)),
        )


class _Part:
    """One video, its table, and which frame of the video is which row of the table."""

    def __init__(self, path: Path, table: PartTable, cache_bytes: int) -> None:
        first = VideoSource(path)
        info = first.info
        first.close()
        self.table = table
        self.video = SeekableVideo(path, info, cache_bytes)
        try:
            rows = {int(time_ms): row for row, time_ms in enumerate(table.time_ms)}
            if not self.video.settled:
                # Cut off by a kill: what is there is known when it was decoded.
                with suppress(SourceError):
                    self.video.frame(0)
            timed = enumerate(round(time_s * 1000) for time_s in self.video.times_s.tolist())
            self.places = [(frame, rows[time_ms]) for frame, time_ms in timed if time_ms in rows]
        except BaseException:
            self.video.close()
            raise

    def times_s(self) -> NDArray[np.float64]:
        """The times in the scan, float64."""
        return self.table.pts_s[[row for _, row in self.places]]
