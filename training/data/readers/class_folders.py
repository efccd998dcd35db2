"""Pictures in folders named by class, with or without folders for the splits above them.

    DATA/[train|validation|test/]CLASS/[PATIENT/]PICTURE.png

A folder between class and picture is the group. Where there is none, the groups come from `--groups`, or
every file is a group of its own. Videos, DICOM files, animations and pages give several pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from semc_core.labels import NON_STANDARD
from semc_core.sources.images import natural_key
from semc_core.text import counted
from training.data.checks import is_unlabelled
from training.data.depth import with_depths
from training.data.index import DataIndex, Sample, make_index
from training.data.loops import frames_of, is_known_picture
from training.data.readers.left_out import left_out
from training.data.readers.options import ReadOptions

SPLIT_NAMES: Final = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation",
    "validation": "validation", "test": "test", "testing": "test",
}  # fmt: skip
_NONE_NAMES: Final = frozenset(
    ("nsp", "nonstandard", "nonstandardplane", "nonstandardplanes", "noplane", "none", "background", "other")
)
NO_GROUPS: Final = "Nothing says which pictures show the same patient"
"""So begins the note on a data set, or on classes of it, in which nobody knows the patients."""
_EACH_ALONE: Final = (
    "each is a group of its own, and results may be too good. `--groups` finds patients in file names."
)
_OF_LOOPS: Final = (
    "those of one file stay together; of videos and DICOM loops ten frames a second are used, as more would "
    "be alike."
)
_NAMED: Final = 3


def fits(folder: Path) -> bool:
    """Whether there are folders with pictures."""
    return bool(class_names(folder))


def read(
    folder: Path, options: ReadOptions, name: str = "", rename: Callable[[str], str] | None = None
) -> DataIndex:
    """Index the folders.

    Args:
        folder: Of the data set.
        options: See there.
        name: Of the data set; by default the folder's.
        rename: Gives the class for a folder's name; by default the name itself, NSP for its synonyms.

    Raises:
        UsageError: See `make_index`.
    """
    root = _root(folder)
    notes = [] if rename or root == folder else _doubt(root)
    rename = rename or plain_class
    samples: list[Sample] = []
    alone: list[str] = []
    loops: set[Path] = set()
    renamed: dict[str, str] = {}
    folders = list(_class_folders(root))
    for split, class_folder in folders:
        label = renamed.setdefault(class_folder.name, rename(class_folder.name))
        for path in pictures_below(class_folder):
            within = path.relative_to(class_folder)
            relative = PurePosixPath(path.relative_to(root).as_posix())
            group = options.group_of(relative) or (within.parts[0] if len(within.parts) > 1 else "")
            frames = frames_of(path)
            loops |= {path} if len(frames) > 1 else set()
            alone += [] if group or len(frames) > 1 else [label]
            group = group or str(relative)
            samples += [Sample(path, label, group, root.name, split, frame) for frame in frames]
    if alone:
        where = f" in {', '.join(sorted(set(alone)))}" if len(alone) < len(samples) else ""
        notes.append(f"{NO_GROUPS}{where}: {_EACH_ALONE}")
    if loops:
        notes.append(f"{counted(len(loops), 'file')} of many pictures: {_OF_LOOPS}")
    notes += [f"The class {old} is used as {new}." for old, new in renamed.items() if old != new]
    notes += left_out(root, (sample.path for sample in samples), (path for _, path in folders))
    samples, deep = with_depths(samples)
    return make_index(name or folder.name, samples, folder, [*notes, *deep])


def class_names(folder: Path) -> set[str]:
    """Names of the folders that hold pictures, of the first level or below folders of splits."""
    return {path.name for _, path in _class_folders(_root(folder))}


def plain_class(name: str) -> str:
    """The class of a folder: its own name, or NSP if that is what it says."""
    return NON_STANDARD if plain(name) in _NONE_NAMES else name


def plain(name: str) -> str:
    """Letters and digits only, small."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def pictures_below(folder: Path) -> list[Path]:
    """The images in a folder and below, in natural order."""
    found = [path for path in folder.rglob("*") if _is_picture(path)]
    return sorted(found, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _root(folder: Path) -> Path:
    """The folder itself, or the only one in it, as an archive unpacks, where that holds the classes."""
    inside = _folders(folder)
    if len(inside) != 1 or inside[0].name.casefold() in SPLIT_NAMES:
        return folder
    if _has_pictures(folder) or _has_pictures(inside[0]):
        return folder
    below = _folders(inside[0])
    if len(below) < 2 or plain(inside[0].name) in _NONE_NAMES or is_unlabelled(inside[0].name):
        return folder  # One class, and the patients in it.
    wrapped = any(_has_pictures(each) or each.name.casefold() in SPLIT_NAMES for each in below)
    return inside[0] if wrapped else folder


def _doubt(root: Path) -> list[str]:
    """What is said of the only folder in a data set, if it may as well be a class with its patients in it."""
    names = [path.name for path in _folders(root)]
    if any(name.casefold() in SPLIT_NAMES for name in names):
        return []
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return [
        f"The folders in {root.name} are taken for classes ({shown}). If {root.name} is itself a class and "
        "these are its patients, put the folder of another class beside it."
    ]


def _class_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """(split, folder of a class)."""
    for folder in _folders(root):
        split = SPLIT_NAMES.get(folder.name.casefold())
        for each in [folder] if split is None else _folders(folder):
            if any(_is_picture(path) for path in each.rglob("*")):
                yield split or "", each


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _has_pictures(folder: Path) -> bool:
    return any(_is_picture(path) for path in folder.iterdir())


def _is_picture(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file() and is_known_picture(path)
