"""Files of labels: COCO (JSON) and CVAT for images 1.1 (XML). What they say of frames, nothing more.

A picture's file name says which frame it shows: its last number, as in `frame_000123`, `000123.png` (as
`semc inspect --frames` writes) or the pictures of `semc dataset`, whose first eight digits name the session.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from xml.parsers import expat

from semc_core.errors import UsageError
from semc_core.io.documents import MOST_BYTES, TOLERANT, Document, DocumentFault, configured
from semc_core.io.regular import read_regular

_FRAME: Final = re.compile(r"(?:^|[^0-9A-Za-z])(?:f|frame)?(\d{1,9})$", re.IGNORECASE)
_TAG: Final = re.compile(r"([0-9a-f]{8})_\d{3,}_")
_STRUCTURE: Final = "structure"
_TAG_ELEMENT: Final = "tag"
_SHAPES: Final = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")


@dataclass(frozen=True, slots=True)
class PictureLabel:
    """One label of one picture.

    Attributes:
        picture: The picture's file name, as the file of labels has it.
        frame_index: Which frame it shows.
        session: First digits of the session's hash, where the name says it; else "".
        label: As it stands there.
        of_picture: Whether the label is of the picture, and not of something that was drawn into it.
    """

    picture: str
    frame_index: int
    session: str
    label: str
    of_picture: bool


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class _Image:
    id: int
    file_name: str


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class _Annotation:
    image_id: int
    category_id: int


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class _Category:
    id: int
    name: str
    supercategory: str | None = None


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Coco:
    """What is read of a COCO file."""

    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]
    categories: tuple[_Category, ...]

    def __post_init__(self) -> None:
        """Raises ValueError where a number is given twice, or means nothing."""
        for what, ids in (("image", self.images), ("category", self.categories)):
            twice = [number for number, count in Counter(each.id for each in ids).items() if count > 1]
            if twice:
                raise ValueError(f"it has the {what} {twice[0]} twice")
        images, categories = ({each.id for each in those} for those in (self.images, self.categories))
        for each in self.annotations:
            if each.image_id not in images or each.category_id not in categories:
                raise ValueError(
                    f"an annotation is of image {each.image_id} and category {each.category_id}, which it "
                    "does not both have"
                )


COCO: Final = Document(Coco)


def read_labels(path: Path) -> list[PictureLabel]:
    """The labels of a file, in its order; which format it has is seen from its content.

    Raises:
        UsageError: It cannot be read, is neither, is damaged, or a picture's name tells no frame.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check its name.") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path.name} is too large for labels; export fewer pictures at once.")
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return _cvat(path.name, content)
    return _coco(path.name, content)


def _coco(name: str, content: bytes) -> list[PictureLabel]:
    try:
        coco = COCO.parse(content)
    except DocumentFault as fault:
        raise UsageError(
            f"{name} holds no labels that can be read ({fault}); export them as COCO or CVAT for images 1.1."
        ) from fault
    images = {each.id: each.file_name for each in coco.images}
    categories = {each.id: each for each in coco.categories}
    found = []
    for annotation in coco.annotations:
        category = categories[annotation.category_id]
        of_picture = category.supercategory != _STRUCTURE
        found.append(_label(name, images[annotation.image_id], category.name, of_picture))
    return found


def _cvat(name: str, content: bytes) -> list[PictureLabel]:
    reader = _CvatReader(name)
    try:
        reader.parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter of an encoding that is none
        raise UsageError(f"{name} is damaged as XML ({error}); export it again.") from error
    if not reader.images:
        raise UsageError(
            f"{name} holds no images of CVAT; export it as CVAT for images 1.1, which labels frame by frame."
        )
    return reader.found


class _CvatReader:
    """Takes elements as they come. A document that declares entities, which may grow, is refused."""

    def __init__(self, name: str) -> None:
        self.found: list[PictureLabel] = []
        self.images = 0
        self._name = name
        self._picture: str | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _begin(self, element: str, said: dict[str, str]) -> None:
        if element == "image":
            self.images += 1
            self._picture = said.get("name", "")
        elif self._picture is not None and element in (_TAG_ELEMENT, *_SHAPES):
            label = said.get("label", "")
            self.found.append(_label(self._name, self._picture, label, element == _TAG_ELEMENT))

    def _end(self, element: str) -> None:
        if element == "image":
            self._picture = None

    def _refuse(self, *declared: Any) -> None:
        raise UsageError(f"{self._name} declares a document type, which no labels need; export it again.")


def _label(file: str, picture: str, label: str, of_picture: bool) -> PictureLabel:
    stem = PurePosixPath(picture.replace("\\", "/")).stem
    found, tagged = _FRAME.search(stem), _TAG.match(stem)
    if found is None:
        raise UsageError(
            f"{file} has the picture {picture[:80]!r}, whose name does not end with the number of a frame; "
            "label frames as semc inspect --frames or semc dataset writes them."
        )
    return PictureLabel(picture, int(found[1]), "" if tagged is None else tagged[1], label, of_picture)
