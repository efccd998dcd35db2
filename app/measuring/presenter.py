"""What is said of measurements beside the picture, as data. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.measuring.calipers import Tool
from semc_core.errors import UsageError
from semc_core.measure.calibration import Calibration
from semc_core.measure.calipers import Value, values
from semc_core.measure.dating import Dated, dated
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.gestation import GestationalAge
from semc_core.measure.growth import INTERGROWTH
from semc_core.measure.shapes import STRUCTURES, Kind, points_of
from semc_core.session.records import ACCEPTED, BY_HAND, CORRECTED, MeasurementEntry, ScaleEntry

TITLES: Final = MappingProxyType(
    {
        "distance": "Distance",
        "ellipse": "Ellipse",
        "trace": "Trace",
        "area": "Area",
        "angle": "Angle",
    }
)
STRUCTURE_TITLES: Final = MappingProxyType(
    {
        "head": "Head",
        "abdomen": "Abdomen",
        "bpd_outer_outer": "BPD, outer to outer",
        "bpd_outer_inner": "BPD, outer to inner",
        "ofd": "OFD, outer to outer",
        "femur": "Femur",
    }
)
_MAKERS: Final = MappingProxyType(
    {
        ACCEPTED: "Proposed by the program, accepted by a person.",
        CORRECTED: "Proposed by the program, corrected by a person.",
    }
)
_HINTS: Final[MappingProxyType[Tool, tuple[str, ...]]] = MappingProxyType(
    {
        "distance": ("Distance: click on one end.", "Click on the other end."),
        "ellipse": (
            "Ellipse: click on one end of an axis, such as the outer border of the skull.",
            "Click on the other end; then drag the handles of the other axis.",
        ),
        "trace": (
            "Trace: drag along the line, or click corner by corner.",
            "Go on along the line; a double click or Enter ends it.",
        ),
        "area": (
            "Area: drag around it, or click corner by corner.",
            "Go on around it; a click on the first corner, or Enter, closes it.",
        ),
        "angle": ("Angle: click on the end of one arm.", "Click on the corner.", "Click on the other end."),
        "scale": (
            "Scale: click on one end of a known length, such as the depth scale.",
            "Click on its other end, then type its millimetres.",
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
    tip = " ".join(filter(None, (_MAKERS.get(entry.made_by, "Drawn by a person."), _origin(entry))))
    title = STRUCTURE_TITLES.get(entry.structure, TITLES[entry.kind])
    return MeasureRow(
        entry.measurement_id, title, _all_lines(found, age), chosen, _with_sources(tip, found, age)
    )


def _all_lines(found: Sequence[Value], age: GestationalAge | None = None) -> tuple[tuple[str, str], ...]:
    """The numbers, and what they say of age and size, with the name of the formula."""
    return (*map(_line, found), *((f"{one.name}, {_short(one)}", one.text) for one in dated(found, age)))


def _short(one: Dated) -> str:
    return "IG-21st" if one.source.startswith(INTERGROWTH) else "Hadlock"


def _with_sources(tip: str, found: Sequence[Value], age: GestationalAge | None = None) -> str:
    return "\n".join((tip, *(f"{one.name}: {one.text}, by {one.source}." for one in dated(found, age))))


def proposal_row(outline: Ellipse, error: float, calibration: Calibration | None) -> MeasureRow:
    """What is said of a head that the program proposes; it has no number yet."""
    found = values("ellipse", points_of(outline), calibration, "head", error)
    tip = "Proposed by the program: look at the outline before you accept it."
    return MeasureRow(0, "Head, proposed", _all_lines(found[:3]), False, _with_sources(tip, found))


def proposal_text(found: bool, why: str) -> str:
    """What stands below the list on a brain plane without a measured head.

    Args:
        found: Whether an outline is proposed.
        why: Why none is, or "" while it is looked for.
    """
    if found:
        return "Y accepts it; a handle corrects it."
    return why or "Looking for the head …"


def _line(value: Value) -> tuple[str, str]:
    text = value_text(value)
    if value.low is not None and value.high is not None:
        text += f" ({value.low:.0f}–{value.high:.0f})"
    return value.name, text


def value_text(value: Value) -> str:
    """A number with its unit, with as many digits as it is worth."""
    large = 1000 if value.unit in ("mm", "px") else 100
    digits = 0 if value.unit != "°" and value.number >= large else 1
    unit = value.unit if value.unit == "°" else f" {value.unit}"
    return f"{value.number:.{digits}f}{unit}"


def _origin(entry: MeasurementEntry) -> str:
    if entry.calibration is None:
        return (
            "In pixels taken as square: no scale is known." if entry.kind == "angle" else "No scale is known."
        )
    return f"Millimetres: {entry.scale}."


def names_for(kind: Kind) -> tuple[tuple[str, str], ...]:
    """What a shape may be said to show: keys and titles, first that of nothing in particular."""
    fitting = [key for key, needed in STRUCTURES.items() if needed == kind]
    return (("", TITLES[kind]), *((key, STRUCTURE_TITLES[key]) for key in fitting))


def scale_text(told: Calibration | None, by_hand: ScaleEntry | None, why: str, key: str = "S") -> str:
    """Where millimetres come from on the frame that is shown.

    Args:
        told: What the source says; None where it says nothing.
        by_hand: What a person set; None before that.
        why: Why the source says nothing, a sentence, or "".
        key: That sets the scale.
    """
    if told is not None:
        return f"{_per_pixel(told.mm_x, told.mm_y)}, {told.origin}."
    if by_hand is not None:
        size = _per_pixel(by_hand.mm_x, by_hand.mm_y)
        return f"{size}, {BY_HAND}: {by_hand.length_mm:g} mm on frame {by_hand.frame_index}."
    return f"{why} Only pixels are shown; {key} sets the scale.".strip()


def _per_pixel(mm_x: float, mm_y: float) -> str:
    both = f"{mm_x:.4g}" if math.isclose(mm_x, mm_y) else f"{mm_x:.4g} × {mm_y:.4g}"
    return f"{both} mm per pixel"


def tool_hint(tool: Tool, count: int, remembered: str = "") -> str:
    """What to do next with a tool of which so many points are set."""
    steps = _HINTS[tool]
    text = steps[min(count, len(steps) - 1)]
    if tool == "scale" and count == 0 and remembered:
        text = f"{text} Or press Enter to take {remembered}, as set last for this source."
    return f"{text}  Esc: leave"


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
        raise UsageError("Type the length in millimetres, a number above 0, such as 50.")
    return mm
