"""Reading a recording back: the frames as they were, with their index and exact time in the source."""

from __future__ import annotations

from pathlib import Path

from semc_core.errors import SourceError
from semc_core.io.video_encoder import as_gray, as_rgb
from semc_core.session.recording.parts import PartTable, part_videos, read_table, unreadable
from semc_core.sources.base import SourceInfo
from semc_core.sources.threaded import BaseSource, Grabbed
from semc_core.sources.video import VideoSource


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
            raise SourceError("This session has no recording; record the scan, or open another session.")
        count = sum(len(table) for _, table in self._parts)
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
                pixels=as_rgb(packet.pixels) if colour else as_gray(packet.pixels),
                pts_s=float(self._table.pts_s[row]),
                index=int(self._table.index[row]),
            )

    def _tell_left_out(self) -> None:
        for sentence in self._left_out:
            self._add_notice(sentence)

    def _release(self) -> None:
        self._video.close()
