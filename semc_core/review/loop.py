"""The frames of a session at random: its recording, or the file that it was made from."""

from __future__ import annotations

from pathlib import Path

from semc_core.capture.seek import SeekableSource, open_seekable
from semc_core.review.recording import SeekableRecording
from semc_core.session.entries import SourceEntry, file_sha256
from semc_core.session.parts import part_videos, read_table
from semc_core.session.view import SessionView


def recorded_videos(folder: Path) -> list[Path]:
    """The videos of a session's recording that hold frames; a kill may leave one without any.

    Raises:
        SessionError: The table of a part is damaged.
    """
    return [video for video in part_videos(folder) if len(read_table(video))]


def same_source(source: SourceEntry) -> Path | None:
    """The file that the session was made from, if it is still there and has not changed."""
    if source.path is None or source.sha256 is None:
        return None
    path = Path(source.path)
    try:
        return path if file_sha256(path) == source.sha256 else None
    except OSError:
        return None


def loop_of(session: SessionView) -> SeekableSource | None:
    """The frames of a session: its recording, or the file it was made from, if that is there unchanged.

    Raises:
        SourceError: There is one, and it cannot be opened.
        SessionError: The table of a recording is damaged.
    """
    if recorded_videos(session.folder):
        return SeekableRecording(session.folder)
    path = same_source(session.source)
    return None if path is None else open_seekable(path)
