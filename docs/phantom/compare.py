"""Compare simulated pictures with real ones: `python docs/phantom/compare.py FOLDER`.

FOLDER holds real ultrasound pictures (.jpg or .png) of a convex probe. Both kinds go through the same
measurement; the table of docs/phantom.md is what this prints. No picture is copied.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.scan import SimulatedScan

_WIDTH: Final = 480
_PATCH: Final = 24
_SPECTRUM: Final = 128
_ROWS: Final = (
    "Gray level inside the sector, mean",
    "Gray level inside the sector, standard deviation",
    "Share of the sector that is black (below 8)",
    "Mean over standard deviation in calm patches",
    "Speckle width along the beam, % of sector height",
    "Speckle width across the beam, % of sector height",
    "Slope of the power spectrum (log-log)",
)


def sector(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the ultrasound picture lies: the hull of the largest bright region."""
    bright = cv2.morphologyEx(
        (cv2.blur(picture, (5, 5)) > 8).astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9))
    )
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(picture.shape, np.uint8)
    if outlines:
        cv2.fillConvexPoly(filled, cv2.convexHull(max(outlines, key=cv2.contourArea)), 1)
    return filled.astype(bool)


def calm_patches(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """The five patches with the least large-scale variation, near the middle, where beams run downwards."""
    rows, columns = np.nonzero(inside)
    top, height, left, width = rows.min(), np.ptp(rows), columns.min(), np.ptp(columns)
    slow = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 4)
    found = []
    for y in range(int(top + 0.25 * height), int(top + 0.8 * height) - _PATCH, _PATCH // 2):
        for x in range(int(left + 0.33 * width), int(left + 0.67 * width) - _PATCH, _PATCH // 2):
            here = (slice(y, y + _PATCH), slice(x, x + _PATCH))
            mean = float(picture[here].mean())
            if inside[here].all() and 25 < mean < 190:
                found.append((float(slow[here].std()) / mean, y, x))
    return [picture[y : y + _PATCH, x : x + _PATCH].astype(np.float32) for _, y, x in sorted(found)[:5]]


def half_width_px(patches: list[NDArray[np.float32]], axis: int) -> float:
    """Full width at half maximum of the patches' mean autocovariance along an axis, pixels."""
    covariance = np.zeros(_PATCH // 2)
    for patch in patches:
        rest = patch - cv2.GaussianBlur(patch, (0, 0), 6)
        for lag in range(len(covariance)):
            ahead = np.take(rest, range(lag, _PATCH), axis)
            behind = np.take(rest, range(_PATCH - lag), axis)
            covariance[lag] += float((ahead * behind).mean())
    covariance /= covariance[0]
    first = int(np.argmax(covariance < 0.5))
    before, after = covariance[first - 1], covariance[first]
    return 2 * float(first - 1 + (before - 0.5) / (before - after))


def spectrum_slope(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    """Slope of log power over log frequency (0.03 to 0.3 cycles per pixel) in the middle of the sector."""
    rows, columns = np.nonzero(inside)
    y = int(np.clip(rows.mean() - _SPECTRUM / 2, 0, picture.shape[0] - _SPECTRUM))
    x = int(np.clip(columns.mean() - _SPECTRUM / 2, 0, picture.shape[1] - _SPECTRUM))
    patch = picture[y : y + _SPECTRUM, x : x + _SPECTRUM].astype(np.float64)
    hann = np.hanning(_SPECTRUM)
    power = np.abs(np.fft.fft2((patch - patch.mean()) * hann[:, None] * hann)) ** 2
    along = np.fft.fftfreq(_SPECTRUM)
    frequency = np.hypot(along[:, None], along)
    edges = np.geomspace(0.03, 0.3, 13)
    band = np.digitize(frequency, edges)
    level = [np.log(power[band == index].mean()) for index in range(1, len(edges))]
    return float(np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), level, 1)[0])


def measure(picture: NDArray[np.uint8]) -> tuple[float, ...] | None:
    """The numbers of `_ROWS`; None where there is no sector with five calm patches."""
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    picture = np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
    inside = sector(picture)
    if inside.mean() < 0.15 or min(picture.shape) < _SPECTRUM:
        return None
    patches = calm_patches(picture, inside)
    if len(patches) < 5:
        return None
    tall = float(np.ptp(np.nonzero(inside)[0]))
    levels = picture[inside]
    return (
        float(levels.mean()),
        float(levels.std()),
        float((levels < 8).mean()),
        float(np.median([patch.mean() / patch.std() for patch in patches])),
        100 * half_width_px(patches, 0) / tall,
        100 * half_width_px(patches, 1) / tall,
        spectrum_slope(picture, inside),
    )


def real_pictures(folder: Path) -> list[NDArray[np.uint8]]:
    """All pictures in `folder`, gray."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    loaded = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths)
    return [np.asarray(picture, np.uint8) for picture in loaded if picture is not None]


def simulated_pictures(patients: int) -> list[NDArray[np.uint8]]:
    """Ten frames each of the first `patients` patients, every six seconds of their scans."""
    pictures = []
    for seed in range(patients):
        scan = SimulatedScan(seed, width=_WIDTH, height=360, furniture=False)
        pictures += [
            scan.frame(180 * step) for step in range(10) if np.isfinite(scan.truth(180 * step).distance)
        ]
    return pictures


def main() -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=20)
    args = parser.parse_args()
    columns = []
    for pictures in (simulated_pictures(args.patients), real_pictures(args.folder)):
        numbers = [found for picture in pictures if (found := measure(picture)) is not None]
        print(f"measured {len(numbers)} of {len(pictures)} pictures", file=sys.stderr)
        columns.append(np.quantile(np.array(numbers), [0.1, 0.5, 0.9], axis=0))
    print("| | simulated: median (10-90 %) | real: median (10-90 %) |\n|---|---|---|")
    for row, name in enumerate(_ROWS):
        cells = [f"{found[1, row]:.2f} ({found[0, row]:.2f} to {found[2, row]:.2f})" for found in columns]
        print(f"| {name} | {cells[0]} | {cells[1]} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
