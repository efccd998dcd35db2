"""Whom a DICOM file names; for a comparison, and kept nowhere."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.config import disable_value_validation

from semc_core.errors import SourceError
from semc_core.sources.dicom.deflated import inflated
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings


def patient_in(path: Path) -> tuple[str, str]:
    """Name and number of the patient, as they stand in the header; "" for what is not there or unreadable."""
    try:
        with without_warnings(), disable_value_validation(), path.open("rb") as file:
            plain = inflated(file, path)
            file.seek(0)
            header = pydicom.dcmread(
                file if plain is None else BytesIO(plain),
                stop_before_pixels=True,
                specific_tags=["PatientName", "PatientID"],
                force=True,
            )
            return _text(header, "PatientName"), _text(header, "PatientID")
    except (*UNREADABLE, SourceError, zlib.error):
        return "", ""  # Who plays it says what is wrong.


def _text(header: pydicom.Dataset, keyword: str) -> str:
    try:
        value = header.get(keyword)
    except UNREADABLE:
        return ""
    return "" if value is None else str(value).strip(" \0")
