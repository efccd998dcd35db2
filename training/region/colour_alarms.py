"""How often colour is said to lie over a picture: `python -m training.region.colour_alarms DATA`.

Real pictures without Doppler are gray, so each is also tinted as scanners tint them and marked with coloured
calipers and words: none of these is Doppler. Into others a colour box with flow is drawn, for which no real
data may be shipped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.colour import is_coloured
from semc_core.imaging.crop import crop_and_sector
from semc_core.picture import Picture
from semc_core.types import Crop

Pixels = NDArray[np.uint8]
TINTS: Final = ((1.0, 0.86, 0.62), (0.72, 0.88, 1.0), (1.0, 0.78, 0.55), (0.8, 1.0, 0.85))
"""Share of red, green and blue of a white pixel."""
_INKS: Final = ((255, 230, 0), (0, 255, 90), (0, 220, 255), (255, 60, 60))
_SEED: Final = 11
_EVERY: Final = 4


def tinted(rgb: Pixels, tint: tuple[float, float, float]) -> Pixels:
    """A gray picture as a scanner shows it through a map of colours."""
    return np.asarray(rgb * np.array(tint), np.uint8)


def marked(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """With four calipers, a dotted line between each pair, and words over the picture, in colour."""
    out, (height, width) = rgb.copy(), rgb.shape[:2]
    ink, thick = _INKS[int(rng.integers(len(_INKS)))], max(1, height // 400)
    for _ in range(2):
        ends = [(int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height)) for _ in range(2)]
        for end in ends:
            cv2.drawMarker(out, end, ink, cv2.MARKER_CROSS, max(8, height // 40), thick)
        for at in np.linspace(0, 1, 24):
            dot = [round(a + at * (b - a)) for a, b in zip(*ends, strict=True)]
            cv2.circle(out, (dot[0], dot[1]), thick, ink, -1)
    place = (int(0.3 * width), int(0.9 * height))
    cv2.putText(out, "D1 43.2 mm", place, cv2.FONT_HERSHEY_SIMPLEX, height / 700, ink, thick, cv2.LINE_AA)
    return out


def with_flow(rng: np.random.Generator, rgb: Pixels, crop: Crop, power: bool = False) -> Pixels:
    """With a colour box in which vessels are filled, red and blue, or of one colour (power Doppler)."""
    out, size = rgb.copy(), np.array([crop.width, crop.height])
    middle = np.array([crop.left, crop.top]) + size * rng.uniform(0.4, 0.6, 2)
    half = size * rng.uniform(0.15, 0.25, 2)
    corners = [tuple(round(float(each)) for each in middle + half * sign) for sign in (-1, 1)]
    cv2.rectangle(out, corners[0], corners[1], (230, 230, 230), 1)
    for vessel in range(int(rng.integers(2, 5))):
        hue = rng.uniform(10, 25) if power else (rng.uniform(0, 12) if vessel % 2 else rng.uniform(105, 125))
        bright = np.array([[[hue, 235, rng.uniform(130, 250)]]], np.uint8)
        ink = tuple(int(each) for each in cv2.cvtColor(bright, cv2.COLOR_HSV2RGB)[0, 0])
        at = middle + half * rng.uniform(-0.6, 0.6, 2)
        axes = (float(half[0] * rng.uniform(0.2, 0.4)), float(half[1] * rng.uniform(0.12, 0.3)))
        shape = (float(at[0]), float(at[1])), axes, float(rng.uniform(0, 180))
        cv2.ellipse(out, shape, ink, -1, cv2.LINE_AA)
    return out


def _read(path: Path) -> Pixels | None:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if pixels is None else np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def _kinds(rng: np.random.Generator, rgb: Pixels, crop: Crop) -> Iterator[tuple[str, Pixels]]:
    yield "as it is", rgb
    yield "tinted", tinted(rgb, TINTS[int(rng.integers(len(TINTS)))])
    yield "calipers and words in colour", marked(rng, rgb)
    yield "colour box, drawn", with_flow(rng, rgb, crop)
    yield "power Doppler, drawn", with_flow(rng, rgb, crop, power=True)


def main(folder: Path) -> None:
    """Print how many of each kind are said to have colour."""
    rng = np.random.default_rng(_SEED)
    files = [*sorted((folder / "fetal_planes").glob("*.png")), *sorted((folder / "organs").glob("*/*.jpg"))]
    said: dict[str, list[bool]] = {}
    for path in files[::_EVERY]:
        rgb = _read(path)
        if rgb is None:
            continue
        crop, outline = crop_and_sector(Picture(rgb))
        for kind, pixels in _kinds(rng, rgb, crop):
            said.setdefault(kind, []).append(is_coloured(Picture(pixels), crop, outline))
    for kind, each in said.items():
        print(f"{kind}: {sum(each)} of {len(each)} said to have colour")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
