"""Millimetres per pixel, and a pixel's shape, as the header of a DICOM file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pydicom

from semc_core.errors import SourceError, UsageError
from semc_core.language import _
from semc_core.measure.calibration import (
    FROM_REGION,
    FROM_SPACING,
    Calibration,
    SourceScale,
    check_picture,
    checked,
)
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.types import Crop

_ASPECT_TOLERANCE: Final = 0.02
LEAST_ASPECT: Final = 0.2
"""No scanner's pixels are flatter, or as much narrower."""
_TISSUE, _TWO_DIMENSIONAL, _CENTIMETRES = 1, 1, 3
_TAGS: Final = [
    "Rows", "Columns", "NumberOfFrames", "SequenceOfUltrasoundRegions", "PixelSpacing", "PixelAspectRatio",
]  # fmt: skip


def source_scale(path: Path) -> SourceScale:
    """What a DICOM file says; a scale that cannot be believed is none, and why is said."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=True)
        width, height = int(header.Columns), int(header.Rows)
        scales = from_header(header, width, height)
    except UsageError as error:
        return SourceScale(size=(width, height), aspect=_aspect(header), why=str(error))
    except UNREADABLE:
        return SourceScale(why=_("The scale in the file's header cannot be read."))
    return SourceScale(scales, (width, height))


def _aspect(header: pydicom.Dataset) -> float:
    """A pixel's shape, where nothing else in the header speaks of it that could contradict."""
    if header.get("SequenceOfUltrasoundRegions") or header.get("PixelSpacing"):
        return 1.0
    try:
        high, wide = (float(each) for each in header.PixelAspectRatio)
    except UNREADABLE:
        return 1.0
    ratio = high / wide if wide > 0 else 0.0
    return ratio if LEAST_ASPECT <= ratio <= 1 / LEAST_ASPECT else 1.0


def calibrations_of(path: Path) -> tuple[Calibration, ...]:
    """What a DICOM file says of its scale: one for each 2D region, or one for all of the picture.

    Raises:
        SourceError: It cannot be read.
        UsageError: It says nothing, or what it says contradicts itself or the picture's size.
    """
    try:
        # Some programs write no preamble; a header that says no size is none.
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=True)
        width, height = int(header.Columns), int(header.Rows)
    except UNREADABLE as error:
        raise SourceError(f"{path.name} has no header that can be read; export it again.") from error
    try:
        return from_header(header, width, height)
    except UNREADABLE as error:
        raise UsageError(
            _("The header's scale is damaged; give the millimetres per pixel by hand.")
        ) from error


def from_header(header: pydicom.Dataset, width: int, height: int) -> tuple[Calibration, ...]:
    """As `calibrations_of`, for a header that is read, of a picture of so many pixels.

    Raises:
        UsageError: It says nothing, or what it says contradicts itself or the picture's size.
        AttributeError, TypeError, ValueError: It is damaged.
    """
    regions = list(header.get("SequenceOfUltrasoundRegions") or [])
    found = [_from_region(region, width, height) for region in regions]
    scales = tuple(each for each in found if each is not None)
    if not regions and header.get("PixelSpacing"):
        rows, columns = (float(each) for each in header.PixelSpacing)
        scales = (checked(columns, rows, FROM_SPACING),)
    if not scales:
        raise UsageError(_("The header has no scale of the picture; give the millimetres per pixel by hand."))
    for each in scales:
        _check_aspect(header, each)
        check_picture(each, width, height)
    return scales


def _from_region(region: pydicom.Dataset, width: int, height: int) -> Calibration | None:
    """None for what is no 2D picture of tissue measured in centimetres."""
    left, top, right, bottom = (
        int(region[f"RegionLocation{corner}"].value) for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")
    )
    # The standard counts the last pixel as inside; some machines write the first outside.
    if left < 0 or top < 0 or right > width or bottom > height or right <= left or bottom <= top:
        raise UsageError(
            _("The header's scale is for a picture of another size; give the millimetres per pixel by hand.")
        )
    kind = (region.get("RegionSpatialFormat"), region.get("RegionDataType"))
    units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
    if kind != (_TWO_DIMENSIONAL, _TISSUE) or units != (_CENTIMETRES, _CENTIMETRES):
        return None
    # Some machines count one direction the other way round.
    mm_x, mm_y = abs(float(region.PhysicalDeltaX)) * 10, abs(float(region.PhysicalDeltaY)) * 10
    return checked(mm_x, mm_y, FROM_REGION, Crop(left, top, right - left, bottom - top))


def _check_aspect(header: pydicom.Dataset, scale: Calibration) -> None:
    """PixelAspectRatio is the height of a pixel to its width; where it is there, it has to agree."""
    ratio: Any = header.get("PixelAspectRatio")
    if not ratio:
        return
    high, wide = (float(each) for each in ratio)
    if wide <= 0 or high <= 0 or abs(scale.mm_y / scale.mm_x * wide / high - 1) > _ASPECT_TOLERANCE:
        raise UsageError(
            _("The header contradicts itself about a pixel's shape; give the millimetres per pixel by hand.")
        )
