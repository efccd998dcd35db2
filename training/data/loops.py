"""Files of a data set that hold many pictures: videos, DICOM files, animations, pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.dicom_head import HEAD_BYTES, is_dicom_head
from semc_core.sources.kinds import DICOM_SUFFIXES, VIDEO_SUFFIXES
from semc_core.sources.open import open_seekable
from semc_core.sources.pictures import SUFFIXES, PictureFile

PER_SECOND: Final = 10.0
"""Frames of a loop that are used: more of them would be alike."""

_LOOP_SUFFIXES: Final = frozenset((*VIDEO_SUFFIXES, *DICOM_SUFFIXES))
_PAGED_SUFFIXES: Final = frozenset((".tif", ".tiff", ".webp", ".apng"))
_ROUNDING_S: Final = 1e-6


def is_loop(path: Path) -> bool:
    """Whether a file is a video or DICOM, by its name; without an ending, by its first bytes."""
    suffix = path.suffix.lower()
    return suffix in _LOOP_SUFFIXES or (suffix == "" and _begins_as_dicom(path))


def is_known_picture(path: Path) -> bool:
    """Whether a file is of a kind that is read, be it one picture or many."""
    return path.suffix.lower() in SUFFIXES or is_loop(path)


def frames_of(path: Path) -> list[int]:
    """Which pictures of a file are used: of a loop ten a second, else all.

    Of a file that cannot be read it is the first: reading it says why.
    """
    try:
        if is_loop(path):
            return _ten_a_second(path)
        if path.suffix.lower() in _PAGED_SUFFIXES:
            with closing(PictureFile(path)) as pages:
                return list(range(pages.count))
    except SourceError:
        pass
    return [0]


def read_loop(path: Path, frames: Sequence[int]) -> Iterator[Picture]:
    """Frames of a loop, in the order asked for.

    Raises:
        SourceError: It cannot be read, or has no such frame.
    """
    with closing(open_seekable(path)) as source:
        for frame in frames:
            yield source.frame(frame).picture


def _ten_a_second(path: Path) -> list[int]:
    with closing(open_seekable(path)) as source:
        if not source.settled:
            source.frame(0)  # waits for that
        return list(_apart(source.times_s.tolist()))


def _apart(times_s: Iterable[float]) -> Iterator[int]:
    last_s = float("-inf")
    for place, time_s in enumerate(times_s):
        if time_s - last_s >= 1 / PER_SECOND - _ROUNDING_S:
            yield place
            last_s = time_s


def _begins_as_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_dicom_head(file.read(HEAD_BYTES))
    except OSError:
        return False  # A folder, or what may not be read.
