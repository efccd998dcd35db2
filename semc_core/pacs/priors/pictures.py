"""The pictures of a study that was got, as a person chooses among them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.errors import InvalidDicomError

from semc_core.errors import SourceError
from semc_core.pacs.answers import text_of
from semc_core.sources.dicom.deflated import inflated
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings

_TAGS: Final = (
    "SeriesNumber", "InstanceNumber", "ContentTime", "NumberOfFrames", "Rows", "Columns", "SeriesDescription",
)  # fmt: skip
_LONGEST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class StudyPicture:
    """A still or a loop.

    Attributes:
        path: Its file.
        frames: How many it has; 1 is a still.
        rows: Height, pixels; 0 where it is not said.
        columns: Width, pixels.
        series: Number of its series.
        number: Its number in that.
        time: HHMM or HHMMSS at which it was made, or "".
        description: Of its series, or "".
    """

    path: Path
    frames: int = 1
    rows: int = 0
    columns: int = 0
    series: int = 0
    number: int = 0
    time: str = ""
    description: str = ""


def pictures_of(folder: Path) -> tuple[StudyPicture, ...]:
    """What is in the folder of a study, in the order in which it was made, but for what cannot be read."""
    found = (_picture(path) for path in folder.glob("*.dcm"))
    return tuple(
        sorted(
            (each for each in found if each is not None),
            key=lambda each: (each.series, each.number, each.time, each.path.name),
        )
    )


def _picture(path: Path) -> StudyPicture | None:
    try:
        with without_warnings(), disable_value_validation(), path.open("rb") as file:
            plain = inflated(file, path)
            file.seek(0)
            header = pydicom.dcmread(
                file if plain is None else BytesIO(plain),
                stop_before_pixels=True,
                specific_tags=list(_TAGS),
            )
            numbers = [_number(text_of(header, name)) for name in _TAGS[:2]]
            time = text_of(header, "ContentTime").partition(".")[0][:6]
            return StudyPicture(
                path=path,
                frames=max(1, _number(text_of(header, "NumberOfFrames"))),
                rows=_number(text_of(header, "Rows")),
                columns=_number(text_of(header, "Columns")),
                series=numbers[0],
                number=numbers[1],
                time=time if time.isdecimal() else "",
                description=text_of(header, "SeriesDescription")[:_LONGEST_SHOWN],
            )
    except (*UNREADABLE, SourceError, InvalidDicomError):
        # Without a word of why: what libraries say quotes names.
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
