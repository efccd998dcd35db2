"""Render screens to train on, as the network sees them: each once as a whole and once near its picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semc_core.imaging.preprocess import whole
from semc_core.imaging.region.look import CELL, HEIGHT, WIDTH, look_at
from semc_core.picture import gray_of
from semc_core.types import Crop
from training.region.screens import Screen, ScreenMaker
from training.region.textures import make_bank

SHARD: Final = 250
TRUTH: Final = (HEIGHT * 2 // CELL, WIDTH * 2 // CELL)
"""Rows and columns of a stored truth: twice as fine as the network's answer."""

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def looks(screen: Screen, rng: np.random.Generator) -> Iterator[Pair]:
    """What is seen, uint8 (240, 320), and the share of each cell that is sector, uint8 (120, 160), 0-255."""
    gray, mask = gray_of(screen.pixels), screen.mask()
    yield look_at(gray, whole(gray)), _truth(mask, whole(gray))
    near = _near(screen, rng)
    yield look_at(gray, near), _truth(mask, near)


def _near(screen: Screen, rng: np.random.Generator) -> Crop:
    """About a picture and a margin; where there is none, any part of the screen."""
    height, width = screen.pixels.shape[:2]
    if screen.sectors:
        rows, columns = np.nonzero(screen.sectors[int(rng.integers(len(screen.sectors)))])
        if rows.size:
            off = rng.uniform(0.05, 0.2, 4)
            tall, wide = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
            left, top = max(0, int(columns.min() - off[0] * wide)), max(0, int(rows.min() - off[1] * tall))
            right = min(width, int(columns.max() + 1 + off[2] * wide))
            bottom = min(height, int(rows.max() + 1 + off[3] * tall))
            return Crop(left, top, right - left, bottom - top)
    wide, tall = int(width * rng.uniform(0.2, 0.8)), int(height * rng.uniform(0.2, 0.8))
    return Crop(int(rng.integers(width - wide)), int(rng.integers(height - tall)), wide, tall)


def _truth(mask: NDArray[np.bool_], part: Crop) -> NDArray[np.uint8]:
    shown = part.cut(mask.view(np.uint8)) * np.uint8(255)
    return np.asarray(cv2.resize(shown, TRUTH[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def render(folder: Path, maker: ScreenMaker, first: int, count: int) -> None:
    """Write shards of 250 screens; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(first, first + count, SHARD):
        path = folder / f"{start:07d}.npz"
        if path.exists():
            continue
        pairs: list[Pair] = []
        for seed in range(start, start + SHARD):
            pairs.extend(looks(maker.screen(seed), np.random.default_rng([seed, 32])))
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(
                out, seen=np.stack([pair[0] for pair in pairs]), truth=np.stack([pair[1] for pair in pairs])
            )
        part.replace(path)


def photographs(held_out: bool) -> tuple[NDArray[np.uint8], ...]:
    """Photographs that come with scikit-learn and Matplotlib; another one to be judged on."""
    from sklearn.datasets import load_sample_image

    if held_out:
        return (load_sample_image("china.jpg"),)
    samples = Path(matplotlib.get_data_path()) / "sample_data"
    with Image.open(samples / "grace_hopper.jpg") as portrait:
        return (load_sample_image("flower.jpg"), np.asarray(portrait.convert("RGB"), np.uint8))


def main() -> int:
    """`python -m training.region.render FOLDER`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="real pictures")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=10000, help="screens")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    data = given.data if given.data.is_dir() else None
    maker = ScreenMaker(make_bank(data, held_out=False), photos=photographs(held_out=False))
    render(given.folder, maker, given.first, given.count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
