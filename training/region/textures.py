"""What sectors are filled with: parts of real pictures, simulated scans, drawn speckle.

Real pictures are taken from a folder with the layout of the project's development data (its README says
where each comes from and under which licence); without it there are simulated scans and drawn speckle only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.scan import SimulatedScan

Gray = NDArray[np.uint8]
Outlined = tuple[Gray, NDArray[np.bool_]]

_SIDE: Final = 320  # of a stored texture, at most
_LEAST_LIT: Final = 0.9  # of a texture's pixels are not black
_SOLID: Final = 0.96  # of the hull of an outlined picture is lit
_WITHOUT_CONTACT: Final = 8  # gray levels


@dataclass(slots=True)
class Bank:
    """Material for pictures.

    Attributes:
        tiles: Rectangular parts of real pictures without black.
        simulated: Simulated pictures with their sectors.
        outlined: Real pictures with their sectors, found where that is easy.
    """

    tiles: list[Gray] = field(default_factory=list)
    simulated: list[Outlined] = field(default_factory=list)
    outlined: list[Outlined] = field(default_factory=list)

    def texture(self, rng: np.random.Generator, samples: int, lines: int) -> NDArray[np.float32]:
        """float32 (samples, lines), 0-255: a part of a real or simulated picture, or drawn speckle."""
        if self.tiles and rng.random() < 0.75:
            tile = self.tiles[int(rng.integers(len(self.tiles)))]
        elif self.simulated and rng.random() < 0.6:
            tile = _inner(self.simulated[int(rng.integers(len(self.simulated)))][0])
        else:
            return _speckle(rng, samples, lines)
        height, width = tile.shape
        tall, wide = (max(16, int(side * rng.uniform(0.5, 1))) for side in (height, width))
        top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
        part = tile[top : top + tall, left : left + wide]
        if rng.random() < 0.5:
            part = np.ascontiguousarray(part[:, ::-1])
        return np.asarray(cv2.resize(part, (lines, samples), interpolation=cv2.INTER_LINEAR), np.float32)


def make_bank(data: Path | None, held_out: bool, simulated: int = 40, most: int = 1500) -> Bank:
    """Read and simulate the material; the held-out one shares no picture and no patient with the other."""
    bank = Bank()
    first = 700 if held_out else 100
    for number in range(simulated):
        bank.simulated.extend(simulated_pictures(first + number, 3))
    if data is None:
        return bank
    paths = list(_held_out_paths(data) if held_out else _training_paths(data))
    order = np.random.default_rng(5).permutation(len(paths))[:most]
    for index in order:
        gray = cv2.imread(str(paths[index]), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            continue
        picture = cast("Gray", gray)
        tile = _inner(picture)
        if (tile > _WITHOUT_CONTACT).mean() >= _LEAST_LIT:
            bank.tiles.append(tile)
        mask = easy_outline(picture)
        if mask is not None:
            bank.outlined.append(_at_most(picture, mask))
    return bank


def simulated_pictures(seed: int, count: int) -> Iterator[Outlined]:
    """Frames of one simulated scan, without furniture, with the sector that its geometry says."""
    scan = SimulatedScan(seed, 30.0, 640, 480, furniture=False)
    samples = 64
    lines = np.full((samples, samples), 255, np.uint8)
    mask = np.zeros((480, 640), bool)
    found = cv2.remap(
        lines, *scan.scanner.geometry.polar_map((samples, samples)), interpolation=cv2.INTER_NEAREST
    )
    mask[scan.scanner.geometry.box] = found > 0
    for number in range(count):
        yield scan.frame(int(900 * (number + 0.5) / count)), mask


def easy_outline(picture: Gray) -> NDArray[np.bool_] | None:
    """The sector of a real picture on pure black, where it is lit so that there is no doubt; else None."""
    lit = (cv2.medianBlur(picture, 3) > 6).astype(np.uint8)
    opened = cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((11, 11), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    if len(stats) < 2:
        return None
    label = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    part = (labels == label).astype(np.uint8)
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros_like(part)
    cv2.drawContours(hull, [cv2.convexHull(max(outlines, key=len))], -1, 1, -1)
    cv2.drawContours(part, outlines, -1, 1, -1)
    if part.sum() < 0.2 * part.size or part.sum() < _SOLID * hull.sum():
        return None
    return cast("NDArray[np.bool_]", part > 0)


def _inner(picture: Gray) -> Gray:
    """The middle of a picture, at most 320 pixels a side."""
    height, width = picture.shape
    part = picture[int(0.22 * height) : int(0.75 * height), int(0.27 * width) : int(0.73 * width)]
    scale = min(1.0, _SIDE / max(part.shape))
    size = max(1, int(part.shape[1] * scale)), max(1, int(part.shape[0] * scale))
    return cast("Gray", cv2.resize(part, size, interpolation=cv2.INTER_AREA))


def _at_most(picture: Gray, mask: NDArray[np.bool_]) -> Outlined:
    """At most 640 pixels wide, and black outside of the sector, where words may stand."""
    scale = min(1.0, 640 / picture.shape[1])
    size = int(picture.shape[1] * scale), int(picture.shape[0] * scale)
    smaller = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    pixels = cast("Gray", cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return np.where(smaller, pixels, np.uint8(0)), smaller


def _training_paths(data: Path) -> Iterator[Path]:
    """Fetal planes of patients that `fetal_planes` has not, heads, livers, and muscles of two sets."""
    with (data / "fetal_planes" / "index.csv").open(newline="", encoding="utf-8") as rows:
        elsewhere = {row["group"] for row in csv.DictReader(rows)}
    with (data / "fetal_planes_db" / "index.csv").open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["group"] not in elsewhere:
                yield data / "fetal_planes_db" / Path(row["file"]).name
    for organ in ("fetal_head", "liver"):
        yield from sorted((data / "organs" / organ).glob("*.jpg"))
    for number in (1, 2):
        yield from sorted((data / "organs" / "muscle").glob(f"dataset{number}*.jpg"))


def _held_out_paths(data: Path) -> Iterator[Path]:
    yield from sorted((data / "fetal_planes").rglob("*.png"))
    yield from sorted((data / "organs" / "lung").glob("*.jpg"))
    yield from sorted((data / "organs" / "muscle").glob("dataset4*.jpg"))


def _speckle(rng: np.random.Generator, samples: int, lines: int) -> NDArray[np.float32]:
    """Speckle over a few large smooth parts of different brightness."""
    noise = rng.rayleigh(1.0, (samples, lines)).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), float(rng.uniform(0.6, 3)), sigmaY=float(rng.uniform(0.4, 1.2)))
    cells = int(rng.integers(2, 9))
    levels = rng.uniform(5, 130, (cells, cells)).astype(np.float32)
    if rng.random() < 0.5:
        coarse = cv2.resize(levels, (lines, samples), interpolation=cv2.INTER_CUBIC)
    else:
        parts = cv2.resize(levels, (lines, samples), interpolation=cv2.INTER_NEAREST)
        coarse = cv2.GaussianBlur(parts, (0, 0), 4)
    return np.asarray(np.clip(fine * coarse, 0, 255), np.float32)
