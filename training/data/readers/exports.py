"""Exports of this program: `planes.csv`, and the pictures that it names with their JSON beside them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.export.manifest import MANIFEST_NAME
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.options import ReadOptions

_TABLE: Final = "planes.csv"


def fits(folder: Path) -> bool:
    """Whether it is an export, or holds some."""
    return bool(_exports(folder))


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the planes as the person left them; each export is a group.

    Raises:
        UsageError: A table is damaged.
    """
    samples = [sample for export in _exports(folder) for sample in _samples(export)]
    note = "An export holds no rejected planes, and not who was examined: each export is a group of its own."
    return make_index(folder.name, samples, folder, [note])


def _samples(export: Path) -> list[Sample]:
    samples = []
    try:
        with (export / _TABLE).open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                if row["png"]:
                    samples.append(Sample(_below(export, row["png"]), row["plane"].lstrip("'"), export.name))
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(f"The table of the export {export.name} is damaged; export it again.") from error
    return samples


def _below(export: Path, name: str) -> Path:
    path = (export / name).resolve()
    if not path.is_relative_to(export.resolve()):
        raise UsageError(f"The export {export.name} names a picture outside of it; export it again.")
    return export / name


def _exports(folder: Path) -> list[Path]:
    found = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return [path for path in found if (path / _TABLE).is_file() and (path / MANIFEST_NAME).is_file()]
