"""Pictures to learn a head's outline from: heads with an outline, brain planes without, and what is no head.

Read from a folder as docs/measuring.md describes it: `hc18`, `organs`, `fetal_planes`, `fetal_planes_db`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.measure.ellipse import Ellipse, fit_ellipse
from semc_core.picture import gray_of
from semc_core.sources.pictures import read_image

HEAD, BRAIN, NONE = "head", "brain", "none"
"""A head with its outline; a head without; no head."""

_NO_HEAD: Final = frozenset({"abdomen", "femur", "thorax", "cervix"})
_UNSEEN_SOURCES: Final = ("lung", "timtrack-dataset3", "timtrack-dataset4")
_COUNTRIES: Final = frozenset({"Algeria", "Egypt", "Ghana", "Uganda"})


@dataclass(frozen=True, slots=True)
class Case:
    """One picture.

    Attributes:
        path: Of the picture.
        kind: `HEAD`, `BRAIN` or `NONE`.
        group: The finest unit known to be one patient or series.
        source: Where it comes from, with what it shows.
        unseen: Whether its source is kept out of training while the network is judged.
        outline: The outer border of the skull, pixels of the picture; for `HEAD` only.
        circumference_mm: As the data set states it; for `HEAD` only.
        mm_per_pixel: Of the picture; for `HEAD` only.
        mask: Of the picture, with the width of the line that it was drawn with; for `HEAD` only.
        size: Width and height that undo a stretching of the picture; None where it is as it was, or unknown.
    """

    path: Path
    kind: str
    group: str
    source: str
    unseen: bool = False
    outline: Ellipse | None = None
    circumference_mm: float = 0.0
    mm_per_pixel: float = 0.0
    mask: Path | None = None
    size: tuple[int, int] | None = None


def read_cases(folder: Path) -> list[Case]:
    """All pictures below `folder`, in an order that stays.

    Raises:
        UsageError: It does not hold the data sets, or one is damaged.
    """
    try:
        return [*_heads(folder), *_organs(folder), *_planes(folder), *_planes_db(folder)]
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"{folder} does not hold the data sets of docs/measuring.md ({error}).") from error


def read_gray(case: Case, longest: int) -> NDArray[np.uint8]:
    """The picture, gray, not stretched, its longer side at most `longest` pixels; uint8 (h, w)."""
    gray = gray_of(read_image(case.path))
    height, width = gray.shape
    if case.size is not None:
        width, height = case.size
    scale = min(1.0, longest / max(width, height))
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    if wanted != (gray.shape[1], gray.shape[0]):
        gray = np.asarray(cv2.resize(gray, wanted, interpolation=cv2.INTER_AREA), np.uint8)
    return gray


def folds(cases: Sequence[Case], count: int, seed: int = 1) -> list[int]:
    """The fold of every case, 0 to `count` - 1; a group is never divided."""
    groups = sorted({case.group for case in cases})
    order = np.random.default_rng(seed).permutation(len(groups))
    fold_of = {groups[place]: number % count for number, place in enumerate(order)}
    return [fold_of[case.group] for case in cases]


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _heads(folder: Path) -> Iterable[Case]:
    for row in _rows(folder / "hc18" / "hc18.csv"):
        stem = Path(row["file"]).stem
        mask = folder / "hc18" / "masks" / f"{stem}.png"
        stated, scale = float(row["head_circumference_mm"]), float(row["mm_per_pixel"])
        yield Case(
            path=folder / "organs" / "fetal_head" / row["file"],
            kind=HEAD,
            group=f"hc18-{row['group']}",
            source="hc18",
            outline=outline_of(mask, int(row["width"]) / int(row["mask_width"]), stated / scale),
            circumference_mm=stated,
            mm_per_pixel=scale,
            mask=mask,
        )


def outline_of(mask: Path, scale: float, circumference_px: float) -> Ellipse:
    """The ellipse of a mask, freed of the width of the line that it was drawn with.

    Args:
        mask: A filled ellipse.
        scale: Pixels of the picture for one of the mask.
        circumference_px: What the data set states, pixels of the picture.

    Raises:
        ValueError: The mask is no ellipse.
    """
    filled = (read_image(mask) > 127).astype(np.uint8)
    contours, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(contours, key=len)[:, 0].astype(np.float64) + 0.5
    drawn = fit_ellipse(longest)
    if drawn is None:
        raise ValueError(f"{mask.name} is no ellipse")
    small = drawn.moved(np.array([[scale, 0, 0], [0, scale, 0]]))
    for _ in range(3):
        small = small.grown((circumference_px - small.circumference) / (2 * np.pi))
    return small


def _organs(folder: Path) -> Iterable[Case]:
    for row in _rows(folder / "organs" / "index.csv"):
        if row["label"] == "fetal_head":
            continue
        unseen = row["label"] in _UNSEEN_SOURCES or row["source"] in _UNSEEN_SOURCES
        name = row["source"] if row["label"] == "muscle" else row["label"]
        yield Case(folder / row["file"], NONE, f"{row['label']}-{row['group']}", name, unseen)


def _planes(folder: Path) -> Iterable[Case]:
    for row in _rows(folder / "fetal_planes" / "index.csv"):
        kind = _kind(row["label"])
        if kind:
            group = row["group"] if row["source"] in _COUNTRIES else _spanish(row["group"])
            yield Case(
                folder / "fetal_planes" / row["file"],
                kind,
                group,
                f"{row['source']}-{row['label']}",
                row["source"] in _COUNTRIES,
            )


def _planes_db(folder: Path) -> Iterable[Case]:
    for row in _rows(folder / "fetal_planes_db" / "index.csv"):
        kind = _kind(row["label"])
        if kind:
            known = row["geometry"] == "square" and row["original_width"] and row["original_height"]
            size = (int(row["original_width"]), int(row["original_height"])) if known else None
            yield Case(
                folder / "fetal_planes_db" / row["file"],
                kind,
                _spanish(row["group"]),
                f"FETAL_PLANES_DB-{row['label']}",
                size=size,
            )


def _spanish(group: str) -> str:
    """One name for a patient in both selections of FETAL_PLANES_DB."""
    digits = "".join(each for each in group if each.isdigit())
    return f"spain-{int(digits)}" if digits else f"spain-{group}"


def _kind(label: str) -> str:
    return BRAIN if label == "brain" else NONE if label in _NO_HEAD else ""
