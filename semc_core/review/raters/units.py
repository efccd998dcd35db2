"""What two people were both asked: the planes and marks of their sessions of one loop, matched by time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.session.records import PlaneEntry, RegionEntry
from semc_core.session.view import SessionView

Entry = TypeVar("Entry", PlaneEntry, RegionEntry)

NO_MARK: Final = "-"
"""What stands for somebody who marked nothing there; of planes that is NSP."""
_APART_S: Final = 0.2
"""Planes this near to each other are the same although their holds do not overlap."""


@dataclass(frozen=True, slots=True)
class Unit(Generic[Entry]):
    """One question, and the two answers.

    Attributes:
        kind: "plane" or "mark".
        number: From 1, by time; of each kind by itself.
        time_s: Of the first one's answer, or else of the second's.
        first: The first one's, or None.
        second: The second one's, or None.
        labels: What they say: class names, NSP, `NO_MARK`.
    """

    kind: Literal["plane", "mark"]
    number: int
    time_s: float
    first: Entry | None
    second: Entry | None
    labels: tuple[str, str]

    @property
    def agreed(self) -> bool:
        """Whether both say the same."""
        return self.labels[0] == self.labels[1]


def loop_key(session: SessionView) -> str:
    """The same for sessions of one loop: the file's hash, or of a scan that was copied its session's."""
    return session.source.sha256 or session.id


def plane_units(first: SessionView, second: SessionView) -> tuple[Unit[PlaneEntry], ...]:
    """The planes, rejected ones as NSP; one that only one of them has is NSP for the other.

    Raises:
        UsageError: They are not of the same loop, or are one and the same.
    """
    _check_pair(first, second)
    pairs = _matched(first.planes(rejected=True), second.planes(rejected=True), _hold)
    units = []
    for one, other in pairs:
        said = _plane_label(one, first), _plane_label(other, second)
        units.append((_earliest(one, other, lambda plane: plane.time_s), one, other, said))
    units.sort(key=lambda each: each[0])
    return tuple(Unit("plane", number, *each) for number, each in enumerate(units, 1))


def mark_units(first: SessionView, second: SessionView) -> tuple[Unit[RegionEntry], ...]:
    """The stretches that they marked; one that only one of them marked is `NO_MARK` for the other."""
    _check_pair(first, second)
    pairs = _matched(first.regions(), second.regions(), lambda mark: (mark.start_s, mark.end_s))
    units = []
    for one, other in pairs:
        said = (NO_MARK if one is None else one.label), (NO_MARK if other is None else other.label)
        units.append((_earliest(one, other, lambda mark: mark.start_s), one, other, said))
    units.sort(key=lambda each: each[0])
    return tuple(Unit("mark", number, *each) for number, each in enumerate(units, 1))


def _check_pair(first: SessionView, second: SessionView) -> None:
    if first.folder.resolve() == second.folder.resolve():
        raise UsageError(f"{first.folder.name} is given twice; give the sessions of two people.")
    if loop_key(first) != loop_key(second):
        raise UsageError(
            f"{first.folder.name} and {second.folder.name} are not of the same loop; give two of one loop."
        )


def _hold(plane: PlaneEntry) -> tuple[float, float]:
    return min(plane.start_s, plane.time_s), max(plane.end_s, plane.time_s)


def _plane_label(plane: PlaneEntry | None, session: SessionView) -> str:
    if plane is None or plane.rejected or plane.plane == session.model.none_class:
        return NON_STANDARD
    return plane.plane


def _earliest(one: Entry | None, other: Entry | None, time_of: Callable[[Entry], float]) -> float:
    there = one if one is not None else other
    assert there is not None
    return time_of(there)


def _matched(
    first: Sequence[Entry], second: Sequence[Entry], span: Callable[[Entry], tuple[float, float]]
) -> list[tuple[Entry | None, Entry | None]]:
    """Each with at most one of the other's: those that share most of their time, in order of that share."""
    shares = [
        (_shared(span(one), span(other)), place, beside)
        for place, one in enumerate(first)
        for beside, other in enumerate(second)
    ]
    of_first: dict[int, int] = {}
    for share, place, beside in sorted(shares, key=lambda each: (-each[0], each[1], each[2])):
        if share > 0 and place not in of_first and beside not in of_first.values():
            of_first[place] = beside
    pairs: list[tuple[Entry | None, Entry | None]] = [
        (one, second[of_first[place]] if place in of_first else None) for place, one in enumerate(first)
    ]
    pairs += [(None, other) for beside, other in enumerate(second) if beside not in of_first.values()]
    return pairs


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Common time over all time of two stretches, each `_APART_S` longer; 0 where they are apart."""
    starts = one[0] - _APART_S / 2, other[0] - _APART_S / 2
    ends = one[1] + _APART_S / 2, other[1] + _APART_S / 2
    common = min(ends) - max(starts)
    return max(0.0, common) / (max(ends) - min(starts))
