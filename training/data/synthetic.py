"""Render simulated patients into a set to train on: frames balanced over planes, near misses and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import Preprocessing, prepare, whole
from semc_core.io.atomic import remove_leftovers
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.probe import Pose
from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.trajectory import TOLERANCES, Truth, nearest_plane
from semc_core.types import Crop
from training.data.frame_set import Row, patient_row, shard_path, write_shard
from training.data.negatives import make_negative
from training.run_folder import make_folder
from training.workers import workers

_SCREENS: Final = ((640, 480), (640, 480), (720, 576), (800, 600), (1024, 768), (1280, 720))
_SECONDS: Final = 120.0
_FRAME_RATE: Final = 12.5
_NEAR: Final = 2.5  # beyond this a frame is far from every plane


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What is rendered of each patient.

    Attributes:
        frames: Pictures per patient.
        size: Side of the stored, letterboxed pictures, pixels.
    """

    frames: int = 100
    size: int = 224


def render_patients(
    folder: Path, patients: Iterable[int], options: RenderOptions, processes: int
) -> Iterator[int]:
    """Render those patients that are not there yet; gives the number of each when it is done.

    Args:
        folder: Of the set; made if missing.
        patients: Numbers; a patient's split follows from its number.
        options: See there.
        processes: How many work side by side.

    Raises:
        SaveError: The folder cannot be made, or a file in it not be written.
    """
    make_folder(folder)
    remove_leftovers(folder)
    missing = [patient for patient in patients if not shard_path(folder, patient).exists()]
    with workers(processes) as pool:
        yield from pool.imap_unordered(partial(render_patient, folder, options), missing)


def render_patient(folder: Path, options: RenderOptions, patient: int) -> int:
    """Render one patient: shares of 50 % scan, 25 % posed, 25 % negatives. Returns the patient's number."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng([patient, 11])
    width, height = _SCREENS[int(rng.integers(len(_SCREENS)))]
    scan = SimulatedScan(patient, _SECONDS, width, height, _FRAME_RATE, furniture=bool(rng.random() < 0.8))
    store = _Pictures(rng, options.size, patient)
    posed, negatives = options.frames // 4, options.frames // 4
    last = _render_scan(store, rng, scan, options.frames - posed - negatives)
    for number in range(posed):
        _render_posed(store, rng, scan, standard=number % 2 == 0)
    for _ in range(negatives):
        kind, picture = make_negative(rng, last[int(rng.integers(len(last)))])
        store.add(picture, patient_row(patient, -1, NON_STANDARD, float("inf"), f"negative:{kind}"))
    write_shard(folder, patient, np.stack(store.pictures), store.rows)
    return patient


class _Pictures:
    """Collects pictures, cropped as live does or a little wrongly, some as a lossy video shows them."""

    def __init__(self, rng: np.random.Generator, size: int, patient: int) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self.rows: list[Row] = []
        self._rng = rng
        # Gray levels as they are: the network's own mean and deviation are applied when it is trained.
        self._fit = Preprocessing(size, size, mean=(0.0,), std=(1 / 255,))

    def add(self, pixels: NDArray[np.uint8], row: Row) -> None:
        pixels = _as_video(self._rng, pixels)
        crop = _inexact(self._rng, find_crop(pixels) or whole(pixels), pixels)
        self.pictures.append(np.rint(prepare(pixels, crop, self._fit)[0]).astype(np.uint8))
        self.rows.append(row)


def _as_video(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half of the pictures pass through JPEG, like frames of a recorded or streamed video."""
    if rng.random() < 0.5:
        return pixels
    quality = int(rng.integers(30, 90))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _inexact(rng: np.random.Generator, crop: Crop, pixels: NDArray[np.uint8]) -> Crop:
    """Mostly the crop that was found; sometimes a few percent off, or the whole frame."""
    fate = rng.random()
    if fate < 0.6:
        return crop
    if fate < 0.65:
        return whole(pixels)
    off = rng.uniform(-0.05, 0.07, 4)  # of each side outwards
    left = max(0, round(crop.left - off[0] * crop.width))
    top = max(0, round(crop.top - off[1] * crop.height))
    right = min(pixels.shape[1], round(crop.left + crop.width * (1 + off[2])))
    bottom = min(pixels.shape[0], round(crop.top + crop.height * (1 + off[3])))
    return Crop(left, top, right - left, bottom - top)


def _render_scan(
    store: _Pictures, rng: np.random.Generator, scan: SimulatedScan, count: int
) -> list[NDArray[np.uint8]]:
    """Frames of the scan: half planes in equal parts, a third near them, the rest far. Returns a few."""
    assert scan.frame_count is not None
    truths = [scan.truth(index) for index in range(scan.frame_count)]
    wanted: list[Truth] = []
    # Of few, the rounded parts can be more than the whole.
    for plane in LIVER_PLANES:
        each = min(round(count / 2 / len(LIVER_PLANES)), count - len(wanted))
        wanted += _some(rng, [t for t in truths if t.plane == plane], each)
    others = [t for t in truths if t.plane == NON_STANDARD]
    wanted += _some(
        rng, [t for t in others if t.distance <= _NEAR], min(round(count / 3), count - len(wanted))
    )
    wanted += _some(rng, [t for t in others if t.distance > _NEAR], count - len(wanted))
    kept = []
    for truth in wanted:
        pixels = scan.frame(truth.frame_index)
        store.add(pixels, patient_row(scan.seed, truth.frame_index, truth.plane, truth.distance, "scan"))
        if np.isfinite(truth.distance):
            kept.append(pixels)
    return kept[:: max(1, len(kept) // 12)]


def _some(rng: np.random.Generator, truths: list[Truth], count: int) -> list[Truth]:
    """`count` of the truths, or all if there are fewer; none twice."""
    if not truths:
        return []
    chosen = rng.choice(len(truths), min(count, len(truths)), replace=False)
    return [truths[int(i)] for i in sorted(chosen)]


def _render_posed(store: _Pictures, rng: np.random.Generator, scan: SimulatedScan, standard: bool) -> None:
    """One frame at a random pose inside the tolerance of a random plane, or beside it."""
    plane = scan.path.planes[str(rng.choice(LIVER_PLANES))]
    way = rng.normal(size=5)
    distance = rng.uniform(0.0, 0.85) if standard else rng.uniform(1.3, 3.5)
    off = plane.as_array() + way / np.linalg.norm(way) * distance * TOLERANCES.as_array()
    breath_mm = float(rng.uniform(-6, 6))
    off[1] += breath_mm
    pose = Pose(*(float(value) for value in off))
    name, distance = nearest_plane(pose, scan.path.planes, breath_mm)
    pixels = scan.at_pose(pose, int(rng.integers(1 << 30)), breath_mm)
    store.add(pixels, patient_row(scan.seed, -1, name, distance, "posed"))
