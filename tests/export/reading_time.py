"""How long reading takes, and what is found, whole and cut to what is shown.

`python -m tests.export.reading_time [FOLDER]`: pictures in a black frame, as an export has them: simulated
sectors, or those of FOLDER, with names drawn over every second. Whole is how
pictures were read before they were cut. `--beside MODEL`: how long that model takes for a picture, alone and
while a thread that lets others go first reads, in turns.
"""

from __future__ import annotations

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.export import ocr
from semc_core.export.ocr import RapidTextFinder
from semc_core.io.process import let_others_go_first
from semc_core.runtime.load import load_runtime
from semc_core.types import Crop
from tests.export.scans import CROP, frame

NAMES = ("DOE JANE", "MUELLER A.", "4711-2288", "19700412", "LI", "Schmidt, Eva", "12.04.70")
SIZES = ((1280, 1024), (1920, 1080), (1024, 768))
SCALES = (0.4, 0.5, 0.6, 0.8)
STEPS = (15, 25, 40, 60, 90, 140, 255)


def pictures(folder: Path | None, count: int, chance: random.Random) -> list[NDArray[np.uint8]]:
    """Sectors, gray, uint8 (H, W)."""
    if folder is None:
        return [CROP.cut(frame(index)) for index in range(count)]
    found = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    read = (
        cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in chance.sample(found, min(count, len(found)))
    )
    return [np.asarray(each, np.uint8) for each in read if each is not None]


def framed(sector: NDArray[np.uint8], chance: random.Random, named: bool) -> tuple[NDArray[np.uint8], str]:
    """It in a black screen, and the name that was drawn over it, or ""."""
    width, height = chance.choice(SIZES)
    share = min(1.0, 0.8 * height / sector.shape[0], 0.6 * width / sector.shape[1])
    sector = np.asarray(cv2.resize(sector, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
    name = chance.choice(NAMES) if named else ""
    if named:
        at = chance.randrange(4, sector.shape[1] // 2), chance.randrange(30, sector.shape[0] - 4)
        ground = int(sector[at[1] - 12 : at[1], at[0] : at[0] + 60].mean())
        level = min(255, ground + chance.choice(STEPS))
        cv2.putText(sector, name, at, cv2.FONT_HERSHEY_SIMPLEX, chance.choice(SCALES), level, 1, cv2.LINE_AA)
    screen = np.zeros((height, width), np.uint8)
    left, top = chance.randrange(0, width - sector.shape[1]), chance.randrange(0, height - sector.shape[0])
    screen[top : top + sector.shape[0], left : left + sector.shape[1]] = sector
    return screen, name


def whole(pixels: NDArray[np.uint8]) -> Crop:
    """In place of `ocr.shown_part`."""
    return Crop(0, 0, pixels.shape[1], pixels.shape[0])


def beside(model: Path, finder: RapidTextFinder, turns: int) -> None:
    """Print how long the model takes for a picture, alone and beside a reading."""
    runtime = load_runtime(model, "cpu")
    spec = runtime.spec
    shape = 1, spec.architecture.in_channels, spec.preprocessing.height, spec.preprocessing.width
    given = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    screen, _name = framed(CROP.cut(frame(1)), random.Random(1), named=False)
    times: dict[bool, list[float]] = {False: [], True: []}
    with ThreadPoolExecutor(1, initializer=let_others_go_first) as pool:
        for turn in range(2 * turns):
            reads = turn % 2 == 1
            reading = pool.submit(finder.find, screen) if reads else None
            end = time.perf_counter() + 4
            while time.perf_counter() < end and (reading is None or not reading.done()):
                began = time.perf_counter()
                runtime.classify(given)
                times[reads].append(time.perf_counter() - began)
            if reading is not None:
                reading.result()
    runtime.close()
    for reads, taken in times.items():
        print("beside a reading" if reads else "alone", len(taken), np.percentile(taken, (50, 95)).round(4))
    ratios = np.percentile(times[True], (50, 95)) / np.percentile(times[False], (50, 95))
    print("ratio of median and 95th percentile:", ratios.round(2))


def main() -> None:
    """Print a line for each picture, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--beside", type=Path)
    given = parser.parse_args()
    chance, finder = random.Random(1), RapidTextFinder()
    finder.find(np.full((100, 100), 9, np.uint8))
    if given.beside is not None:
        beside(given.beside, finder, given.count)
        return
    sums: dict[str, Any] = {
        "whole_s": 0.0,
        "cut_s": 0.0,
        "both": 0,
        "only whole": 0,
        "only cut": 0,
        "none": 0,
    }
    for number, sector in enumerate(pictures(given.folder, given.count, chance)):
        screen, name = framed(sector, chance, number % 2 == 0)
        with patch.object(ocr, "shown_part", whole):
            began = time.perf_counter()
            before = finder.find(screen)
            sums["whole_s"] += time.perf_counter() - began
        began = time.perf_counter()
        now = finder.find(screen)
        sums["cut_s"] += time.perf_counter() - began
        kind = {(1, 1): "both", (1, 0): "only whole", (0, 1): "only cut", (0, 0): "none"}
        sums[kind[bool(before), bool(now)]] += 1
        told = [sorted({each.words for each in found}) for found in (before, now)]
        print(number, screen.shape, repr(name), *told, flush=True)
    print({key: round(value, 1) for key, value in sums.items()}, f"{sums['whole_s'] / sums['cut_s']:.2f}")


if __name__ == "__main__":
    main()
