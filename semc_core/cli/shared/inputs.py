"""What the user wants analysed: files, folders and patterns, as a list of sources with names of their own."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from semc_core.errors import SourceError
from semc_core.io.regular import is_file, is_folder, is_there
from semc_core.session.folder import folder_name
from semc_core.sources.containers import is_video
from semc_core.sources.kinds import DICOM_SUFFIXES, VIDEO_SUFFIXES, kind_of
from semc_core.sources.pictures import SUFFIXES as IMAGE_SUFFIXES
from semc_core.sources.pictures import PictureFile

RESULTS_NAME: Final = "planes.json"
"""By this file a folder of results is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to analyse.

    Attributes:
        path: A file, or a folder of images.
        name: Name of its folder of results, another for each.
        problem: Why there is nothing to analyse, or "".
    """

    path: Path
    name: str
    problem: str = ""


def wanted_inputs(texts: Iterable[str], left_out: Callable[[Path], None] | None = None) -> list[Wanted]:
    """Resolve what was typed, in its order, each file once.

    A folder is searched with all below it for videos and DICOM files, known by what is in them; a folder that
    has only images is one source. A pattern that the shell did not resolve is resolved here. What leads to
    nothing is kept, with its problem, so that it is reported and not lost.

    Args:
        texts: What was typed.
        left_out: Told of each file in a folder that is not taken.
    """
    seen: set[Path] = set()
    used: set[str] = set()
    wanted = []
    for text in texts:
        for path, problem in _resolve(text, left_out or (lambda path: None)):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            wanted.append(Wanted(path, _free_name(path, used), problem))
    return wanted


def _resolve(text: str, left_out: Callable[[Path], None]) -> Iterator[tuple[Path, str]]:
    path = Path(text).expanduser()
    if is_folder(path):
        found = list(_search(path, left_out))
        yield from ((each, "") for each in found)
        if not found:
            yield path, f"{path.name or path} holds no video, DICOM file or image; choose another folder."
    elif is_there(path) or not glob.has_magic(text):
        # A file that is missing gets its sentence from the source.
        yield path, ""
    else:
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns too
        for match in matches:
            yield from _resolve(match, left_out)
        if not matches:
            yield path, f"Nothing matches {text}; check the pattern."


def _search(folder: Path, left_out: Callable[[Path], None]) -> Iterator[Path]:
    """Videos and DICOM files below `folder`, and folders that have only images, in order.

    Folders of earlier results are left out: their frames were found, not scanned.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if RESULTS_NAME in names:
            continue
        files = [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        loops = [path for path in files if is_loop(path)]
        yield from loops
        images = [path for path in files if path not in loops and path.suffix.lower() in IMAGE_SUFFIXES]
        if images and not loops:
            yield Path(place)
        for path in files:
            if path not in loops and (loops or path not in images):
                left_out(path)


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its suffix or by its first bytes."""
    try:
        return kind_of(path) == "dicom"
    except SourceError:
        # Unreadable: named to the source, which says why.
        return True


def is_loop(path: Path) -> bool:
    """Whether a file holds frames: a video, a DICOM file, or an animation; or promises them by its name."""
    if path.suffix.lower() in (*VIDEO_SUFFIXES, *DICOM_SUFFIXES):
        return True
    try:
        kind = kind_of(path)
        if kind == "picture":
            picture = PictureFile(path)
            picture.close()
            return picture.animated
    except SourceError:
        return False
    return kind == "dicom" or is_video(path)


def _free_name(path: Path, used: set[str]) -> str:
    """A name for results that no earlier input has, also where upper and lower case are the same."""
    base = folder_name(path.stem if is_file(path) else path.resolve().name)
    name, number = base, 1
    while name.casefold() in used:
        number += 1
        name = f"{base}-{number}"
    used.add(name.casefold())
    return name
