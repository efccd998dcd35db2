"""What was measured, as the writers of an export say it: one line for each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import Any, Final

from semc_core.labels import short_name
from semc_core.language import N_, _, decimal, in_english
from semc_core.measure.calipers import AC, BPD, BPD_INNER, FL, HC, OFD, Unit, Value, values
from semc_core.measure.dating import Dated, dated, said_of
from semc_core.measure.gestation import GestationalAge
from semc_core.session.records import ACCEPTED, CORRECTED, MeasurementEntry, PlaneEntry

UCUM: Final[MappingProxyType[Unit, str]] = MappingProxyType(
    {"mm": "mm", "mm²": "mm2", "°": "deg", "px": "{pixels}", "px²": "{square_pixels}"}
)
"""Each unit by the Unified Code for Units of Measure."""
MAKERS: Final = MappingProxyType(
    {ACCEPTED: N_("proposed by the program, accepted by a person"), CORRECTED: N_("corrected by a person")}
)
FETAL: Final = (HC, BPD, BPD_INNER, OFD, AC, FL)
"""What of a fetus is measured, as `measure.calipers` names it, in the order of a report."""
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """One number.

    Attributes:
        entry: The measurement that it is of.
        plane: Class name of the plane that shows the frame; "" where none does.
        value: Name, number and unit.
        age: What it says of the age of the fetus, if it says anything.
        centile: Its centile at the age by dates, else at that by the HC; None where there is none.
    """

    entry: MeasurementEntry
    plane: str
    value: Value
    age: Dated | None = None
    centile: Dated | None = None

    @property
    def where(self) -> str:
        """Frame, plane, who made it, and where its millimetres come from; in the language in use."""
        of_fetus = _("fetus {letter}", letter=self.entry.fetus) if self.entry.fetus else ""
        frame = _("frame {number}", number=self.entry.frame_index)
        parts = [of_fetus, frame, short_name(self.plane) if self.plane else ""]
        parts += [_(MAKERS.get(self.entry.made_by, N_("drawn by a person"))), scale_words(self.entry)]
        return "; ".join(filter(None, parts))

    @property
    def sentence(self) -> str:
        """All of it in one line, in English: it is stored."""
        with in_english():
            text, where = self.text, self.where
        parts = [f"Measurement {self.entry.measurement_id}, {self.value.name}: {text}", where]
        for said, word in ((self.age, "age"), (self.centile, "centile")):
            parts += [] if said is None else [f"{word} {said.text} ({said.source})"]
        return "; ".join(parts)

    @property
    def text(self) -> str:
        """The number with its unit, and the interval where there is one; in the language in use."""
        value = self.value
        unit = value.unit if value.unit == "°" else f" {value.unit}"
        said = f"{decimal(value.number, 1)}{unit}"
        if value.low is None or value.high is None:
            return said
        return _(
            "{value} (90 %: {low} to {high})",
            value=said, low=decimal(value.low, 1), high=decimal(value.high, 1),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FetalMeasure:
    """All that was measured of one thing of a fetus, in millimetres.

    Attributes:
        fetus: Letter of the fetus; "" where there is one only.
        name: One of `FETAL`.
        values: The measurements, in order; at least one.
        mm: What stands for them: their mean.
        age: The age by that, where there is a formula.
        centile: Its centile at the age by dates, else that of a head's diameter at the age by the HC.
    """

    fetus: str
    name: str
    values: tuple[MeasuredValue, ...]
    mm: float
    age: Dated | None
    centile: Dated | None


def scale_words(entry: MeasurementEntry) -> str:
    """Where the millimetres come from; in the language in use."""
    return _("no scale is known") if entry.calibration is None else _("scale {origin}", origin=_(entry.scale))


def measured_values(
    entries: Sequence[MeasurementEntry], planes: Sequence[PlaneEntry], age: GestationalAge | None = None
) -> tuple[MeasuredValue, ...]:
    """Every number of every measurement, in order; `age` is that of the pregnancy by dates."""
    names = {plane.plane_id: plane.plane for plane in planes}
    made: list[MeasuredValue] = []
    for entry in entries:
        found = values(entry.kind, entry.points, entry.calibration, entry.structure, entry.error)
        lines = dated(found, age)
        plane = names.get(entry.plane_id or 0, "")
        made += [MeasuredValue(entry, plane, value, *said_of(value, lines)) for value in found]
    return tuple(made)


def was_measured_in(entry: MeasurementEntry, plane: PlaneEntry) -> bool:
    """Whether a plane's picture is the frame that was measured: another may have been chosen since."""
    return (entry.plane_id, entry.frame_index) == (plane.plane_id, plane.frame_index)


def fetal_measures(measured: Sequence[MeasuredValue], age: GestationalAge | None) -> tuple[FetalMeasure, ...]:
    """What was measured of each fetus, in the order of `FETAL`; what is in pixels is left out.

    Args:
        measured: All that was measured.
        age: Of the pregnancy by dates.
    """
    letters = sorted({one.entry.fetus for one in measured})
    return tuple(
        found
        for letter in letters
        for found in _of_one(letter, [one for one in measured if one.entry.fetus == letter], age)
    )


def _of_one(
    fetus: str, measured: Sequence[MeasuredValue], age: GestationalAge | None
) -> tuple[FetalMeasure, ...]:
    """What was measured of one fetus."""
    found = {
        name: tuple(one for one in measured if (one.value.name, one.value.unit) == (name, "mm"))
        for name in FETAL
    }
    means = [
        Value(name, fmean(one.value.number for one in ones), "mm") for name, ones in found.items() if ones
    ]
    lines = dated(means, age)
    return tuple(
        FetalMeasure(fetus, mean.name, found[mean.name], mean.number, *said_of(mean, lines)) for mean in means
    )


def dated_rows(
    entries: Sequence[MeasurementEntry], age: GestationalAge | None
) -> tuple[tuple[str, str, str], ...]:
    """What measurements say of age and size: name, text, formula; `age` is that by dates."""
    return tuple(
        (f"{entry.measurement_id}: {one.name}", one.text, one.source)
        for entry in entries
        for one in dated(
            values(entry.kind, entry.points, entry.calibration, entry.structure, entry.error), age
        )
    )


def measurement_record(entry: MeasurementEntry, age: GestationalAge | None) -> dict[str, Any]:
    """A measurement as plain JSON values; `age` is that of the pregnancy by dates."""
    found = values(entry.kind, entry.points, entry.calibration, entry.structure, entry.error)
    return {
        "measurement_id": entry.measurement_id,
        "kind": entry.kind,
        "structure": entry.structure,
        "frame_index": entry.frame_index,
        "points": [list(point) for point in entry.points],
        "mm_x": entry.mm_x,
        "mm_y": entry.mm_y,
        "scale": entry.scale,
        "made_by": entry.made_by,
        **({"fetus": entry.fetus} if entry.fetus else {}),
        "values": [_value_record(value) for value in found],
        "dated": [{"name": one.name, "text": one.text, "source": one.source} for one in dated(found, age)],
    }


def _value_record(value: Value) -> dict[str, Any]:
    record = {"name": value.name, "value": round(value.number, _DIGITS), "unit": UCUM[value.unit]}
    if value.low is not None and value.high is not None:
        record |= {"low": round(value.low, _DIGITS), "high": round(value.high, _DIGITS)}
    return record
