"""Where a DICOM header says that the ultrasound picture is."""

from __future__ import annotations

from typing import Final

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.dicom.elements import Elements
from semc_core.types import Crop

_TISSUE: Final = 1
_TWO_DIMENSIONAL: Final = 1
_CORNERS: Final = ("MinX0", "MinY0", "MaxX1", "MaxY1")


def tissue_region(elements: Elements, width: int, height: int) -> tuple[Crop | None, str]:
    """The largest 2D tissue region inside the picture, and a notice if the header contradicts itself."""
    try:
        items = elements.items("SequenceOfUltrasoundRegions")
    except SourceError:
        return None, _("The header's regions cannot be read; they are ignored.")
    regions, outside = [], False
    for region in items:
        corners = [region.whole(f"RegionLocation{corner}") for corner in _CORNERS]
        left, top, right, bottom = (-1 if corner is None else corner for corner in corners)
        if None in corners:
            continue
        # The standard counts the last pixel as inside; some machines write the first outside.
        if left < 0 or top < 0 or right > width or bottom > height or right <= left or bottom <= top:
            outside = True
        elif _is_tissue(region):
            regions.append(Crop(left, top, min(right + 1, width) - left, min(bottom + 1, height) - top))
    notice = _("The header gives a region larger than the picture; it is ignored.") if outside else ""
    return max(regions, key=lambda crop: crop.width * crop.height, default=None), notice


def _is_tissue(region: Elements) -> bool:
    return (region.whole("RegionSpatialFormat"), region.whole("RegionDataType")) == (
        _TWO_DIMENSIONAL,
        _TISSUE,
    )
