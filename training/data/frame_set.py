"""Frames with their labels, as training and evaluation take them, and how often each is drawn.

Shapes: N frames, h x w pixels, K classes.

A rendered set on disk: one pair of files per patient in one folder.

`p00012.npy` holds uint8 (n, h, w), gray, cropped and letterboxed as live does; `p00012.csv` has one row per
frame with the columns frame, plane, distance, patient, kind; of a hard set near, way and off, too. The CSV is
written last: where it is, the patient is complete, so a broken-off rendering goes on where it stopped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.labels import NON_STANDARD

AMBIGUOUS: Final = (0.85, 1.3)
"""Distances at which a frame is neither clearly standard nor clearly not."""

_NEAR: Final = 2.5


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one frame.

    Attributes:
        group: Patient, series or video; all frames of a group are in one split.
        source: Scanner, hospital or collection; "" if unknown.
        plane: Class name.
        kind: Of a simulated frame "scan", "posed" (a pose beside the scan's path), or "negative:..." with the
            maker's name; of one of a hard set "on", "off 5", "off 10", "off 15" or "far"; else "".
        distance: Of a simulated frame, to the nearest plane in units of tolerance; at most 1 is standard.
            Infinite where there is no plane, or it is unknown.
        frame: Index in its scan or file; -1 for a picture that is not part of one.
        near: Of a frame of a hard set, the plane that it is, or is beside; "" far from all.
        way: How it is beside it, one of `semc_core.phantom.neighbours.WAYS`; "" where it is the plane.
        off: How far, mm of a slide, degrees of the other ways; the sign is the direction. What the pose is
            off by chance is in the distance.
    """

    group: str
    source: str
    plane: str
    kind: str = ""
    distance: float = float("inf")
    frame: int = -1
    near: str = ""
    way: str = ""
    off: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class FrameSet:
    """Frames with their labels.

    Attributes:
        frames: uint8 (N, h, w), gray; of a large set on the disk, read as it is used.
        labels: int64 (N,), index into the classes.
        rows: N of them, what is known of each frame.
        classes: K names.
    """

    frames: Tensor
    labels: Tensor
    rows: list[Row]
    classes: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """The groups in it, sorted."""
        return sorted({row.group for row in self.rows})

    def subset(self, kept: NDArray[np.bool_]) -> FrameSet:
        """Only the frames where `kept`, bool (N,), is true. Copies them, unless it is all."""
        if kept.all():
            return self
        places = np.flatnonzero(kept)
        chosen = torch.from_numpy(places)
        rows = [self.rows[int(i)] for i in places]
        return FrameSet(self.frames[chosen], self.labels[chosen], rows, self.classes)

    def is_ambiguous(self) -> NDArray[np.bool_]:
        """bool (N,): which frames lie in the band of `AMBIGUOUS`."""
        low, high = AMBIGUOUS
        return np.array([low <= row.distance <= high for row in self.rows], bool)

    def families(self) -> list[str]:
        """For each frame its plane, or for NSP "near", "far" or "negative"."""
        return [_family(row) for row in self.rows]


def _family(row: Row) -> str:
    if row.plane != NON_STANDARD:
        return row.plane
    if row.kind.startswith("negative"):
        return "negative"
    return "near" if row.distance <= _NEAR else "far"


_FAMILIES: Final = {"near": 0.45, "far": 0.2, "negative": 0.35}
"""How the draws of NSP are shared: beside a plane, elsewhere in the patient, not of a liver scan at all."""


def draw_weights(data: FrameSet, non_standard_share: float, ambiguous_weight: float) -> Tensor:
    """How often each frame is drawn: planes equally often, NSP and its families with their shares.

    Args:
        data: See there.
        non_standard_share: Of NSP in all draws, 0-1.
        ambiguous_weight: Factor for frames in the ambiguous band; 0 leaves them out.

    Returns:
        float64 (N,), sums to 1.
    """
    families = data.families()
    own = np.where(data.is_ambiguous(), ambiguous_weight, 1.0)
    totals = {name: own[[family == name for family in families]].sum() for name in set(families)}
    present = {name for name, total in totals.items() if total > 0}
    planes = present - set(_FAMILIES)
    others = sum(_FAMILIES[name] for name in present & set(_FAMILIES))
    weights = np.zeros(len(families))
    for i, family in enumerate(families):
        if family in planes:
            weights[i] = own[i] * (1 - non_standard_share) / len(planes) / totals[family]
        elif family in present:
            weights[i] = own[i] * non_standard_share * _FAMILIES[family] / others / totals[family]
    return torch.from_numpy(weights / weights.sum())


SOURCE: Final = "simulated"

_COLUMNS: Final = ("frame", "plane", "distance", "patient", "kind")
_HARD_COLUMNS: Final = ("near", "way", "off")


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
    hard = any(row.near for row in rows)
    writer.writerow([*_COLUMNS, *(_HARD_COLUMNS if hard else ())])
    for row in rows:
        known = [row.frame, row.plane, f"{row.distance:.4f}", int(row.group), row.kind]
        writer.writerow([*known, row.near, row.way, f"{row.off:g}"] if hard else known)
    write_atomically(path, text.getvalue().encode())


def is_hard(path: Path) -> bool:
    """Whether a patient's CSV is of a hard set.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as table:
            return set(_HARD_COLUMNS) <= set(table.readline(500).strip().split(","))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path.name} cannot be read; render this patient again.") from error


def _row(cells: dict[str, str]) -> Row:
    """Raises KeyError or ValueError where cells are missing or no numbers."""
    known = patient_row(
        int(cells["patient"]), int(cells["frame"]), cells["plane"], float(cells["distance"]), cells["kind"]
    )
    if "near" not in cells:
        return known
    return replace(known, near=cells["near"], way=cells["way"], off=float(cells["off"]))


def read_shard(path: Path) -> tuple[NDArray[np.uint8], list[Row]]:
    """A patient's frames as a memory map (n, h, w), and their n rows.

    Args:
        path: Of the CSV.

    Raises:
        UsageError: The files are damaged or do not belong together.
    """
    try:
        with path.open(newline="", encoding="utf-8") as table:
            rows = [_row(each) for each in csv.DictReader(table)]
        frames = np.load(path.with_suffix(".npy"), mmap_mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path.name} or its frames cannot be read; render this patient again.") from error
    if frames.dtype != np.uint8 or frames.ndim != 3 or len(frames) != len(rows):
        raise UsageError(f"{path.name} does not fit its frames; delete both and render this patient again.")
    return frames, rows
