"""How far the diameters found are from landmarks that other people set (Multicentre Fetal Biometry).

The landmarks are CC BY-NC-SA 4.0: what is found is held against them, nothing is learned from them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from training.measure.data import BRAIN, HEAD
from training.measure.judge import Judged, mean_of

FOLDER: Final = "biometry_landmarks"
_TABLES: Final = {HEAD: "HC18_Head.csv", BRAIN: "FP_Head.csv"}


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Diameters of one head.

    Attributes:
        bpd_px: Biparietal diameter, pixels of the original picture.
        ofd_px: Occipito-frontal diameter, the same.
        mm_per_pixel: Of the original picture.
    """

    bpd_px: float
    ofd_px: float
    mm_per_pixel: float


def read_landmarks(path: Path) -> dict[str, Landmarks]:
    """By the picture's name without its suffix. Rows with a number missing are left out."""
    with path.open(newline="", encoding="utf-8") as file:
        return dict(_parsed(csv.DictReader(file)))


def _parsed(rows: csv.DictReader[str]) -> Iterator[tuple[str, Landmarks]]:
    for row in rows:
        try:
            bpd, ofd = (_length(row, name) for name in ("bpd", "ofd"))
            scale = float(row["px_to_mm_rate"])
        except ValueError:
            continue
        yield Path(row["image_name"]).stem, Landmarks(bpd, ofd, scale)


def _length(row: dict[str, str], name: str) -> float:
    ends = [[float(row[f"{name}_{end}_{axis}"]) for axis in "xy"] for end in (1, 2)]
    return float(np.hypot(*(np.array(ends[0]) - np.array(ends[1]))))


def landmark_figures(judged: Sequence[Judged], folder: Path) -> dict[str, Any]:
    """Errors of BPD and OFD in mm, for each of the two tables; empty where they are not there.

    Args:
        judged: Each by a network that did not see its group.
        folder: With `biometry_landmarks`.
    """
    told: dict[str, Any] = {}
    for kind, name in _TABLES.items():
        path = folder / FOLDER / name
        if path.is_file():
            marks = read_landmarks(path)
            told[name] = _compared([each for each in judged if each.case.kind == kind], marks)
    return told


def _compared(judged: Sequence[Judged], marks: dict[str, Landmarks]) -> dict[str, Any]:
    known = [each for each in judged if each.case.path.stem in marks and _original(each)]
    found = [each for each in known if each.outline is not None]
    told: dict[str, Any] = {"pictures": len(known), "measured": len(found)}
    for name, axis in (("bpd", "minor"), ("ofd", "major")):
        errors = []
        for each in found:
            mark = marks[each.case.path.stem]
            # HC18's pictures are smaller here than the landmarks'; their own scale is known.
            scale = each.case.mm_per_pixel or mark.mm_per_pixel
            own = 2 * float(getattr(each.outline, axis)) * scale
            errors.append(own - getattr(mark, f"{name}_px") * mark.mm_per_pixel)
        told[f"{name} error mm"] = mean_of(found, [abs(error) for error in errors])
        told[f"{name} bias mm"] = mean_of(found, errors)
    return told


def _original(judged: Judged) -> bool:
    """Whether the size of the original is known: the landmarks are in its pixels."""
    return judged.case.mm_per_pixel > 0 or judged.case.size is not None
