"""Where the frames of a session are: in its recording, or in the file that it was made from.

The recording of a live scan at random, its frames with the index and time that they had in the scan.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.language import N_, _, joined
from semc_core.picture_options import AS_IT_IS, BEFORE_OPTIONS, PictureOptions
from semc_core.session.recording.parts import (
    PartTable,
    RecordedSource,
    part_videos,
    picture_in,
    read_table,
    unreadable,
    videos_there,
)
from semc_core.session.records import SourceEntry, file_sha256
from semc_core.session.view import SessionView
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.seek.base import GiveUp, KnownTimes, Passed, SeekableSource
from semc_core.sources.seek.video import CACHE_BYTES, SeekableVideo
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket, SourceInfo


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """Where a session's frames are.

    Attributes:
        path: The session's folder, where they were recorded; or the file or folder of images that the session
            was made from; None if they are nowhere.
        recorded: Whether they are in the session's recording.
        frame_rate: Of a folder of images, frames per second.
        options: How the pictures of the file are read; those of a recording are as they were shown.
        missing: Why they are nowhere and what helps, a sentence; else "". Of a scan from no file in English,
            as exports have it.
    """

    path: Path | None
    recorded: bool = False
    frame_rate: float | None = None
    options: PictureOptions = AS_IT_IS
    missing: str = ""

    def seekable(self) -> SeekableSource:
        """Open them for reading at random.

        Raises:
            SourceError: They are nowhere, or cannot be opened.
            SessionError: The table of a recording is damaged.
        """
        if self.path is None:
            raise SourceError(_(self.missing))
        if self.recorded:
            return SeekableRecording(self.path)
        return open_seekable(self.path, self.frame_rate, options=self.options)

    def in_order(self) -> FrameSource:
        """Open them for reading one after the other. Raises as `seekable`."""
        if self.path is None:
            raise SourceError(_(self.missing))
        if self.recorded:
            return RecordedSource(self.path)
        return open_source(str(self.path), frame_rate=self.frame_rate, options=self.options)


def loop_place(session: SessionView, known: Path | None = None) -> LoopPlace:
    """Where the frames of a session are now. The one rule, for all who show, export or classify them.

    That is its recording, if that holds a frame; else the file that it was made from, if it still has its
    SHA-256. A folder of images has none, and is known by its place.

    Args:
        session: Which; it may be open for looking only.
        known: Where the file is now, if that is known to be the same; else it is hashed where it was.

    Raises:
        SourceError: The file is there and cannot be read.
        SessionError: The table of a recording, or the log, is damaged.
    """
    if recorded_videos(session.folder):
        return LoopPlace(session.folder, recorded=True)
    source = session.source
    if source.path is None:
        return LoopPlace(None, missing=_not_recorded(session))
    path, name = known or Path(source.path), source.source_id
    try:
        if not path.exists():
            missing = _(
                "The loop {name} is no longer where it was; put it back, or open it in the window where it "
                "is now.",
                name=name,
            )
        elif known is None and not _is_same(path, source):
            missing = _("The loop {name} was changed since it was analysed; put the old one back.", name=name)
        else:
            return LoopPlace(
                path, frame_rate=source.frame_rate, options=source.picture_options or BEFORE_OPTIONS
            )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        text = N_("The loop {name} cannot be read ({reason}); check it, or put it back.")
        raise SourceError(_(text, name=name, reason=reason)) from error
    return LoopPlace(None, missing=missing)


def loop_of(session: SessionView) -> SeekableSource | None:
    """The frames of a session at random, `settled`; None if they are nowhere.

    Few files have to be decoded for that, and are waited for. Raises as `loop_place` and `seekable`.
    """
    place = loop_place(session)
    if place.path is None:
        return None
    source = place.seekable()
    try:
        if not session.source.live:
            # Where packets promise frames that cannot be decoded, those of the log tell.
            table = session.frames()
            source.confirm(table.index, table.pts_s, complete=session.complete)
        if not source.settled:
            source.frame(0)  # waits for that
    except BaseException:
        source.close()
        raise
    return source


def recorded_videos(folder: Path) -> list[Path]:
    """The videos of a session's recording that hold frames; a kill may leave one without any.

    Raises:
        SessionError: The table of a part is damaged.
    """
    return [video for video in part_videos(folder) if len(read_table(video))]


def _is_same(path: Path, source: SourceEntry) -> bool:
    """Whether what is at `path` is what the session was made from. Raises OSError."""
    return source.sha256 is None if path.is_dir() else file_sha256(path) == source.sha256


def _not_recorded(session: SessionView) -> str:
    """Why there are no frames of a scan that was made from no file, in English."""
    if videos_there(session.folder):
        return N_("The recording of this scan holds no frame that can be shown.")
    if session.recordings:
        return N_("The recording of this scan is gone; put its files back into the session's folder.")
    return N_("This scan was not recorded.")


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
            text = N_("This session has no recording; record the scan, or open another session.")
            fault = SourceError(_(text))
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
            notice=joined(dict.fromkeys(notices)),
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
            text = N_("The recording has no frame {index}; choose one below {count}.")
            raise SourceError(_(text, index=index, count=self.count))
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
            picture=picture_in(packet, colour),
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
        return self.table.pts_s[[row for _frame, row in self.places]]
