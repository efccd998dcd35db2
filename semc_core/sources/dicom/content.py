"""What an object is by its own header, and whether all of it is there."""

from __future__ import annotations

import datetime
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation

from semc_core.errors import SourceError
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.fragments import read_fragments
from semc_core.sources.dicom.header import open_dicom, without_warnings

_TAGS: Final = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "StationName", "BodyPartExamined", "StudyDescription", "ProtocolName", "StudyDate", "ContentDate",
)  # fmt: skip
_LONGEST: Final = 200


class NotWhole(SourceError):
    """A part of an object is missing."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the header says. Nothing of it names the patient, but free text might: it is neither kept nor
    logged.

    Attributes:
        sop_class: SOP Class UID.
        sop_instance: SOP Instance UID.
        study: Study Instance UID.
        series: Series Instance UID.
        syntax: Transfer syntax of the file.
        station: Station Name, or "".
        body_part: Body Part Examined, or "".
        study_description: Or "".
        protocol: Protocol Name, or "".
        date: When it was made, of what the header says the latest; None where that is no date.
    """

    sop_class: str
    sop_instance: str
    study: str
    series: str
    syntax: str
    station: str
    body_part: str
    study_description: str
    protocol: str
    date: datetime.date | None


def read_content(path: Path) -> Content:
    """What is in a file that was received.

    Raises:
        NotWhole: Its pictures end before their end.
        SourceError: It is none that can be read, or holds no pictures.
    """
    opened = open_dicom(path)
    try:
        with without_warnings(), disable_value_validation(), opened.pixels.open() as file:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
            texts = {name: _text(header, name) for name in _TAGS}
            syntax = str(opened.syntax or header.file_meta.TransferSyntaxUID)
    except (*UNREADABLE, zlib.error):
        # The cause is left out: messages of this library quote values.
        raise SourceError(f"{path.name} cannot be read as DICOM; it is damaged or cut short.") from None
    pixels = opened.pixels
    if pixels.cut or (pixels.wrapped and read_fragments(pixels).cut):
        raise NotWhole(f"{path.name} ends within its pictures; send it again.")
    return Content(
        texts["SOPClassUID"], texts["SOPInstanceUID"], texts["StudyInstanceUID"],
        texts["SeriesInstanceUID"], syntax, texts["StationName"], texts["BodyPartExamined"],
        texts["StudyDescription"], texts["ProtocolName"],
        max(filter(None, (_date(texts["StudyDate"]), _date(texts["ContentDate"]))), default=None),
    )  # fmt: skip


def _text(header: pydicom.Dataset, name: str) -> str:
    value = header[name].value if name in header else None
    return "" if value is None else str(value).strip(" \0")[:_LONGEST]


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
