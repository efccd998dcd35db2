"""How far an examination is with its protocol: pure functions from planes and a person's words to rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from semc_core.language import N_, _, joined
from semc_core.protocols.protocol import Protocol, ProtocolItem
from semc_core.session.fetuses import FIRST
from semc_core.session.records import PERSON, ItemEntry, ModelEntry, PlaneEntry
from semc_core.types import SavedPlane


class Status(StrEnum):
    """How an item stands."""

    FOUND = "found"
    WEAK = "weak"
    MISSING = "missing"
    NOT_POSSIBLE = "not possible"
    UNKNOWN = "unknown to the model"


_COUNTED: Final = MappingProxyType(
    {
        Status.NOT_POSSIBLE: N_("{count} not possible"),
        Status.WEAK: N_("{count} weak"),
        Status.UNKNOWN: N_("{count} unknown to the model"),
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A plane that may fulfil an item.

    Attributes:
        plane_id: Of the plane in its scan.
        plane: Class name.
        confidence: The model's, 0-1.
        time_s: In the scan, seconds.
        saved: Whether its picture was written.
        named: A person said which plane this is: added it, renamed it, restored it or chose its frame.
        by_hand: Saved with the key, under the name that the program had for the picture.
    """

    plane_id: int
    plane: str
    confidence: float
    time_s: float
    saved: bool
    named: bool
    by_hand: bool


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One row.

    Attributes:
        item: Of the protocol.
        status: How it stands.
        best: The plane that shows it best, or None.
        reason: Why it was not possible, in a person's words, or "".
    """

    item: ProtocolItem
    status: Status
    best: Evidence | None = None
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.status in (Status.FOUND, Status.NOT_POSSIBLE)


@dataclass(frozen=True, slots=True)
class Checklist:
    """A protocol as it stands: a row for each of its items, in its order.

    `fetus` is the letter of the one that it is of; "" where there is one only.
    """

    protocol: Protocol
    rows: tuple[ChecklistItem, ...]
    fetus: str = ""

    @property
    def required(self) -> tuple[ChecklistItem, ...]:
        """The rows that count."""
        return tuple(row for row in self.rows if not row.item.optional)

    @property
    def completeness(self) -> float:
        """Share of the required items that are found or not possible, 0-1; 1 where none is required."""
        required = self.required
        return sum(row.settled for row in required) / len(required) if required else 1.0

    def count(self, status: Status) -> int:
        """How many of the required items stand so."""
        return sum(row.status is status for row in self.required)

    def row(self, item_id: str) -> ChecklistItem | None:
        """The row of an item."""
        return next((row for row in self.rows if row.item.id == item_id), None)


def of_entry(plane: PlaneEntry) -> Evidence:
    """What a plane of a session is evidence of. Not for one that was rejected."""
    # A frame that was captured during the scan has the name that the program had for it.
    captured = plane.by_hand and plane.found_as == plane.plane
    return Evidence(
        plane_id=plane.plane_id,
        plane=plane.plane,
        confidence=plane.confidence,
        time_s=plane.time_s,
        saved=plane.png is not None,
        named=plane.chosen_by == PERSON and not captured,
        by_hand=captured,
    )


def of_saved(plane: SavedPlane) -> Evidence:
    """What a plane of a scan that is going on is evidence of."""
    return Evidence(
        plane_id=plane.hold_id,
        plane=plane.plane,
        confidence=plane.confidence,
        time_s=plane.time_s,
        saved=plane.png is not None,
        named=False,
        by_hand=plane.by_hand,
    )


def checklist(
    protocol: Protocol,
    evidence: Iterable[Evidence],
    words: Iterable[ItemEntry],
    model_planes: Collection[str] | None,
    enter: float,
) -> Checklist:
    """How each item stands.

    An item is found when one of its planes is saved and either the model is at least as sure of it as it
    must be to call a plane held, or a person said which plane it is. With a plane that is held or captured
    only, or less sure, it is weak. What a person said to be impossible is, unless it is found all the same.

    Args:
        protocol: The protocol.
        evidence: The planes of the scan, without those that were rejected.
        words: A person's, on items of any protocol.
        model_planes: The model's planes; None while the model is not known.
        enter: The model's `Thresholds.enter`, 0-1.
    """
    planes = sorted(evidence, key=lambda one: (_counts(one, enter), one.saved, one.confidence), reverse=True)
    reasons = {word.item_id: word.reason for word in words if word.protocol_id == protocol.id and word.status}
    unknown = set() if model_planes is None else {item.id for item in protocol.unknown_items(model_planes)}
    rows = []
    for item in protocol.items:
        best = next((one for one in planes if protocol.takes(item, one.plane, model_planes)), None)
        if best is not None and _counts(best, enter):
            status = Status.FOUND
        elif item.id in reasons:
            status = Status.NOT_POSSIBLE
        elif best is not None:
            status = Status.WEAK
        else:
            status = Status.UNKNOWN if item.id in unknown else Status.MISSING
        reason = reasons.get(item.id, "") if status is Status.NOT_POSSIBLE else ""
        rows.append(ChecklistItem(item, status, best, reason))
    return Checklist(protocol, tuple(rows))


def words_on(words: Iterable[ItemEntry], fetus: str) -> tuple[ItemEntry, ...]:
    """What a person said of the fetus of this letter; with "", of the first or only one."""
    return tuple(word for word in words if (word.fetus or FIRST) == (fetus or FIRST))


def session_checklist(
    protocol: Protocol,
    model: ModelEntry,
    planes: Sequence[PlaneEntry],
    words: Iterable[ItemEntry],
    fetus: str = "",
) -> Checklist:
    """How each item stands in a session.

    Args:
        protocol: The protocol.
        model: The session's.
        planes: The session's; those that were rejected count for nothing.
        words: A person's.
        fetus: Letter of the one whose planes count; "" where there is one only.
    """
    state = checklist(
        protocol,
        [of_entry(plane) for plane in planes if not plane.rejected and plane.fetus == fetus],
        words_on(words, fetus),
        [name for name in model.classes if name != model.none_class],
        model.thresholds.enter,
    )
    return replace(state, fetus=fetus)


def session_checklists(
    protocol: Protocol,
    model: ModelEntry,
    planes: Sequence[PlaneEntry],
    words: Sequence[ItemEntry],
    letters: Sequence[str],
) -> tuple[Checklist, ...]:
    """How each item stands for each fetus: `letters` are theirs, none where there is one only."""
    return tuple(session_checklist(protocol, model, planes, words, one) for one in letters or ("",))


def _counts(one: Evidence, enter: float) -> bool:
    """Whether this plane alone fulfils its item."""
    return one.saved and (one.named or one.confidence >= enter)


def progress_words(state: Checklist) -> str:
    """How far it is: "4 of 6 found, 1 not possible, 1 weak"; optional items are not counted."""
    required = state.required
    if not required:
        return _("nothing is required")
    parts = [_("{found} of {count} found", found=state.count(Status.FOUND), count=len(required))]
    parts += [_(text, count=count) for status, text in _COUNTED.items() if (count := state.count(status))]
    return joined(parts, ", ")
