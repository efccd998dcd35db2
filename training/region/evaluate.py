"""Measure the region finder: on drawn screens, on outlined real pictures, on simulated scans shown elsewhere.

`python -m training.region.evaluate rendered|outlined|scans|time`. docs/region.md has what it said.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.crop import overlap
from semc_core.imaging.region.find import Region, find_region, find_regions
from semc_core.io.documents import STRICT, Document, configured
from semc_core.picture import gray_of
from semc_core.types import Crop
from training.region.render import photographs
from training.region.screens import ScreenMaker
from training.region.textures import make_bank

Mask = NDArray[np.bool_]

OUTLINED: Final = Path(__file__).resolve().parents[2] / "tests" / "imaging" / "region" / "outlines.json"
DATA: Final = Path("..") / "shared" / "data"


@dataclass(frozen=True, slots=True)
class OutlinedPicture:
    """A real picture whose sector a person outlined: corners in pixels, (x, y)."""

    file: str
    width: int
    height: int
    outline: tuple[tuple[int, int], ...]


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class OutlinedPictures:
    """All of them; the pictures themselves are not stored."""

    pictures: tuple[OutlinedPicture, ...]


OUTLINES: Final = Document(OutlinedPictures, most_bytes=1_000_000)


@dataclass(frozen=True, slots=True)
class Score:
    """How well one picture was found.

    Attributes:
        name: Which.
        kind: What it is reported under.
        box: Intersection over union of the boxes; 0 where nothing was found.
        mask: The same of the sectors.
        all_found: Whether each of several pictures was offered, with 0.9 at least.
    """

    name: str
    kind: str
    box: float
    mask: float
    all_found: bool = True


def filled(region: Region, shape: tuple[int, int]) -> Mask:
    """bool (H, W): the inside of a region's outline."""
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.array(region.outline, np.int32)], 1)
    return drawn > 0


def iou(first: Mask, second: Mask) -> float:
    """Intersection over union, 0-1."""
    return float((first & second).sum()) / max(1, int((first | second).sum()))


def box_of(mask: Mask) -> Crop:
    """The smallest box round a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return Crop(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def score(name: str, kind: str, regions: list[Region], truths: list[Mask]) -> Score:
    """Hold what was found against what is there: the chosen one against the picture that it is."""
    truths = [truth for truth in truths if truth.any()]
    if not regions or not truths:
        right = not regions and not truths
        return Score(name, kind, float(right), float(right), right)
    drawn = [filled(region, truths[0].shape) for region in regions]
    table = np.array([[iou(one, truth) for truth in truths] for one in drawn])
    best = int(table[0].argmax())
    offered = bool((table.max(axis=0) >= 0.9).all())
    return Score(name, kind, overlap(regions[0].box, box_of(truths[best])), float(table[0, best]), offered)


def rendered(count: int, data: Path) -> Iterator[Score]:
    """Screens of sizes, letters, tints, textures and sectors that were not trained on."""
    bank = make_bank(data if data.is_dir() else None, held_out=True, simulated=12, most=400)
    maker = ScreenMaker(bank, held_out=True, photos=photographs(held_out=True))
    for seed in range(count):
        screen = maker.screen(seed)
        kind = (
            screen.layout if len(screen.sectors) < 2 else f"{screen.layout}, {len(screen.sectors)} pictures"
        )
        yield score(f"screen {seed}", kind, find_regions(gray_of(screen.pixels)), screen.sectors)


def outlined(data: Path) -> Iterator[Score]:
    """Real pictures whose sectors a person outlined."""
    for row in OUTLINES.read(OUTLINED).pictures:
        pixels = real_picture(data, row.file)
        truth = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(truth, [np.array(row.outline, np.int32)], 1)
        kind = "/".join(Path(row.file).parts[:-1]) or "DICOM"
        yield score(row.file, kind, find_regions(gray_of(pixels)), [truth > 0])


def real_picture(data: Path, name: str) -> NDArray[np.uint8]:
    """A picture of the development data, or the first frame of a clip, uint8 (H, W) or (H, W, 3) RGB."""
    if name.startswith("pydicom.examples."):
        import pydicom.examples

        return np.ascontiguousarray(getattr(pydicom.examples, name.rsplit(".", 1)[1]).pixel_array[0])
    from semc_core.sources.open import open_source

    source = open_source(str(data / name))
    try:
        packet = source.read()
    finally:
        source.close()
    assert packet is not None, name
    return packet.pixels


def report(scores: list[Score], least: float) -> None:
    """Print by kind how many reach an overlap, and the worst."""
    kinds: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        kinds[one.kind].append(one)
    print(f"share with {least} and more")
    print(f"{'':28} {'count':>5} {'outline':>8} {'box':>8} {'median':>7} {'all offered':>11}")
    for kind, own in [*sorted(kinds.items()), ("all", scores)]:
        masks, boxes = np.array([s.mask for s in own]), np.array([s.box for s in own])
        offered = np.mean([s.all_found for s in own])
        reach = f"{(masks >= least).mean():8.1%} {(boxes >= least).mean():8.1%}"
        print(f"{kind:28} {len(own):5} {reach} {np.median(masks):7.3f} {offered:11.1%}")
    for one in sorted(scores, key=lambda s: s.mask)[:12]:
        print(f"  {one.mask:.3f} outline, {one.box:.3f} box: {one.name}, {one.kind}")


def times() -> None:
    """Processor time of finding the pictures of a screen, at several sizes."""
    cv2.setNumThreads(1)
    maker = ScreenMaker(make_bank(None, held_out=True, simulated=2), held_out=True)
    screen = next(s for s in map(maker.screen, range(100)) if s.layout == "desktop" and len(s.sectors) == 1)
    for width, height in ((640, 480), (1280, 720), (1920, 1080), (3840, 2160)):
        gray = gray_of(cv2.resize(screen.pixels, (width, height)).astype(np.uint8))
        find_region(gray)
        taken = []
        for _ in range(40):
            began = time.process_time()  # other programs' shares of the processor do not count
            find_region(gray)
            taken.append(time.process_time() - began)
        print(f"{width}x{height}: median {np.median(taken) * 1000:.1f} ms, least {min(taken) * 1000:.1f} ms")


def main() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("rendered", "outlined", "scans", "time"))
    parser.add_argument("--count", type=int, default=500, help="screens to draw")
    parser.add_argument("--data", type=Path, default=DATA, help="real pictures")
    given = parser.parse_args()
    if given.what == "rendered":
        report(list(rendered(given.count, given.data)), 0.95)
    elif given.what == "outlined":
        report(list(outlined(given.data)), 0.9)
    elif given.what == "scans":
        from training.region.placed_scans import compare

        compare()
    else:
        times()
    return 0


if __name__ == "__main__":
    sys.exit(main())
