"""Exports of this program: `planes.csv`, and the pictures that it names with their JSON beside them."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.export.manifest import MANIFEST_NAME
from semc_core.protocols.kinds import surely_apart, words_of
from training.data.index import DataIndex, Sample, in_order, make_index
from training.data.readers.options import ReadOptions

_TABLE: Final = "planes.csv"


def fits(folder: Path) -> bool:
    """Whether it is an export, or holds some."""
    return bool(_exports(folder))


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the planes as the person left them; each export is a group.

    Raises:
        UsageError: A table is damaged, or something else was scanned in one export than in another.
    """
    exports = {export: _samples(export) for export in _exports(folder)}
    samples = [sample for own in exports.values() for sample in own]
    known = {export: in_order(sample.label for sample in own) for export, own in exports.items()}
    for (one, planes), (other, others) in itertools.combinations(known.items(), 2):
        if surely_apart(planes, others):
            raise UsageError(
                f"{folder.name} holds exports of more than one kind of scan, which no model learns together: "
                f"{one.name} with {words_of(planes)}, {other.name} with {words_of(others)}. Give a folder "
                "with those of one kind."
            )
    note = "An export holds no rejected planes, and not who was examined: each export is a group of its own."
    index = make_index(folder.name, samples, folder, [note])
    return replace(index, scanned=index.classes)


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
