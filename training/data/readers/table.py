"""A table of pictures: `index.csv` with the columns file and label; source, group, split, frame if known.

File names are relative to the table's folder, or to the folder above it, and never lead out of it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from semc_core.errors import UsageError
from semc_core.text import counted
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.class_folders import SPLIT_NAMES, plain_class
from training.data.readers.options import ReadOptions

NAME: Final = "index.csv"


def fits(folder: Path) -> bool:
    """Whether there is such a table."""
    try:
        with (folder / NAME).open(encoding="utf-8-sig", errors="replace") as table:
            return {"file", "label"} <= set(table.readline(500).strip().split(","))
    except OSError:
        return False


def read(where: Path, options: ReadOptions) -> DataIndex:
    """Index what the table lists.

    Args:
        where: The table, or its folder.
        options: `groups` is used where the table names none.

    Raises:
        UsageError: The table is damaged, names files outside of its folder, or files that are not there.
    """
    path = where / NAME if where.is_dir() else where
    try:
        with path.open(newline="", encoding="utf-8-sig") as table:
            samples = [_sample(row, path.parent, options) for row in csv.DictReader(table)]
    except (OSError, KeyError, ValueError, AttributeError, csv.Error) as error:
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
    return make_index(path.parent.name, _apart(samples), path.parent)


def _sample(row: dict[str, str], folder: Path, options: ReadOptions) -> Sample:
    name = PurePosixPath(row["file"])
    if name.is_absolute() or ".." in name.parts or "\\" in row["file"] or ":" in row["file"]:
        raise UsageError(f"The table names {name}, which is not below its folder; correct the name.")
    below_parent = name.parts[0] == folder.name and not (folder / name).exists()
    path = (folder.parent if below_parent else folder) / name
    split = row.get("split") or ""
    group = row.get("group") or options.group_of(name) or name.as_posix()
    return Sample(
        path, plain_class(row["label"]), group, row.get("source") or "",
        SPLIT_NAMES.get(split.casefold(), split), int(row.get("frame") or 0),
    )  # fmt: skip


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
