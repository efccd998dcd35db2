"""FPUS23 (Prabakaran et al. 2023): recordings of a fetal phantom.

Either the frames of each recording with its annotations (CVAT):

    annotation/RECORDING/annotations.xml    and    four_poses/RECORDING/frame_000000.png

where the tag `diagnostic_plane` names the plane, and a frame without one shows none; in a copy without such
tags the largest box names the class. Or class folders BPD_PLANE, AC_PLANE, FL_PLANE and NO_PLANE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.text import counted
from training.data.index import DataIndex, Sample, make_index
from training.data.readers import class_folders
from training.data.readers.class_folders import plain
from training.data.readers.options import ReadOptions

_ANNOTATIONS: Final = "annotations.xml"
_NAMES: Final = {
    "head": "head", "headplane": "head", "bpdplane": "head",
    "abdomen": "abdomen", "abdplane": "abdomen", "abdomenplane": "abdomen", "acplane": "abdomen",
    "femur": "femur", "femurplane": "femur", "flplane": "femur",
    "thorax": "thorax", "thoraxplane": "thorax",
    "noplane": NON_STANDARD,
}  # fmt: skip
_ORDER: Final[tuple[str, ...]] = ("head", "abdomen", "femur", "thorax")
_FOLDERS: Final = frozenset(("bpdplane", "acplane", "flplane", "noplane"))


@dataclass(frozen=True, slots=True)
class _Annotated:
    """One frame: `plane` and `box` are "" where nothing names one."""

    recording: Path
    picture: str
    plane: str
    box: str


def fits(folder: Path) -> bool:
    """Whether there are annotations, or folders with the names of its planes."""
    names = {plain(name) for name in class_folders.class_names(folder)}
    return bool(_annotation_files(folder)) or (len(names & _FOLDERS) >= 2 and names <= _FOLDERS)


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the frames; recordings are groups.

    Raises:
        UsageError: Annotations are damaged, or no frame of theirs is there.
    """
    files = _annotation_files(folder)
    if not files:
        return class_folders.read(folder, options, "FPUS23", lambda name: _NAMES[plain(name)])
    annotated = [each for path in files for each in _annotated(path)]
    by_plane = any(each.plane for each in annotated)
    homes = _homes(folder, {path.parent.name for path in files})
    samples, missing = [], 0
    for each in annotated:
        word = each.plane if by_plane else each.box
        name = each.recording.name
        path = homes.get(name, each.recording) / each.picture
        if not path.is_file():
            missing += 1
            continue
        samples.append(Sample(path, _NAMES.get(plain(word), word) or NON_STANDARD, name, "FPUS23"))
    notes = [f"Not there: {counted(missing, 'annotated frame')}."] if missing else []
    if not by_plane:
        notes.append("No frame is annotated with a plane: the largest box names the class.")
    found: set[str] = {sample.label for sample in samples}
    order = [name for name in _ORDER if name in found]
    order += sorted(found - {*_ORDER, NON_STANDARD})
    classes = (*order, *([NON_STANDARD] if NON_STANDARD in found else []))
    return make_index("FPUS23", samples, folder, notes, classes)


def _annotation_files(folder: Path) -> list[Path]:
    patterns = ("/".join(["*"] * depth + [_ANNOTATIONS]) for depth in range(1, 5))
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


def _annotated(path: Path) -> Iterator[_Annotated]:
    try:
        images = ElementTree.parse(path).getroot().findall("image")
        for image in sorted(images, key=lambda each: each.attrib["name"]):
            # Only the name of a file: where it lies is decided here.
            picture = Path(image.attrib["name"].replace("\\", "/")).name
            yield _Annotated(path.parent, picture, _plane(image), _largest_box(image))
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        raise UsageError(f"The annotations of {path.parent.name} are damaged; get them again.") from error


def _plane(image: ElementTree.Element) -> str:
    for tag in image.findall("tag"):
        if tag.attrib["label"] == "diagnostic_plane":
            for attribute in tag.findall("attribute"):
                if attribute.attrib["name"] == "plane":
                    return (attribute.text or "").strip()
    return ""


def _largest_box(image: ElementTree.Element) -> str:
    best, label = 0.0, ""
    for box in image.findall("box"):
        left, top, right, bottom = (float(box.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr"))
        if (right - left) * (bottom - top) > best:
            best, label = (right - left) * (bottom - top), box.attrib["label"]
    return label


def _homes(folder: Path, recordings: set[str]) -> dict[str, Path]:
    """For each recording the folder with its frames."""
    homes: dict[str, Path] = {}
    for depth in range(5):
        for path in sorted(folder.glob("/".join(["*"] * (depth + 1)))):
            if path.name in recordings and path.is_dir() and any(path.glob("*.[pj][np]g")):
                homes.setdefault(path.name, path)
    return homes
