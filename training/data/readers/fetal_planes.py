"""FETAL_PLANES_DB (Burgos-Artizzu et al. 2020): `Images/` and a table with semicolons.

The table's columns: Image_name; Patient_num; Plane; Brain_plane; Operator; US_Machine; Train.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.text import counted
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.options import ReadOptions

_COLUMNS: Final = ("Image_name", "Patient_num", "Plane", "Brain_plane", "US_Machine", "Train")
_BRAIN: Final = "Fetal brain"
_OTHER: Final = "Other"


def fits(folder: Path) -> bool:
    """Whether its table is there."""
    return _table(folder) is not None


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the table: patients are groups, machines are sources; its own train and test are the splits.

    Args:
        folder: With the table and `Images`.
        options: With `fine`, a brain picture's class is its brain plane.

    Raises:
        UsageError: The table is damaged, or names files outside of `Images`.
    """
    path = _table(folder)
    if path is None:
        raise UsageError(f"{folder} holds no table of FETAL_PLANES_DB; choose another folder.")
    images, samples, missing = path.parent / "Images", [], 0
    for row in _rows(path):
        name = row["Image_name"]
        if Path(name).name != name or "\\" in name:
            raise UsageError(f"{path.name} names a picture outside of Images; use the original table.")
        picture = images / f"{name}.png"
        if not picture.is_file():
            missing += 1
            continue
        split = {"1": "train", "0": "test"}.get(row["Train"], "")
        label = _label(row, options.fine)
        samples.append(Sample(picture, label, row["Patient_num"], row["US_Machine"], split))
    notes = [f"Not there: {counted(missing, 'picture')} of the table."] if missing else []
    notes.append(f"The class {_OTHER} is used as {NON_STANDARD}.")
    return make_index("FETAL_PLANES_DB", samples, folder, notes)


def _label(row: dict[str, str], fine: bool) -> str:
    if row["Plane"] == _OTHER:
        return NON_STANDARD
    if fine and row["Plane"] == _BRAIN and row["Brain_plane"] != _OTHER:
        return row["Brain_plane"]
    return row["Plane"]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as table:
            for row in csv.DictReader(table, delimiter=";"):
                plain = {str(key).strip(): str(value).strip() for key, value in row.items()}
                yield {name: plain[name] for name in _COLUMNS}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(f"{path.name} cannot be read; download the data set again.") from error


def _table(folder: Path) -> Path | None:
    """In the folder, or in the only one in it."""
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*/*.csv")]):
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as table:
                head = table.readline(500)
        except OSError:
            continue  # What may not be read is no table of this data set.
        if {"Image_name", "Patient_num", "Plane"} <= {name.strip() for name in head.split(";")}:
            return path
    return None
