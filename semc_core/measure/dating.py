"""What a fetal measure says of age and size: by which formula, and nothing outside of its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from semc_core.errors import UsageError
from semc_core.language import N_
from semc_core.measure.calipers import AC, BPD, BPD_INNER, FL, HC, OFD, Value
from semc_core.measure.gestation import AS_GIVEN, GestationalAge
from semc_core.measure.growth import Measure, age_from, centile

_DATED: Final[MappingProxyType[str, Measure]] = MappingProxyType(
    # Hadlock measured BPD from outer to inner border: one from outer to outer is not dated by it.
    {HC: "HC", BPD_INNER: "BPD", AC: "AC", FL: "FL"}
)
_RANKED: Final[MappingProxyType[str, Measure]] = MappingProxyType(
    {HC: "HC", BPD: "BPD", OFD: "OFD", AC: "AC", FL: "FL"}
)
_AGES: Final[MappingProxyType[Measure, str]] = MappingProxyType(
    {
        "HC": N_("Age by HC"),
        "BPD": N_("Age by BPD"),
        "AC": N_("Age by AC"),
        "FL": N_("Age by FL"),
    }
)
_CENTILES: Final[MappingProxyType[Measure, str]] = MappingProxyType(
    {
        "HC": N_("Centile of HC"),
        "BPD": N_("Centile of BPD"),
        "OFD": N_("Centile of OFD"),
        "AC": N_("Centile of AC"),
        "FL": N_("Centile of FL"),
    }
)
_OF_A_HEAD: Final = (BPD, OFD)
"""What the age by the HC of the same head can rank: the HC itself is always median at it."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One line on age or size.

    Attributes:
        name: "Age by HC", or "Centile of BPD".
        text: "20+3" weeks and days, or a whole centile.
        source: The formula, for people.
        number: The same as a number: whole days, or percent, of which nothing is cut off.
        measure: Of which it is said.
    """

    name: str
    text: str
    source: str
    number: float
    measure: Measure


def dated(found: Sequence[Value], age: GestationalAge | None = None) -> tuple[Dated, ...]:
    """The age by each value that has a formula, and centiles.

    With an `age` by dates each measure gets its centile at that. Without one only a head's diameters do, at
    the age by its HC.

    Of values in pixels, and outside of a formula's range, nothing is said.
    """
    lines: list[Dated] = []
    weeks: float | None = None
    for value in found:
        measure = _DATED.get(value.name)
        if measure is None or value.unit != "mm":
            continue
        try:
            by_measure = age_from(measure, value.number)
        except UsageError:
            continue
        lines.append(Dated(_AGES[measure], str(by_measure), by_measure.source, by_measure.days, measure))
        weeks = by_measure.weeks if measure == "HC" else weeks
    at = "at the age by HC"
    if age is not None:
        by = "" if age.origin == AS_GIVEN else "by "
        weeks, at = age.weeks, f"at {age} {by}{age.origin}"
    for value in found:
        ranked = _RANKED.get(value.name)
        if ranked is None or weeks is None or value.unit != "mm":
            continue
        if age is None and value.name not in _OF_A_HEAD:
            continue
        try:
            place = centile(ranked, value.number, weeks)
        except UsageError:
            continue
        lines.append(
            Dated(_CENTILES[ranked], _whole(place.percent), f"{place.source}, {at}", place.percent, ranked)
        )
    return tuple(lines)


def said_of(value: Value, lines: Sequence[Dated]) -> tuple[Dated | None, Dated | None]:
    """Of what `dated` says of a measurement: the age by this value, and its centile."""
    named = {line.name: line for line in lines}
    age, ranked = _DATED.get(value.name), _RANKED.get(value.name)
    return (
        None if age is None else named.get(_AGES[age]),
        None if ranked is None else named.get(_CENTILES[ranked]),
    )


def _whole(percent: float) -> str:
    if percent < 1:
        return "< 1"
    return "> 99" if percent > 99 else f"{percent:.0f}"
