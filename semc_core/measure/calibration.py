"""Millimetres per pixel of a picture: from its DICOM header, or as somebody said. Never guessed.

Without a calibration there are only pixels.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from semc_core.errors import UsageError
from semc_core.io.regular import read_regular
from semc_core.language import N_, _
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.shapes import Place
from semc_core.types import Crop

LEAST_MM, MOST_MM = 0.005, 3.0
"""Of a pixel. Below and above, no scanner's picture is shown."""
LEAST_SIDE_MM, MOST_SIDE_MM = 8.0, 700.0
"""Of the longer side of a whole picture."""

COLUMNS: Final = ("file", "mm_per_pixel")
TYPED: Final = "as given"
FROM_REGION: Final = N_("from the DICOM header's ultrasound region")
FROM_SPACING: Final = N_("from the DICOM header's pixel spacing")


@dataclass(frozen=True, slots=True)
class Calibration:
    """How large a pixel is.

    Attributes:
        mm_x: Millimetres per pixel along a row.
        mm_y: Millimetres per pixel along a column.
        origin: Where that comes from, for people.
        region: The part of the picture for which it holds; None for all of it.
    """

    mm_x: float
    mm_y: float
    origin: str
    region: Crop | None = None

    def in_mm(self, ellipse: Ellipse) -> Ellipse:
        """The ellipse in millimetres."""
        return ellipse.moved(np.array([[self.mm_x, 0.0, 0.0], [0.0, self.mm_y, 0.0]]))

    def holds_at(self, x: float, y: float) -> bool:
        """Whether it is meant for this place in the picture."""
        r = self.region
        return r is None or (r.left <= x <= r.left + r.width and r.top <= y <= r.top + r.height)


def checked(mm_x: float, mm_y: float, origin: str, region: Crop | None = None) -> Calibration:
    """A calibration that can be one.

    Raises:
        UsageError: A number is 0, negative, not finite, or no scanner's.
    """
    for value in (mm_x, mm_y):
        if not math.isfinite(value):
            raise UsageError(_("The millimetres per pixel are not a number; type a number such as 0.12."))
        size = f"{value:g}"
        if value <= 0:
            raise UsageError(
                _("{size} mm per pixel cannot be; type a number above 0, such as 0.12.", size=size)
            )
        if not LEAST_MM <= value <= MOST_MM:
            least, most = f"{LEAST_MM:g}", f"{MOST_MM:g}"
            text = N_("{size} mm per pixel is no scanner's; it lies between {least} and {most}.")
            raise UsageError(_(text, size=size, least=least, most=most))
    return Calibration(mm_x, mm_y, origin, region)


def typed(text: str) -> Calibration:
    """A calibration as somebody typed it, the same along rows and columns.

    Raises:
        UsageError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    return checked(value, value, TYPED)


def over_length(pixels: float, mm: float) -> Calibration:
    """From a known length in the picture, such as a stretch of the depth scale.

    Raises:
        UsageError: One of both is no length.
    """
    if not (math.isfinite(pixels) and math.isfinite(mm) and pixels > 0 and mm > 0):
        raise UsageError("A known length needs pixels and millimetres above 0.")
    return checked(mm / pixels, mm / pixels, TYPED)


def over_line(first: Place, last: Place, mm: float, aspect: float = 1.0) -> Calibration:
    """From a line over a known length; `aspect` is the height of a pixel to its width.

    Raises:
        UsageError: It is no length, or no scanner's picture has such pixels.
    """
    if not (math.isfinite(mm) and mm > 0):
        raise UsageError(_("Type the length in millimetres, a number above 0, such as 50."))
    # In widths of a pixel.
    units = math.hypot(last[0] - first[0], (last[1] - first[1]) * aspect)
    if not (math.isfinite(units) and units > 0):
        raise UsageError(_("The line over the known length has no length; draw it again."))
    return checked(mm / units, mm / units * aspect, TYPED)


def check_picture(calibration: Calibration, width: int, height: int) -> None:
    """Whether a picture of so many pixels can be so large.

    Raises:
        UsageError: It would be smaller than 8 mm or larger than 70 cm.
    """
    side = max(width * calibration.mm_x, height * calibration.mm_y)
    if not LEAST_SIDE_MM <= side <= MOST_SIDE_MM:
        size, large = f"{calibration.mm_x:g}", f"{side:.3g}"
        text = N_("With {size} mm per pixel the picture would be {side} mm large; check that.")
        raise UsageError(_(text, size=size, side=large))


def at_place(scales: Iterable[Calibration], x: float, y: float) -> Calibration | None:
    """The calibration for a place; None where none is meant for it. Of several the smallest region counts."""
    holding = [each for each in scales if each.holds_at(x, y)]
    return min(holding, key=lambda each: _area(each.region), default=None)


def _area(region: Crop | None) -> float:
    return math.inf if region is None else region.width * region.height


@dataclass(frozen=True, slots=True)
class SourceScale:
    """What a source says of its millimetres.

    Attributes:
        scales: One for each region, or one for all of the picture; none where it says nothing.
        size: Width and height of its pictures, pixels.
        aspect: Height of a pixel to its width, for a scale that a person sets.
        why: Why it says nothing, a sentence; "" where there is nothing to say.
    """

    scales: tuple[Calibration, ...] = ()
    size: tuple[int, int] = (0, 0)
    aspect: float = 1.0
    why: str = ""


NO_SOURCE_SCALE: Final = SourceScale()


class CalibrationTable:
    """Millimetres per pixel of named pictures, from a CSV file with the columns file and mm_per_pixel."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            UsageError: It cannot be read, lacks a column, or names a picture twice with different numbers.
        """
        self._by_name: dict[str, str] = {}
        for row in _rows(path):
            name, value = row["file"].strip(), row["mm_per_pixel"].strip()
            if self._by_name.setdefault(name, value) != value:
                raise UsageError(f"{path.name} gives {name} two different scales; leave one.")

    def of(self, picture: Path) -> Calibration | None:
        """What it says of a picture, by its path as typed, by the end of its path, or by its name.

        Raises:
            UsageError: That is no calibration.
        """
        parts = picture.parts
        for first in range(len(parts)):
            text = self._by_name.get("/".join(parts[first:])) or self._by_name.get(str(Path(*parts[first:])))
            if text is not None:
                return typed(text)
        return None


def _rows(path: Path) -> Iterable[dict[str, str]]:
    try:
        text = read_regular(path).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The table {path.name} cannot be read; check its name.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The table {path.name} is not UTF-8 text; save it as CSV.") from error
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        rows = list(reader)
    except csv.Error as error:
        raise UsageError(f"The table {path.name} is no CSV file; save it as CSV.") from error
    if any(column not in (reader.fieldnames or ()) for column in COLUMNS):
        raise UsageError(f"The table {path.name} must have the columns {' and '.join(COLUMNS)}.")
    return [{column: row[column] or "" for column in COLUMNS} for row in rows]
