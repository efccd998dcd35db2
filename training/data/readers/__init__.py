"""Readers, one per layout, and the one place that decides by what is there which of them fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.text import counted
from training.data.index import SPLIT_FILE, DataIndex, join, read_splits
from training.data.readers import (
    camus,
    class_folders,
    exports,
    fetal_planes,
    fpus23,
    hc18,
    lp2025,
    rendered,
    sessions,
    table,
)
from training.data.readers.options import ReadOptions

__all__ = ["ReadOptions", "open_data", "open_many"]

_LAYOUTS: Final = (
    sessions,
    exports,
    rendered,
    fetal_planes,
    camus,
    hc18,
    fpus23,
    table,
    lp2025,
    class_folders,
)
"""Asked in this order: what says by a file of its own what it is comes before what is only folders."""


def open_data(
    where: Path | str, options: ReadOptions | None = None, *, leaks_allowed: bool = False
) -> DataIndex:
    """What a data set holds, with the splits that `semc data split` stored beside it.

    Args:
        where: Its folder; a table of its pictures (CSV); or "simulated:20", "simulated:0:20" for simulated
            patients, rendered now where they are not there yet.
        options: How to read what can be read in several ways.
        leaks_allowed: To look at a data set, or to deal it anew.

    Raises:
        UsageError: There is no such folder, no layout fits, or a group is in two splits.
    """
    try:
        index = _open(where, options or ReadOptions())
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"{where} cannot be read ({why}); choose one that you may read.") from error
    if not leaks_allowed:
        index.check()
    return index


def open_many(places: Sequence[Path | str], options: ReadOptions | None = None) -> DataIndex:
    """Several data sets as one; see `open_data` and `join`."""
    return join([open_data(place, options) for place in places])


def _open(where: Path | str, options: ReadOptions) -> DataIndex:
    if rendered.is_name(where):
        return rendered.simulated(str(where))
    path = Path(where).expanduser().absolute()
    if path.is_file() and path.suffix.lower() == ".csv":
        return _with_stored_splits(table.read(path, options), options.splits, options)
    if path.is_file():
        raise UsageError(f"{path} is a file; name the folder of a data set, or a table of pictures (.csv).")
    if not path.is_dir():
        raise UsageError(f"There is no folder {path}; name the folder of a data set.")
    for layout in _LAYOUTS:
        if layout.fits(path):
            return _with_stored_splits(
                layout.read(path, options), options.splits or path / SPLIT_FILE, options
            )
    raise UsageError(
        f"{path} is no data set that can be read: it needs a folder of pictures for each class, or another "
        "of the layouts that `semc data check --help` lists."
    )


def _with_stored_splits(index: DataIndex, path: Path | None, options: ReadOptions) -> DataIndex:
    if path is None or (not path.is_file() and path.name == SPLIT_FILE):
        return index
    stored = read_splits(path)
    split = index.with_stored(stored, regroup=not options.groups)
    new = [group for group in split.groups if not stored.splits.get(group)]
    if not new:
        regrouped = set(split.groups).isdisjoint(index.groups)
        notes = [note for note in split.notes if not (regrouped and note.startswith(class_folders.NO_GROUPS))]
        return replace(split, notes=tuple(notes))
    note = f"{counted(len(new), 'new group')} in no split; `semc data split`, run again, deals what is new."
    return replace(split, notes=(*split.notes, note))
