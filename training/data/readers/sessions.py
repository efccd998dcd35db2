"""Sessions of this program: saved planes as a person left them, and the stretches of time she marked.

A plane has its name as it stands now; a rejected one is NSP. A session that nobody corrected says only what
the model thinks already, and is left out. Sessions of one kind are read together, never fetuses with livers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError
from semc_core.groups.joined import joined
from semc_core.labels import NON_STANDARD
from semc_core.protocols.kinds import Planes, kinds_of, one_kind
from semc_core.review.loop import loop_of
from semc_core.session.listing import is_session, session_folders
from semc_core.session.records import PICTURES
from semc_core.session.session import Session
from semc_core.session.view import SessionView
from semc_core.text import counted
from training.data.index import DataIndex, Sample, in_order, make_index
from training.data.readers.options import ReadOptions

_PER_SECOND: Final = 10.0
"""Frames of a marked stretch that are used: more of them would be alike."""


@dataclass(slots=True)
class _Found:
    """What the sessions gave so far."""

    samples: list[Sample] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    untouched: int = 0
    other_kinds: int = 0
    planes: Planes = ()
    without_loop: int = 0
    other_marks: set[str] = field(default_factory=set)


def fits(folder: Path) -> bool:
    """Whether it is a session, or holds some."""
    return bool(_sessions(folder))


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the sessions. Sessions of one loop are a group, and so are those of one patient, where they say
    by an examination of a worklist whose they are; any other is a group of its own.

    Raises:
        UsageError: No session holds a correction, or what was scanned in them is of more than one kind and
            `options.of` does not choose one.
        SessionError: One is damaged.
    """
    found = _Found()
    for path in _of_one_kind(folder, options, found):
        with Session.open(path, read_only=True) as session:
            group = session.source.sha256 or path.name
            found.groups.append(_group_keys(session, group))
            found.samples += [
                Sample(picture, label, group, session.source.kind) for picture, label in _planes(session)
            ]
            found.samples += _marked(session, group, found)
    # Under the name of the first: who was examined is written nowhere.
    firsts = joined(found.groups)
    names = {own[0]: found.groups[first][0] for own, first in zip(found.groups, firsts, strict=True)}
    found.samples = [replace(sample, group=names[sample.group]) for sample in found.samples]
    classes = in_order([*found.classes, *(sample.label for sample in found.samples)])
    index = make_index(folder.name, found.samples, folder, _notes(found), classes)
    return replace(index, scanned=found.planes)


def _of_one_kind(folder: Path, options: ReadOptions, found: _Found) -> list[Path]:
    """The sessions with corrections that may be learned from together; what else is known goes to `found`."""
    paths, known, corrected = _sessions(folder), list[Planes](), list[bool]()
    for path in paths:
        with Session.open(path, read_only=True) as session:
            known.append(tuple(name for name in session.model.classes if name != session.model.none_class))
            corrected.append(session.corrections > 0)
    fitting = iter(one_kind(list(itertools.compress(known, corrected)), options.of, folder.name))
    kept = [changed and next(fitting) for changed in corrected]
    found.planes = next(iter(kinds_of(itertools.compress(known, kept))), ())
    found.classes = [*found.planes, NON_STANDARD]
    found.untouched, found.other_kinds = corrected.count(False), sum(corrected) - sum(kept)
    return list(itertools.compress(paths, kept))


def _group_keys(session: SessionView, group: str) -> tuple[str, ...]:
    """The name of a session's group, and its patient where that is known."""
    asked = session.examination
    return (group,) if asked is None or not asked.patient_id else (group, f"patient {asked.patient_id}")


def _planes(session: SessionView) -> Iterator[tuple[Path, str]]:
    """Picture and label of each plane that has a picture."""
    for plane in session.planes(rejected=True):
        if plane.png is not None and (session.folder / plane.png).is_file():
            yield session.folder / plane.png, NON_STANDARD if plane.rejected else plane.plane


def _marked(session: SessionView, group: str, found: _Found) -> list[Sample]:
    """Frames of the stretches that are marked with the name of a class."""
    names = {_ours(session, name) for name in session.model.classes}
    names |= {plane.plane for plane in session.planes()}
    wanted = {}
    for region in session.regions():
        label = _ours(session, region.label)
        if label not in names:
            found.other_marks.add(region.label)
            continue
        last_s = float("-inf")
        table = session.frames(region.start_s, region.end_s)
        for index, time_s, picture in zip(table.index, table.pts_s, table.picture, strict=True):
            if PICTURES[int(picture)] == "live" and time_s - last_s >= 1 / _PER_SECOND - 1e-6:
                wanted[int(index)] = label
                last_s = float(time_s)
    if wanted and not _has_loop(session):
        found.without_loop += 1
        return []
    return [
        Sample(session.folder, label, group, session.source.kind, frame=index)
        for index, label in sorted(wanted.items())
    ]


def _has_loop(session: SessionView) -> bool:
    try:
        loop = loop_of(session)
    except SemcError:
        return False  # Counted, and told in a note.
    if loop is not None:
        loop.close()
    return loop is not None


def _ours(session: SessionView, name: str) -> str:
    return NON_STANDARD if name == session.model.none_class else name


def _notes(found: _Found) -> list[str]:
    notes = ["Sessions without an examination do not say who was examined: each of their loops is a group."]
    if found.untouched:
        notes.append(f"Left out: {counted(found.untouched, 'session')} without corrections.")
    if found.other_kinds:
        notes.append(
            f"Left out: {counted(found.other_kinds, 'session')} in which something else was scanned."
        )
    if found.without_loop:
        notes.append(f"Left out: marks in {counted(found.without_loop, 'session')} without a loop.")
    if found.other_marks:
        notes.append(f"Marks that name no class were left out: {', '.join(sorted(found.other_marks))}.")
    return notes


def _sessions(folder: Path) -> list[Path]:
    return [*([folder] if is_session(folder) else []), *session_folders(folder)]
