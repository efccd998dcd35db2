"""Each picture as the network's input shows it: itself, and changed versions of it, made once.

A folder holds `inputs.npy`, uint8 (N, 1 + V, h, w), and `rows.csv`, what is known of the N pictures. Place 0
is the picture, not changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError, UsageError
from semc_core.imaging.preprocess import placed
from semc_core.io.atomic import write_atomically
from semc_core.model.architecture import SONONET16
from training.fetal.changes import changed
from training.fetal.pictures import FetalPicture

CHANGED: Final = 6
"""Changed versions of each picture."""

_COLUMNS: Final = ("label", "source", "country", "group", "name")

Inputs = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a picture; see `FetalPicture`."""

    label: str
    source: str
    country: str
    group: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a folder holds.

    Attributes:
        inputs: uint8 (N, 1 + V, h, w), read from the disk as it is needed.
        rows: N.
    """

    inputs: Inputs
    rows: list[Row]


def write_versions(
    folder: Path, pictures: list[FetalPicture], seed: int, tell: Callable[[int, int], None]
) -> None:
    """Change all pictures.

    Args:
        folder: To write; made if missing.
        pictures: See `pictures.read_pictures`.
        seed: Of the changes.
        tell: Called with how many of how many are done.

    Raises:
        SaveError: The folder cannot be written.
    """
    p = SONONET16.preprocessing
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.csv").unlink(missing_ok=True)
        inputs = np.lib.format.open_memmap(
            folder / "inputs.npy", "w+", np.uint8, (len(pictures), 1 + CHANGED, p.height, p.width)
        )
        for place, picture in enumerate(pictures):
            inputs[place, 0] = placed(picture.gray, picture.region, p)
            for version in range(CHANGED):
                rng = np.random.default_rng((seed, place, version))
                inputs[place, 1 + version] = changed(rng, picture.gray, picture.region, p.height, p.width)
            tell(place + 1, len(pictures))
        inputs.flush()
    except OSError as error:
        raise SaveError(f"{folder.name} cannot be written; choose another folder.") from error
    rows = [Row(*(getattr(picture, name) for name in _COLUMNS)) for picture in pictures]
    _write_rows(folder / "rows.csv", rows)


def read_versions(folder: Path) -> Prepared:
    """What `write_versions` wrote.

    Raises:
        UsageError: It was not written to its end.
    """
    try:
        with (folder / "rows.csv").open(newline="", encoding="utf-8") as table:
            rows = [Row(**row) for row in csv.DictReader(table)]
        inputs = np.load(folder / "inputs.npy", mmap_mode="r")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{folder.name} holds no prepared pictures; prepare them first.") from error
    if len(inputs) != len(rows):
        raise UsageError(f"{folder.name} holds no prepared pictures; prepare them first.")
    return Prepared(inputs, rows)


def _write_rows(path: Path, rows: list[Row]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows([getattr(row, name) for name in _COLUMNS] for row in rows)
    write_atomically(path, text.getvalue().encode())
