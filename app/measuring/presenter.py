"""What is said of measurements beside the picture, as data. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.measuring.calipers import Tool
from semc_core.errors import UsageError
from semc_core.language import N_, _, decimal
from semc_core.measure.calibration import Calibration
from semc_core.measure.calipers import Value, values
from semc_core.measure.dating import Dated, dated
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.gestation import GestationalAge, Origin
from semc_core.measure.growth import HADLOCK_AGE, INTERGROWTH
from semc_core.measure.shapes import STRUCTURES, Kind, points_of
from semc_core.session.records import (
    ACCEPTED,
    BY_HAND,
    BY_REGION,
    BY_SPACING,
    CORRECTED,
    MeasurementEntry,
    ScaleEntry,
)

TITLES: Final = MappingProxyType(
    {
        "distance": N_("Distance"),
        "ellipse": N_("Ellipse"),
        "trace": N_("Trace"),
        "area": N_("Area"),
        "angle": N_("Angle"),
    }
)
STRUCTURE_TITLES: Final = MappingProxyType(
    {
        "head": N_("Head"),
        "abdomen": N_("Abdomen"),
        "bpd_outer_outer": N_("BPD, outer to outer"),
        "bpd_outer_inner": N_("BPD, outer to inner"),
        "ofd": N_("OFD, outer to outer"),
        "femur": N_("Femur"),
    }
)
_MAKERS: Final = MappingProxyType(
    {
        ACCEPTED: N_("Proposed by the program, accepted by a person."),
        CORRECTED: N_("Proposed by the program, corrected by a person."),
    }
)
_BY_PERSON: Final = N_("Drawn by a person.")
_SCALES: Final = MappingProxyType(
    {
        BY_REGION: N_("Millimetres: DICOM region."),
        BY_SPACING: N_("Millimetres: DICOM pixel spacing."),
        BY_HAND: N_("Millimetres: by hand."),
    }
)
_AT_HEAD: Final = N_("{name}: {centile}, by {standard}, at the age by HC.")
_AT_DATES: Final[MappingProxyType[Origin, str]] = MappingProxyType(
    {
        "due date": N_("{name}: {centile}, by {standard}, at {age} by due date."),
        "last period": N_("{name}: {centile}, by {standard}, at {age} by last period."),
        "CRL": N_("{name}: {centile}, by {standard}, at {age} by CRL."),
        "as given": N_("{name}: {centile}, by {standard}, at {age} as given."),
    }
)
_HINTS: Final[MappingProxyType[Tool, tuple[str, ...]]] = MappingProxyType(
    {
        "distance": (N_("Distance: click on one end."), N_("Click on the other end.")),
        "ellipse": (
            N_("Ellipse: click on one end of an axis, such as the outer border of the skull."),
            N_("Click on the other end; then drag the handles of the other axis."),
        ),
        "trace": (
            N_("Trace: drag along the line, or click corner by corner."),
            N_("Go on along the line; a double click or Enter ends it."),
        ),
        "area": (
            N_("Area: drag around it, or click corner by corner."),
            N_("Go on around it; a click on the first corner, or Enter, closes it."),
        ),
        "angle": (
            N_("Angle: click on the end of one arm."),
            N_("Click on the corner."),
            N_("Click on the other end."),
        ),
        "scale": (
            N_("Scale: click on one end of a known length, such as the depth scale."),
            N_("Click on its other end, then type its millimetres."),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One measurement in the list.

    Attributes:
        number: Of the measurement, as on the picture.
        title: What it is.
        lines: Name and value of each number.
        chosen: Whether keys act on it.
        tip: Who made it, and where its millimetres come from.
    """

    number: int
    title: str
    lines: tuple[tuple[str, str], ...]
    chosen: bool
    tip: str


def measure_row(entry: MeasurementEntry, chosen: bool, age: GestationalAge | None = None) -> MeasureRow:
    """What is said of a measurement; `age` is that of the pregnancy by dates."""
    found = values(entry.kind, entry.points, entry.calibration, entry.structure, entry.error)
    tip = f"{_(_MAKERS.get(entry.made_by, _BY_PERSON))} {_origin(entry)}"
    title = _(STRUCTURE_TITLES.get(entry.structure, TITLES[entry.kind]))
    return MeasureRow(
        entry.measurement_id, title, _all_lines(found, age), chosen, _with_sources(tip, found, age)
    )


def _all_lines(found: Sequence[Value], age: GestationalAge | None = None) -> tuple[tuple[str, str], ...]:
    """The numbers, and what they say of age and size, with the name of the formula."""
    return (*map(_line, found), *((f"{_(one.name)}, {_short(one)}", one.text) for one in dated(found, age)))


def _short(one: Dated) -> str:
    return "IG-21st" if one.source.startswith(INTERGROWTH) else "Hadlock"


def _with_sources(tip: str, found: Sequence[Value], age: GestationalAge | None = None) -> str:
    return "\n".join((tip, *(_source_of(one, age) for one in dated(found, age))))


def _source_of(one: Dated, age: GestationalAge | None) -> str:
    name = _(one.name)
    if not one.source.startswith(INTERGROWTH):
        text = N_("{name}: {age}, by {formula}, by {measure}.")
        return _(text, name=name, age=one.text, formula=HADLOCK_AGE, measure=one.measure)
    text = _AT_HEAD if age is None else _AT_DATES[age.origin]
    return _(text, name=name, centile=one.text, standard=INTERGROWTH, age=age)


def proposal_row(outline: Ellipse, error: float, calibration: Calibration | None) -> MeasureRow:
    """What is said of a head that the program proposes; it has no number yet."""
    found = values("ellipse", points_of(outline), calibration, "head", error)
    tip = _("Proposed by the program: look at the outline before you accept it.")
    return MeasureRow(0, _("Head, proposed"), _all_lines(found[:3]), False, _with_sources(tip, found))


def proposal_text(found: bool, why: str) -> str:
    """What stands below the list on a brain plane without a measured head.

    Args:
        found: Whether an outline is proposed.
        why: Why none is, or "" while it is looked for.
    """
    if found:
        return _("Y accepts it; a handle corrects it.")
    return _(why) or _("Looking for the head …")


def _line(value: Value) -> tuple[str, str]:
    text = value_text(value)
    if value.low is not None and value.high is not None:
        text += f" ({value.low:.0f}–{value.high:.0f})"
    return _(value.name), text


def value_text(value: Value) -> str:
    """A number with its unit, with as many digits as it is worth."""
    large = 1000 if value.unit in ("mm", "px") else 100
    digits = 0 if value.unit != "°" and value.number >= large else 1
    unit = value.unit if value.unit == "°" else f" {value.unit}"
    return f"{decimal(value.number, digits)}{unit}"


def _origin(entry: MeasurementEntry) -> str:
    if entry.calibration is not None and entry.scale in _SCALES:
        return _(_SCALES[entry.scale])
    if entry.kind == "angle":
        return _("In pixels taken as square: no scale is known.")
    return _("No scale is known.")


def names_for(kind: Kind) -> tuple[tuple[str, str], ...]:
    """What a shape may be said to show: keys and titles, first that of nothing in particular."""
    fitting = [key for key, needed in STRUCTURES.items() if needed == kind]
    return (("", _(TITLES[kind])), *((key, _(STRUCTURE_TITLES[key])) for key in fitting))


def scale_text(told: Calibration | None, by_hand: ScaleEntry | None, why: str, key: str = "S") -> str:
    """Where millimetres come from on the frame that is shown.

    Args:
        told: What the source says; None where it says nothing.
        by_hand: What a person set; None before that.
        why: Why the source says nothing, a sentence, or "".
        key: That sets the scale.
    """
    if told is not None:
        scale, origin = _both(told.mm_x, told.mm_y), _(told.origin)
        return _("{scale} mm per pixel, {origin}.", scale=scale, origin=origin)
    if by_hand is not None:
        return _(
            "{scale} mm per pixel, by hand: {length} mm on frame {frame}.",
            scale=_both(by_hand.mm_x, by_hand.mm_y),
            length=figures(by_hand.length_mm, 6),
            frame=by_hand.frame_index,
        )
    pixels = _("Only pixels are shown; {key} sets the scale.", key=key)
    return f"{why} {pixels}".strip()


def _both(mm_x: float, mm_y: float) -> str:
    if math.isclose(mm_x, mm_y):
        return figures(mm_x, 4)
    return f"{figures(mm_x, 4)} × {figures(mm_y, 4)}"


def figures(value: float, most: int) -> str:
    """A number with so many figures that count, and no zeros behind them."""
    text = f"{value:.{most}g}"
    return text if "e" in text else decimal(float(text), len(text.partition(".")[2]))


def tool_hint(tool: Tool, count: int, remembered_mm: float | None = None) -> str:
    """What to do next with a tool of which so many points are set.

    Args:
        tool: That is on.
        count: Of its points.
        remembered_mm: Of a pixel, as set last for the source; None where it never was.
    """
    steps = _HINTS[tool]
    text = _(steps[min(count, len(steps) - 1)])
    if tool == "scale" and count == 0 and remembered_mm is not None:
        scale = figures(remembered_mm, 4)
        take = _("Or press Enter to take {scale} mm per pixel, as set last for this source.", scale=scale)
        text = f"{text} {take}"
    return text + "  " + _("Esc: leave")


def millimetres_of(text: str) -> float:
    """A length as it was typed: "50", "50 mm", "5 cm", "49,5".

    Raises:
        UsageError: It is none.
    """
    words = text.strip().lower().replace(",", ".")
    factor = 1.0
    for unit, times in (("mm", 1.0), ("cm", 10.0)):
        if words.endswith(unit):
            words, factor = words[: -len(unit)].strip(), times
            break
    try:
        mm = float(words) * factor
    except ValueError:
        mm = math.nan
    if not (math.isfinite(mm) and mm > 0):
        raise UsageError(_("Type the length in millimetres, a number above 0, such as 50."))
    return mm
