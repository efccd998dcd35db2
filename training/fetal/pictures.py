"""Reads the real pictures that the fetal model learns from and is judged on.

A folder with `fetal_planes`, `fetal_planes_db`, `hc18` and `organs`, each with its table (columns file,
label, source, group; `docs/fetal.md` says where they come from and under which licences). Every picture is
read gray, a stretch to a square is undone where the original size is given, and the region of interest is
what the program finds by itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import whole
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import gray_of
from semc_core.types import Crop

SPAIN: Final = "Spain"
HEADS: Final = "Netherlands"
COUNTRIES: Final = ("Algeria", "Egypt", "Ghana", "Uganda", SPAIN)
NEGATIVES: Final = (
    ("aulid", "timtrack-dataset1", "timtrack-dataset2"),
    ("pocovid", "timtrack-dataset3", "timtrack-dataset4"),
)
"""Sources without a fetus, in two halves: what is learned from one is judged on the other."""

_BRAIN_PLANES: Final = {"Trans-thalamic", "Trans-ventricular", "Trans-cerebellum"}
_ROWS, _COLUMNS = 330, 400
_PHANTOM_SEEDS: Final = (3, 11, 29, 57, 101)
_PHANTOM_FRAMES: Final = 1200
_PHANTOM_EVERY: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class FetalPicture:
    """One picture with what is known of it.

    Attributes:
        gray: uint8 (H, W), so small that the region has at most 330 rows and 400 columns.
        region: Of the ultrasound picture, as the program finds it.
        label: One of `labels.LABELS`.
        source: The collection, for what shows no fetus.
        country: Of the hospital; "" for what shows no fetus.
        group: Patient, or what comes nearest.
        name: Of the file.
    """

    gray: NDArray[np.uint8]
    region: Crop
    label: str
    source: str
    country: str
    group: str
    name: str


def read_pictures(folder: Path) -> list[FetalPicture]:
    """All pictures with a label, and simulated scans of an adult abdomen as further ones without a fetus.

    Raises:
        UsageError: A table or a picture is missing or damaged.
    """
    found = [*_planes(folder), *_planes_db(folder), *_organs(folder), *_phantom()]
    return found


def _planes(folder: Path) -> Iterator[FetalPicture]:
    for row in _table(folder / "fetal_planes" / "index.csv"):
        path = folder / "fetal_planes" / row["file"]
        yield _read(path, row["label"], row["source"], row["source"], row["group"])


def _planes_db(folder: Path) -> Iterator[FetalPicture]:
    for row in _table(folder / "fetal_planes_db" / "index.csv"):
        label = row["label"]
        if label == "brain" and row["brain_plane"] in _BRAIN_PLANES:
            label = row["brain_plane"]
        size = None
        if row["geometry"] == "square" and row["original_width"]:
            size = int(row["original_width"]), int(row["original_height"])
        path = folder / "fetal_planes_db" / row["file"]
        yield _read(path, label, f"{SPAIN}, {row['machine']}", SPAIN, row["group"], size)


def _organs(folder: Path) -> Iterator[FetalPicture]:
    heads = {row["file"]: row["group"] for row in _table(folder / "hc18" / "hc18.csv")}
    for row in _table(folder / "organs" / "index.csv"):
        path = folder / row["file"]
        if row["label"] != "fetal_head":
            yield _read(path, "NSP", row["source"], "", f"{row['source']} {row['group']}")
        elif path.name in heads:
            yield _read(path, "brain", "hc18", HEADS, f"hc18 {heads[path.name]}")


def _phantom() -> Iterator[FetalPicture]:
    for seed in _PHANTOM_SEEDS:
        scan = SimulatedScan(seed=seed)
        for index in range(0, _PHANTOM_FRAMES, _PHANTOM_EVERY):
            name = f"simulated {seed}, frame {index}"
            yield _small(scan.frame(index), "NSP", "simulated", "", f"simulated {seed}", name)


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as table:
            return list(csv.DictReader(table))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{path.parent.name}/{path.name} cannot be read; complete the data.") from error


def _read(
    path: Path, label: str, source: str, country: str, group: str, size: tuple[int, int] | None = None
) -> FetalPicture:
    """A picture; `size` is its width and height before it was stretched to a square."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise UsageError(f"{path.parent.name}/{path.name} is missing or damaged; complete the data.")
    gray = gray_of(cast("NDArray[np.uint8]", pixels))
    if size is not None:
        scale = (gray.size / (size[0] * size[1])) ** 0.5
        gray = _resized(gray, round(size[0] * scale), round(size[1] * scale))
    return _small(gray, label, source, country, group, path.name)


def _small(
    gray: NDArray[np.uint8], label: str, source: str, country: str, group: str, name: str
) -> FetalPicture:
    """The picture no larger than it is needed."""
    region = find_crop(gray) or whole(gray)
    scale = min(1.0, _COLUMNS / region.width, _ROWS / region.height)
    small = _resized(gray, max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    left, top = int(region.left * scale), int(region.top * scale)
    width = min(small.shape[1] - left, max(1, round(region.width * scale)))
    height = min(small.shape[0] - top, max(1, round(region.height * scale)))
    return FetalPicture(small, Crop(left, top, width, height), label, source, country, group, name)


def _resized(gray: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    if gray.shape == (height, width):
        return gray
    return cast("NDArray[np.uint8]", cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA))
