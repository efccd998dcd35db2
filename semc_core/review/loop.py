"""Where the frames of a session are: in its recording, or in the file that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semc_core.errors import SourceError
from semc_core.review.recording import SeekableRecording
from semc_core.session.recording.parts import part_videos, read_table, videos_there
from semc_core.session.recording.recorded import RecordedSource
from semc_core.session.records import SourceEntry, file_sha256
from semc_core.session.view import SessionView
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_source
from semc_core.sources.seek.base import SeekableSource, open_seekable


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """Where a session's frames are.

    Attributes:
        path: The session's folder, where they were recorded; or the file or folder of images that the session
            was made from; None if they are nowhere.
        recorded: Whether they are in the session's recording.
        frame_rate: Of a folder of images, frames per second.
        missing: Why they are nowhere and what helps, a sentence; else "".
    """

    path: Path | None
    recorded: bool = False
    frame_rate: float | None = None
    missing: str = ""

    def seekable(self) -> SeekableSource:
        """Open them for reading at random.

        Raises:
            SourceError: They are nowhere, or cannot be opened.
            SessionError: The table of a recording is damaged.
        """
        if self.path is None:
            raise SourceError(self.missing)
        return SeekableRecording(self.path) if self.recorded else open_seekable(self.path, self.frame_rate)

    def in_order(self) -> FrameSource:
        """Open them for reading one after the other. Raises as `seekable`."""
        if self.path is None:
            raise SourceError(self.missing)
        if self.recorded:
            return RecordedSource(self.path)
        return open_source(str(self.path), frame_rate=self.frame_rate)


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
    path, loop = known or Path(source.path), f"The loop {source.source_id}"
    try:
        if not path.exists():
            missing = (
                f"{loop} is no longer where it was; put it back, or open it in the window where it is now."
            )
        elif known is None and not _is_same(path, source):
            missing = f"{loop} was changed since it was analysed; put the old one back."
        else:
            return LoopPlace(path, frame_rate=source.frame_rate)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{loop} cannot be read ({reason}); check it, or put it back.") from error
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
            source.confirm(table.pts_s[table.index == np.arange(len(table))])
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
    """Why there are no frames of a scan that was made from no file."""
    if videos_there(session.folder):
        return "The recording of this scan holds no frame that can be shown."
    if session.recordings:
        return "The recording of this scan is gone; put its files back into the session's folder."
    return "This scan was not recorded."
