"""One session of two people's: what they agree in, and in what they differ what a third decided."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.picture import Picture
from semc_core.review.inspect import look
from semc_core.review.raters.decisions import Key, decided, key_of, read_decisions
from semc_core.review.raters.units import NO_MARK, Unit, loop_key, mark_units, plane_units
from semc_core.session.correcting.changes import (
    AddPlane,
    MarkRegion,
    MoveToFetus,
    Reject,
    Relabel,
    SetFetus,
)
from semc_core.session.examination import Examination, is_same_patient
from semc_core.session.files import read_png, write_plane
from semc_core.session.frame_table import FrameRow
from semc_core.session.records import (
    PERSON,
    PICTURES,
    FrameTable,
    PlaneEntry,
    RegionEntry,
    file_sha256,
)
from semc_core.session.session import Session
from semc_core.session.view import SessionView
from semc_core.types import FramePacket, FrameResult, HoldEvent

MERGED: Final = "merged"
"""Kind of the log's entry that says of which sessions this one was made."""
_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Merged:
    """What was made.

    Attributes:
        folder: Of the new session.
        planes: Planes in it, rejected ones too.
        agreed: Planes and marks in which both agreed.
        decided: Those that the third decided.
    """

    folder: Path
    planes: int
    agreed: int
    decided: int


def merge(first: SessionView, second: SessionView, folder: Path, decisions: Path | None) -> Merged:
    """Make the session. The two stay as they are.

    It has the frames that the first one's model classified, its planes under the names that hold now, each as
    a person's word, of several fetuses also of which one it is, the marks, and the examination that the scan
    belongs to. Measurements, notes and the words on a protocol's items stay behind: they are one person's.

    Args:
        first: One person's.
        second: The other's, of the same loop.
        folder: The new session's; nothing is there yet.
        decisions: The table of differences, filled in; None where there is none.

    Raises:
        UsageError: They are not of one loop, of two patients, or a difference is not decided.
        SessionError: The folder holds a session already.
        SemcError: A picture cannot be read, or nothing can be written.
    """
    planes, marks = plane_units(first, second), mark_units(first, second)
    table = {} if decisions is None else read_decisions(decisions)
    known = {*first.model.classes, *second.model.classes, NON_STANDARD}
    units: list[Unit[Any]] = [*planes, *marks]
    settled = decided(loop_key(first), units, table, known)
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another name for the new session.")
    about = _examination(first, second)
    with _made(folder, first, about) as made:
        _write_frames(made, first.frames())
        for time_s, fetus in first.fetuses().turns or second.fetuses().turns:
            made.apply(SetFetus(time_s, fetus))
        writer = _Writer(made, first, second)
        for number, unit in enumerate(planes, 1):
            writer.plane(number, unit, settled[key_of(loop_key(first), unit)])
        for mark in marks:
            _mark(made, mark, settled)
        if first.complete:
            made.mark_complete()
        sha256 = "" if decisions is None else file_sha256(decisions)
        heads = {"first": first.head[1], "second": second.head[1]}
        made.log(PERSON, MERGED, {**heads, "decisions": sha256})
        agreed = sum(each.agreed for each in units)
        return Merged(made.folder, len(planes), agreed, len(units) - agreed)


@contextmanager
def _made(folder: Path, first: SessionView, about: Examination | None) -> Iterator[Session]:
    """The new session; what ends by a fault leaves nothing of it, so that the next try finds room."""
    made = Session.create(folder, first.source, first.model, about)
    try:
        with made:
            yield made
    except BaseException:
        shutil.rmtree(made.folder, ignore_errors=True)
        raise


def _examination(first: SessionView, second: SessionView) -> Examination | None:
    """That of both; what only one of them says holds.

    Raises:
        UsageError: They are of two patients.
    """
    one, other = first.examination, second.examination
    if one is None or other is None:
        return one or other
    if not (one.names_patient and other.names_patient):
        return one if one.names_patient else other
    if not is_same_patient(one.patient_name, one.patient_id, other):
        raise UsageError(
            f"{first.folder.name} and {second.folder.name} have examinations of two patients; merge what is "
            "of one."
        )
    return one


def _write_frames(made: Session, table: FrameTable) -> None:
    """What was concluded of each frame, as it stands in the first one's log."""
    rows = [_row(made, table, row) for row in range(len(table))]
    for start in range(0, len(rows), _ROWS):
        made.write_rows(rows[start : start + _ROWS])


def _row(made: Session, table: FrameTable, row: int) -> FrameRow:
    classified = not bool(_is_nan(table.probabilities[row]))
    label = made.model.classes[int(table.label[row])]
    left, top, width, height = (int(side) for side in table.crop[row])
    return FrameRow(
        index=int(table.index[row]),
        pts_s=float(table.pts_s[row]),
        picture=PICTURES[int(table.picture[row])],
        label=label,
        confidence=float(table.confidence[row]),
        smoothed=table.smoothed[row],
        probabilities=table.probabilities[row] if classified else None,
        novelty=float(table.novelty[row]),
        expert_weights=table.expert_weights[row] if classified else None,
        crop=(left, top, width, height),
        moving=bool(table.moving[row]),
        quality=table.quality_at(row),
    )


def _is_nan(values: Any) -> bool:
    return bool((values != values).any())


class _Writer:
    """Writes the planes of a merged session."""

    def __init__(self, made: Session, first: SessionView, second: SessionView) -> None:
        self._made, self._first, self._second = made, first, second
        self._table = made.frames()

    def plane(self, number: int, unit: Unit[PlaneEntry], label: str) -> None:
        """The plane as it is decided: its picture is that of whoever said so, the first one's if both did."""
        chosen = self._chosen(unit, label)
        if chosen is None:
            return
        entry, session = chosen
        shown = self._shown(entry, session)
        if entry.found_as is None:
            if label != NON_STANDARD:
                self._settle_fetus(self._made.apply(AddPlane(label, shown)), entry.fetus)
            return
        hold = HoldEvent(
            number, entry.found_as, shown, entry.confidence, entry.start_s, entry.end_s, True, entry.by_hand
        )
        files = write_plane(self._made.folder, hold, self._made.source, self._made.model)
        self._made.record_plane(hold, files.png, files.sha256, files.hashes)
        self._made.apply(Reject(number) if label == NON_STANDARD else Relabel(number, label))
        self._settle_fetus(number, entry.fetus)

    def _settle_fetus(self, number: int | None, fetus: str) -> None:
        """The plane is of the same fetus as in the session that it comes from, whenever it was seen."""
        if number is not None and fetus:
            self._made.apply(MoveToFetus(number, fetus))

    def _chosen(self, unit: Unit[PlaneEntry], label: str) -> tuple[PlaneEntry, SessionView] | None:
        """Whose picture is taken; None where neither has one."""
        sides = [(unit.first, self._first, unit.labels[0]), (unit.second, self._second, unit.labels[1])]
        sides.sort(key=lambda side: side[2] != label)  # stable: of both that say it the first
        for entry, session, _ in sides:
            if entry is not None and entry.png is not None:
                return entry, session
        return None

    def _shown(self, entry: PlaneEntry, session: SessionView) -> FrameResult:
        assert entry.png is not None
        pixels = read_png(session.folder / entry.png, entry.png_sha256)
        packet = FramePacket(
            self._made.source.source_id, entry.frame_index, entry.time_s, 0.0, Picture(pixels)
        )
        return look(packet, self._table, self._made.model, None)


def _mark(made: Session, unit: Unit[RegionEntry], settled: Mapping[Key, str]) -> None:
    """The stretch as whoever said so marked it; where both did, what is in both."""
    label = settled[key_of(loop_key(made), unit)]
    there = [
        mark for mark, said in zip((unit.first, unit.second), unit.labels, strict=True)
        if mark is not None and said == label
    ]  # fmt: skip
    if label == NO_MARK:
        return
    if not there:  # the third says what neither did
        there = [mark for mark in (unit.first, unit.second) if mark is not None]
    start_s, end_s = max(mark.start_s for mark in there), min(mark.end_s for mark in there)
    made.apply(MarkRegion(start_s, max(start_s, end_s), label))
