"""One part of a recording: a video, and beside it the table that says which frame each picture is.

`recording.mkv` and `recording.csv`, `recording-2.mkv` and `recording-2.csv`, and so on, in the session's
folder. The table is written line by line as the frames are, so it ends where the video ends, give or take
what a kill cut off; pictures and lines are joined by the time in the file. It is begun before the video: no
kill leaves pictures of which nothing is said.

Reading a recording back: the frames as they were, with their index and exact time in the source.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError, SourceError
from semc_core.io.atomic import save_error
from semc_core.io.private import new_private_file
from semc_core.io.regular import read_regular
from semc_core.io.video_encoder import VideoWriter, as_gray, as_rgb
from semc_core.io.video_quality import Quality
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket, SourceInfo

T = TypeVar("T", bound=np.generic)

VIDEO_SUFFIX: Final = ".mkv"
TABLE_SUFFIX: Final = ".csv"

_STEM: Final = "recording"
_NAME: Final = re.compile(rf"{_STEM}(?:-([2-9]|[1-9]\d+))?\{VIDEO_SUFFIX}", re.ASCII)
_HEADER: Final = "frame_index,pts_s,time_ms,channels"


@dataclass(frozen=True, slots=True, eq=False)
class PartTable:
    """The lines of a part's table, in the order of the frames. Arrays are read-only.

    Attributes:
        index: int64 (N,), index in the source.
        pts_s: float64 (N,), exact presentation time in the source, seconds.
        time_ms: int64 (N,), time in the video, milliseconds; rising.
        channels: uint8 (N,), 1 or 3: whether the frame was (H, W) or (H, W, 3). A picture without colour is
            stored as gray whatever it was.
    """

    index: NDArray[np.int64]
    pts_s: NDArray[np.float64]
    time_ms: NDArray[np.int64]
    channels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.index)


class PartWriter:
    """Write one part: frames of one size, with or without colour."""

    def __init__(self, folder: Path, width: int, height: int, *, gray: bool, quality: Quality) -> None:
        """Begin the next part in `folder`.

        Raises:
            SaveError: It cannot be made.
        """
        self.form = (width, height, gray)
        self.path = _new_part(folder)
        self._start_s: float | None = None
        table = self.path.with_suffix(TABLE_SUFFIX)
        try:
            self._table = os.fdopen(new_private_file(table), "w", encoding="ascii", newline="\n")
        except OSError as error:
            raise save_error(folder, error) from error
        try:
            self._line(_HEADER)
            self._video = VideoWriter(self.path, width, height, gray=gray, quality=quality)
        except BaseException:
            # Half a part would be taken for one that somebody added. The first fault is told.
            with suppress(OSError):
                self._table.close()
            for path in (self.path, table):
                with suppress(OSError):
                    path.unlink()
            raise

    @property
    def size_bytes(self) -> int:
        """Bytes of the video on the disk by now."""
        return self.path.stat().st_size

    def write(self, packet: FramePacket) -> None:
        """Append a frame.

        Raises:
            SaveError: The part can be written no further; what was written until now stays readable.
        """
        if self._start_s is None:
            self._start_s = packet.pts_s
        pixels = as_gray(packet.pixels) if self.form[2] else as_rgb(packet.pixels)
        time_ms = self._video.write(pixels, round((packet.pts_s - self._start_s) * 1000))
        channels = 3 if packet.picture.coloured else 1
        self._line(f"{packet.index},{packet.pts_s!r},{time_ms},{channels}")

    def close(self) -> None:
        """End both files. May be called twice.

        Raises:
            SaveError: The end could not be written; what was written before stays readable.
        """
        try:
            self._table.close()
        except OSError as error:
            raise save_error(self.path.parent, error) from error
        finally:
            self._video.close()

    def _line(self, text: str) -> None:
        try:
            self._table.write(f"{text}\n")
            # Not left in this program, where a kill would take it.
            self._table.flush()
        except OSError as error:
            raise save_error(self.path.parent, error) from error


def picture_in(packet: FramePacket, coloured: bool) -> Picture:
    """A recorded frame's picture as it was taken: a gray one may lie in a part that has colours."""
    if coloured == packet.picture.coloured:
        return packet.picture
    return Picture(as_rgb(packet.gray) if coloured else packet.gray)


def part_number(name: str) -> int | None:
    """The number of the part whose video has this name, from 1; None if no part's has."""
    found = _NAME.fullmatch(name)
    return None if found is None else int(found[1] or 1)


def videos_there(folder: Path) -> list[Path]:
    """The videos of the recordings in a session's folder, in order, also where one in between is gone."""
    found = {part_number(path.name): path for path in folder.glob(f"{_STEM}*{VIDEO_SUFFIX}")}
    return [found[number] for number in sorted(number for number in found if number is not None)]


def part_videos(folder: Path) -> list[Path]:
    """As `videos_there`; those without a table, which nothing says the frames of, are left out."""
    return [video for video in videos_there(folder) if video.with_suffix(TABLE_SUFFIX).is_file()]


def unreadable(video: Path) -> str:
    """The sentence about a part that is left out."""
    return _("{name}, a part of the recording, cannot be read; its frames are missing here.", name=video.name)


def read_table(video: Path) -> PartTable:
    """The table beside `video`. A last line that a kill cut short is left out.

    Raises:
        SessionError: It is missing or is not such a table.
    """
    try:
        text = read_regular(video.with_suffix(TABLE_SUFFIX)).decode("ascii")
        header, *lines = text.split("\n")[:-1] or [""]
        if header != _HEADER and text:
            raise ValueError
        rows = [line.split(",") for line in lines]
        return PartTable(
            _fixed(np.array([int(row[0]) for row in rows], np.int64)),
            _fixed(np.array([float(row[1]) for row in rows], np.float64)),
            _fixed(np.array([int(row[2]) for row in rows], np.int64)),
            _fixed(np.array([int(row[3]) for row in rows], np.uint8)),
        )
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise SessionError(
            _(
                "The table of a recording is missing or damaged; without it nothing says which frames it "
                "holds."
            )
        ) from error


def _fixed(values: NDArray[T]) -> NDArray[T]:
    values.flags.writeable = False
    return values


def remove_parts(folder: Path, videos: Iterable[str]) -> None:
    """Delete parts, each video before its table.

    Raises:
        SaveError: One could not be deleted.
    """
    try:
        for name in videos:
            (folder / name).unlink(missing_ok=True)
            (folder / name).with_suffix(TABLE_SUFFIX).unlink(missing_ok=True)
    except OSError as error:
        raise save_error(folder, error) from error


def _new_part(folder: Path) -> Path:
    for number in itertools.count(1):
        video = folder / _name(number)
        if not video.exists() and not video.with_suffix(TABLE_SUFFIX).exists():
            return video
    raise AssertionError("unreachable")


def _name(number: int) -> str:
    return f"{_STEM}{VIDEO_SUFFIX}" if number == 1 else f"{_STEM}-{number}{VIDEO_SUFFIX}"


class RecordedSource(BaseSource):
    """All parts of a session's recording, one after the other.

    Frames have the index and time of the scan, so that they can be joined to its results; where frames were
    lost to the recording there is a gap. A picture without a line in the table, and a line without a picture,
    both of which a kill can leave at the end, are left out. A part that cannot be read is left out too, which
    `info.notice` says once reading got there.

    Raises:
        SourceError: The session has no recording, or none that can be opened.
        SessionError: The table of a part is damaged.
    """

    def __init__(self, folder: Path) -> None:
        tables = [(video, read_table(video)) for video in part_videos(folder)]
        self._parts = [(video, table) for video, table in tables if len(table)]
        if not self._parts:
            raise SourceError(_("This session has no recording; record the scan, or open another session."))
        count = sum(len(table) for _video, table in self._parts)
        self._waiting = iter(self._parts)
        self._rows: dict[int, int] = {}
        self._problem: SourceError | None = None
        self._left_out: list[str] = []
        first = self._next_part()
        if first is None:
            raise self._problem or AssertionError("unreachable")
        self._video, self._table = first
        seen = self._video.info
        super().__init__(
            SourceInfo(
                "recording", "video", seen.width, seen.height, None, count, live=False, notice=seen.notice
            )
        )
        self._tell_left_out()

    def _next_part(self) -> tuple[VideoSource, PartTable] | None:
        for video, table in self._waiting:
            try:
                opened = VideoSource(video)
            except SourceError as error:
                # A kill within the first quarter of a second of a part leaves no picture in it.
                self._problem = error
                self._left_out.append(unreadable(video))
                continue
            self._rows = {int(time_ms): row for row, time_ms in enumerate(table.time_ms)}
            return opened, table
        return None

    def _grab(self) -> Grabbed | None:
        while True:
            packet = self._video.read()
            if packet is None:
                part = self._next_part()
                self._tell_left_out()
                if part is None:
                    return None
                self._video.close()
                self._video, self._table = part
                continue
            row = self._rows.get(round(packet.pts_s * 1000))
            if row is None:
                continue
            colour = int(self._table.channels[row]) == 3
            return Grabbed(
                picture=picture_in(packet, colour),
                pts_s=float(self._table.pts_s[row]),
                index=int(self._table.index[row]),
            )

    def _tell_left_out(self) -> None:
        for sentence in self._left_out:
            self._add_notice(sentence)

    def _release(self) -> None:
        self._video.close()
