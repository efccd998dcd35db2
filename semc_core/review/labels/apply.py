"""Labels of frames as corrections of a session: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from semc_core.errors import SessionError, UsageError
from semc_core.labels import NON_STANDARD
from semc_core.review.inspect import look
from semc_core.review.labels.files import PictureLabel
from semc_core.review.loop import loop_of, loop_place
from semc_core.session.correcting.changes import AddPlane, Change, MarkRegion, Reject, Relabel, Restore
from semc_core.session.records import PERSON, FrameTable, PlaneEntry, RegionEntry
from semc_core.session.session import Session
from semc_core.text import counted
from semc_core.types import FrameResult

READ: Final = "labels read"
"""Kind of the log's entry after labels were taken over."""


@dataclass(frozen=True, slots=True)
class _Added:
    """A plane to add at a frame, whose picture is read when it comes to it."""

    plane: str
    frame_index: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """What came of a file of labels.

    Attributes:
        frames: Frames of this session that it labels.
        changes: Corrections that were made; what the session says already is none.
        of_others: Labels of pictures of other sessions, left out.
        drawn: Labels of what was drawn into pictures, left out.
    """

    frames: int
    changes: int
    of_others: int
    drawn: int

    @property
    def sentence(self) -> str:
        """For the user."""
        said = f"{counted(self.frames, 'frame')} labelled, {counted(self.changes, 'correction')} made."
        if self.of_others:
            said += f" Left out: {counted(self.of_others, 'label')} of other sessions."
        if self.drawn:
            said += f" Left out: {counted(self.drawn, 'label')} of what was drawn into pictures."
        return said


def label_session(
    session: Session, labels: Sequence[PictureLabel], meant: Mapping[str, str], sha256: str
) -> Labelled:
    """Correct a session by the labels of a file.

    A plane at a labelled frame gets that name, or is rejected where the label says none. At other frames a
    plane is added; two or more frames in a row with one label become a mark, as do those without a plane.

    Args:
        session: Open for writing.
        labels: From `read_labels`.
        meant: For a label the plane that it means; "" leaves it out.
        sha256: Of the file, for the log.

    Raises:
        UsageError: A label is unknown, a frame has two, or is not in the session: nothing was changed.
        SessionError: Planes are to be added, and the session's frames are nowhere: nothing was changed.
        SourceError: A frame cannot be read: nothing was changed.
        SemcError: A change cannot be written; those before it were.
    """
    own = [each for each in labels if each.session in ("", session.id[: len(each.session)])]
    of_picture, drawn = _of_pictures(session, own, meant)
    wanted = _by_frame(of_picture, session.frames())
    changes = _changes(session, wanted)
    _check_loop(session, changes)
    made = _apply(session, changes)
    if wanted:
        session.log(PERSON, READ, {"sha256": sha256, "frames": len(wanted), "changes": made})
    return Labelled(len(wanted), made, len(labels) - len(own), drawn)


def _of_pictures(
    session: Session, labels: Sequence[PictureLabel], meant: Mapping[str, str]
) -> tuple[list[tuple[PictureLabel, str]], int]:
    """The labels of pictures with the plane that each means, and how many others there are."""
    none = session.model.none_class
    known = {*session.model.classes, NON_STANDARD, *(plane.plane for plane in session.planes(rejected=True))}
    found, drawn, unknown = [], 0, set()
    for each in labels:
        name = meant.get(each.label, each.label)
        mapped = each.label in meant
        if name in known:
            found.append((each, NON_STANDARD if name == none else name))
        elif not each.of_picture and not (mapped and name):
            drawn += 1
        elif name or not mapped:
            unknown.add(name)
    if unknown:
        names = ", ".join(sorted(unknown))[:200]
        raise UsageError(
            f"The session's model knows no plane {names}; say which it is with --map LABEL=PLANE, or leave "
            "it out with --map LABEL=."
        )
    return found, drawn


def _by_frame(labels: Sequence[tuple[PictureLabel, str]], table: FrameTable) -> dict[int, str]:
    """For each row of the table that is labelled, its label.

    Raises:
        UsageError: A frame is not in the session, or has two labels.
    """
    rows = {int(index): row for row, index in enumerate(table.index)}
    wanted: dict[int, str] = {}
    for each, name in labels:
        row = rows.get(each.frame_index)
        if row is None:
            raise UsageError(
                f"The picture {each.picture[:80]!r} shows frame {each.frame_index}, which is not in this "
                "session; give the session that it is of."
            )
        if wanted.setdefault(row, name) != name:
            raise UsageError(
                f"The picture {each.picture[:80]!r} is labelled {wanted[row]} and {name}; leave one of them."
            )
    return dict(sorted(wanted.items()))


def _changes(session: Session, wanted: Mapping[int, str]) -> list[Change | _Added]:
    table = session.frames()
    planes: dict[int, list[PlaneEntry]] = {}
    for plane in session.planes(rejected=True):
        planes.setdefault(plane.frame_index, []).append(plane)
    changes: list[Change | _Added] = []
    for first, last, name in _runs(wanted):
        there = [plane for row in range(first, last + 1) for plane in planes.get(int(table.index[row]), ())]
        changes += [change for plane in there for change in _judged(plane, name)]
        if last == first and (there or name != NON_STANDARD):
            changes += [] if there else [_Added(name, int(table.index[first]))]
        elif not _is_marked(session.regions(), float(table.pts_s[first]), float(table.pts_s[last]), name):
            changes.append(MarkRegion(float(table.pts_s[first]), float(table.pts_s[last]), name))
    return changes


def _runs(wanted: Mapping[int, str]) -> list[tuple[int, int, str]]:
    """First and last row of frames in a row that have one label."""
    runs: list[tuple[int, int, str]] = []
    for row, name in wanted.items():
        if runs and runs[-1][1] == row - 1 and runs[-1][2] == name:
            runs[-1] = (runs[-1][0], row, name)
        else:
            runs.append((row, row, name))
    return runs


def _judged(plane: PlaneEntry, name: str) -> list[Change]:
    """What a label says of a plane at its frame; nothing where a person said the same already."""
    if name == NON_STANDARD:
        return [] if plane.rejected else [Reject(plane.plane_id)]
    restored: list[Change] = [Restore(plane.plane_id)] if plane.rejected else []
    if restored or plane.plane != name or plane.chosen_by != PERSON:
        return [*restored, Relabel(plane.plane_id, name)]
    return []


def _is_marked(regions: Sequence[RegionEntry], start_s: float, end_s: float, name: str) -> bool:
    return any((each.start_s, each.end_s, each.label) == (start_s, end_s, name) for each in regions)


def _check_loop(session: Session, changes: Sequence[Change | _Added]) -> None:
    if any(isinstance(change, _Added) for change in changes):
        place = loop_place(session)
        if place.path is None:
            raise SessionError(f"Planes are to be added, and their pictures are nowhere. {place.missing}")


def _apply(session: Session, changes: Sequence[Change | _Added]) -> int:
    """Make the changes; returns how many. What the loop lacks, or cannot show, is known before the first."""
    added = [change.frame_index for change in changes if isinstance(change, _Added)]
    loop = loop_of(session) if added else None
    if loop is None:
        for change in changes:
            assert not isinstance(change, _Added)
            session.apply(change)
        return len(changes)
    try:
        places = {loop.number_of(place): place for place in range(loop.count)}
        missing = [index for index in added if index not in places]
        if missing:
            raise SessionError(f"The loop of this session has no frame {missing[0]}; put the old one back.")
        table, model = session.frames(), session.model

        def seen(index: int) -> FrameResult:
            return look(loop.frame(places[index]), table, model, None)

        for index in added:
            # Twice: held, the pictures of a long loop would be gigabytes.
            seen(index)
        for change in changes:
            if isinstance(change, _Added):
                change = AddPlane(change.plane, seen(change.frame_index))
            session.apply(change)
    finally:
        loop.close()
    return len(changes)
