"""A table of pictures: `index.csv` with the columns file and label; source, group, split, frame if known.

File names are relative to the table's folder, or to the folder above it, and never lead out of it. A line for
a loop is one for all of its frames, where no column names them.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from semc_core.errors import UsageError
from semc_core.text import counted, readable
from training.data.depth import with_depths
from training.data.index import DataIndex, Sample, make_index
from training.data.loops import frames_of
from training.data.readers.class_folders import SPLIT_NAMES, plain_class
from training.data.readers.columns import read_columns
from training.data.readers.options import ReadOptions

NAME: Final = "index.csv"
_LISTED: Final = 5


def fits(folder: Path) -> bool:
    """Whether there is such a table; one that cannot be understood is refused, not passed over."""
    return (folder / NAME).is_file()


def read(where: Path, options: ReadOptions) -> DataIndex:
    """Index what the table lists.

    Args:
        where: The table, or its folder.
        options: `groups` is used where the table names none.

    Raises:
        UsageError: The table is damaged, names files outside of its folder, or files that are not there, or
            says of one picture that it is of two classes or patients.
    """
    path = where / NAME if where.is_dir() else where
    try:
        table = read_columns(path)
        samples = [_sample(number, row, path, options) for number, row in table.rows]
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{path.name} cannot be read as a table of pictures; it must be a CSV file in UTF-8 with the "
            "columns file and label, and where known source, group, split and frame, a whole number."
        ) from error
    if not samples:
        raise UsageError(f"{path.name} lists no pictures; name another table.")
    missing = [sample for sample in samples if not sample.path.exists()]
    if missing:
        raise UsageError(
            f"{path.name} lists {counted(len(missing), 'missing picture')}, such as {missing[0].path.name}; "
            "complete the data set, or take out such lines."
        )
    once = list(dict.fromkeys(samples))
    again = len(samples) - len(once)
    _check_contradictions(path, once)
    if not table.has("frame"):
        once = [replace(sample, frame=frame) for sample in once for frame in frames_of(sample.path)]
    notes = [*table.notes]
    if again:
        notes.append(f"{path.name} lists {counted(again, 'picture')} again; each is used once.")
    once, deep = with_depths(once)
    return make_index(path.parent.name, _apart(once), path.parent, [*notes, *deep])


def _sample(number: int, row: dict[str, str], table: Path, options: ReadOptions) -> Sample:
    if not row["file"] or not row["label"]:
        raise UsageError(
            f"Line {number} of {table.name} names no {'label' if row['file'] else 'file'}; every line needs "
            "what the columns file and label say (of a picture that nobody labelled: unlabelled)."
        )
    folder, name = table.parent, PurePosixPath(row["file"].replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in row["file"]:
        raise UsageError(f"The table names {name}, which is not below its folder; correct the name.")
    below_parent = name.parts[0] == folder.name and not (folder / name).exists()
    path = (folder.parent if below_parent else folder) / name
    split = row.get("split") or ""
    group = row.get("group") or options.group_of(name) or name.as_posix()
    return Sample(
        path, plain_class(row["label"]), group, row.get("source") or "",
        SPLIT_NAMES.get(split.casefold(), split), int(row.get("frame") or 0),
    )  # fmt: skip


def _check_contradictions(table: Path, samples: Iterable[Sample]) -> None:
    """Refuse lines that say different things of one picture."""
    said: dict[tuple[Path, int], list[Sample]] = defaultdict(list)
    for sample in samples:
        said[sample.path, sample.frame].append(sample)
    found = [each for each in said.values() if len(each) > 1]
    if found:
        listed = "; ".join(_contradiction(each, table.parent) for each in found[:_LISTED])
        more = f"; and {counted(len(found) - _LISTED, 'other')}" if len(found) > _LISTED else ""
        raise UsageError(
            f"{table.name} says different things of {counted(len(found), 'picture')}: {listed}{more}. Leave "
            "one line for each."
        )


def _contradiction(samples: list[Sample], folder: Path) -> str:
    """The picture, with the first of label, group, source and split in which its lines differ."""
    path = samples[0].path
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    values = next(each for each in _facts(samples) if len(set(each)) > 1)
    return (
        f"{readable(name)} is {' and '.join(readable(each or '(nothing)') for each in dict.fromkeys(values))}"
    )


def _facts(samples: list[Sample]) -> Iterator[tuple[str, ...]]:
    yield tuple(sample.label for sample in samples)
    yield tuple(sample.group for sample in samples)
    yield tuple(sample.source for sample in samples)
    yield tuple(sample.split for sample in samples)


def _apart(samples: Iterable[Sample]) -> list[Sample]:
    """Groups of different sources that bear one name are different groups."""
    samples = list(samples)
    sources: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        sources[sample.group].add(sample.source)
    return [
        replace(sample, group=f"{sample.source}/{sample.group}") if len(sources[sample.group]) > 1 else sample
        for sample in samples
    ]
