"""Frames without labels: of pictures, loops, sessions and data sets, none of a patient to be judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError, UsageError
from semc_core.review.loop import loop_of
from semc_core.session.listing import is_session, session_folders
from semc_core.session.records import PICTURES
from semc_core.session.session import Session
from semc_core.text import counted
from training.data.index import DataIndex, Sample
from training.data.loops import PER_SECOND, frames_of
from training.data.readers import ReadOptions, open_data
from training.data.readers.class_folders import pictures_below

UNLABELLED: Final = "unlabelled"
_ROUNDING_S: Final = 1e-6


def unlabelled_index(places: Sequence[str], groups: str, labelled: DataIndex) -> DataIndex:
    """Frames of these places as one set, all of the class `UNLABELLED` and of the split "train".

    A data set gives all its pictures, whatever their labels; a session, or a folder of some, its loops; any
    other folder the pictures and loops below it, of which each file is a group. Of loops ten frames a second.

    Args:
        places: Folders, tables, or "simulated:20".
        groups: Finds the patient in a file's name; see `ReadOptions`.
        labelled: What is trained and judged on; what it has in validation or test is left out here, by its
            file or its group.

    Raises:
        UsageError: There is nothing to learn from.
    """
    found = list(dict.fromkeys(sample for place in places for sample in _samples(place, groups)))
    held = [sample for sample in labelled.samples if sample.split in ("validation", "test")]
    paths, names = {sample.path.absolute() for sample in held}, {_own(sample.group) for sample in held}
    kept = [
        sample for sample in found if sample.path.absolute() not in paths and _own(sample.group) not in names
    ]
    if not kept:
        raise UsageError(
            f"There is no picture or loop in {', '.join(places)} that may be learned from; name a folder "
            "with some, of patients who are not in validation or test."
        )
    notes = [f"{counted(len(kept), 'frame')} without labels are learned from as well."]
    if left := len(found) - len(kept):
        notes.append(f"Left out: {counted(left, 'frame')} of patients in validation or test.")
    samples = tuple(replace(sample, label=UNLABELLED, split="train") for sample in kept)
    return DataIndex(UNLABELLED, samples, (UNLABELLED,), notes=tuple(notes))


def _own(group: str) -> str:
    """Joined sets have their name before each group."""
    return group.rpartition("/")[2]


def _samples(place: str, groups: str) -> Iterator[Sample]:
    folder = Path(place).expanduser()
    sessions = (
        [*([folder] if is_session(folder) else []), *session_folders(folder)] if folder.is_dir() else []
    )
    if sessions:
        for session in sessions:
            yield from _in_set(folder.name, _of_session(session))
        return
    try:
        index = open_data(place, ReadOptions(groups), leaks_allowed=True)
        yield from index.samples if index.folder is None else _in_set(index.name, index.samples)
    except UsageError:
        if not folder.is_dir():
            raise
        for path in pictures_below(folder):
            yield from (Sample(path, UNLABELLED, path.stem, frame=frame) for frame in frames_of(path))


def _in_set(name: str, samples: Iterable[Sample]) -> Iterator[Sample]:
    """As in several sets that are joined, so that a patient is known again (`training.held_out`)."""
    return (replace(sample, group=f"{name}/{sample.group}") for sample in samples)


def _of_session(folder: Path) -> Iterator[Sample]:
    """Of its loop the frames that showed a live picture; none where the loop is gone, or damaged."""
    try:
        with Session.open(folder, read_only=True) as session:
            loop = loop_of(session)
            if loop is None:
                return
            loop.close()
            table, last_s = session.frames(), float("-inf")
            group = session.source.sha256 or folder.name
            for index, time_s, picture in zip(table.index, table.pts_s, table.picture, strict=True):
                if PICTURES[int(picture)] == "live" and time_s - last_s >= 1 / PER_SECOND - _ROUNDING_S:
                    yield Sample(folder.absolute(), UNLABELLED, group, session.source.kind, frame=int(index))
                    last_s = float(time_s)
    except SemcError:
        return
