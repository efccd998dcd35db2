"""A rendered set on disk: one pair of files per patient in one folder.

`p00012.npy` holds uint8 (n, h, w), gray, cropped and letterboxed as live does; `p00012.csv` has one row per
frame with the columns frame, plane, distance, patient, kind. The CSV is written last: where it is, the
patient is complete, so a broken-off rendering goes on where it stopped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from training.data.frame_set import Row

SOURCE: Final = "simulated"

_COLUMNS: Final = ("frame", "plane", "distance", "patient", "kind")


def patient_row(patient: int, frame: int, plane: str, distance: float, kind: str) -> Row:
    """The row of a simulated frame; see `Row`. The patient's number, five digits or more, is its group."""
    return Row(f"{patient:05d}", SOURCE, plane, kind, distance, frame)


def shard_path(folder: Path, patient: int) -> Path:
    """The CSV of a patient; the frames lie beside it with the ending .npy."""
    return folder / f"p{patient:05d}.csv"


def write_shard(folder: Path, patient: int, frames: NDArray[np.uint8], rows: Sequence[Row]) -> None:
    """Write a patient's frames, each file whole or not at all.

    Args:
        folder: Of the set; must exist.
        patient: Number.
        frames: uint8 (n, h, w).
        rows: n of them.

    Raises:
        SaveError: A file cannot be written.
    """
    path = shard_path(folder, patient)
    pixels = io.BytesIO()
    np.save(pixels, frames)
    write_atomically(path.with_suffix(".npy"), pixels.getvalue())
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([row.frame, row.plane, f"{row.distance:.4f}", int(row.group), row.kind])
    write_atomically(path, text.getvalue().encode())


def read_shard(path: Path) -> tuple[NDArray[np.uint8], list[Row]]:
    """A patient's frames as a memory map (n, h, w), and their n rows.

    Args:
        path: Of the CSV.

    Raises:
        UsageError: The files are damaged or do not belong together.
    """
    try:
        with path.open(newline="", encoding="utf-8") as table:
            rows = [
                patient_row(int(r["patient"]), int(r["frame"]), r["plane"], float(r["distance"]), r["kind"])
                for r in csv.DictReader(table)
            ]
        frames = np.load(path.with_suffix(".npy"), mmap_mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path.name} or its frames cannot be read; render this patient again.") from error
    if frames.dtype != np.uint8 or frames.ndim != 3 or len(frames) != len(rows):
        raise UsageError(f"{path.name} does not fit its frames; delete both and render this patient again.")
    return frames, rows
