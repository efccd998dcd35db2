"""Every picture of what the user names, one by one: stills, and frames of loops. What is none is told."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from semc_core.errors import SourceError
from semc_core.io.regular import is_folder, is_there
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.pipeline.stills import Still
from semc_core.sources.frames.shown import stored_as
from semc_core.sources.images import natural_key
from semc_core.sources.kinds import is_known, kind_of
from semc_core.sources.open import open_source
from semc_core.sources.pictures import PictureFile
from semc_core.types import FramePacket

PassOver = Callable[[Path, str], None]
"""Told of a file that holds no picture, and why, a sentence."""


def picture_files(texts: Iterable[str]) -> list[Path]:
    """Every file that is named, in the order of the names, each once; what is in folders in natural order.

    A folder is searched with all below it; hidden files and folders are left out. A pattern that the shell
    did not resolve is resolved here. What is not there is kept: reading it says so.
    """
    seen: set[Path] = set()
    found = []
    for path in (each for text in texts for each in _named(text)):
        # Without following links: two links are two pictures, one named twice is one.
        place = Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps ".."
        if place not in seen:
            seen.add(place)
            found.append(path)
    return found


def _named(text: str) -> Iterator[Path]:
    path = Path(text).expanduser()
    if is_folder(path):
        yield from _below(path)
    elif is_there(path) or not glob.has_magic(text):
        yield path
    else:
        for match in sorted(glob.glob(str(path), recursive=True), key=natural_key):  # noqa: PTH207
            yield from _named(match)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_key)
        for name in sorted(names, key=natural_key):
            if not name.startswith("."):
                yield Path(place, name)


def stills(
    files: Iterable[Path],
    every: int,
    pass_over: PassOver,
    on_file: Callable[[int], None],
    options: PictureOptions = AS_IT_IS,
) -> Iterator[Still]:
    """The pictures in `files`, in order; the packet's `source_id` is the file's path as it was named.

    Args:
        files: From `picture_files`.
        every: Of a loop, the frames 0, `every`, 2 `every` and so on.
        pass_over: Called for a file that holds no picture, or breaks off, on the reader's thread.
        on_file: Told how many files are done.
        options: How the pictures are read.
    """
    for number, path in enumerate(files, 1):
        try:
            yield from _of_file(path, every, options)
        except SourceError as error:
            pass_over(path, str(error))
        on_file(number)


def _of_file(path: Path, every: int, options: PictureOptions) -> Iterator[Still]:
    name = path.as_posix()
    if is_there(path) and kind_of(path) == "picture":
        with closing(PictureFile(path)) as picture:
            if picture.count == 1:
                yield Still(
                    FramePacket(
                        name, 0, 0.0, time.monotonic(), Picture(stored_as(picture.pixels(0), options))
                    )
                )
                return
    elif is_there(path) and not is_known(path):
        raise SourceError(f"{path.name} is no picture, video or DICOM file.")
    with closing(open_source(str(path), options=options)) as source:
        while (packet := source.read()) is not None:
            if packet.index % every == 0:
                named = FramePacket(name, packet.index, packet.pts_s, packet.captured_s, packet.picture)
                yield Still(named, source.hinted_crop)
