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

from semc_core.errors import UsageError
from semc_core.io.atomic import remove_leftovers
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.probe import Pose
from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.trajectory import TOLERANCES, Truth, nearest_plane
from training.data.captured import Pictures
from training.data.frame_set import is_hard, patient_row, shard_path, write_shard
from training.data.hard import SCREENS, render_hard_patient
from training.data.negatives import make_negative
from training.run_folder import make_folder
from training.workers import workers

_SECONDS: Final = 120.0
_FRAME_RATE: Final = 12.5
_NEAR: Final = 2.5  # beyond this a frame is far from every plane


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What is rendered of each patient.

    Attributes:
        frames: Pictures per patient.
        size: Side of the stored, letterboxed pictures, pixels.
        hard: Each plane among its own neighbours, by several scanners; see `training.data.hard`.
    """

    frames: int = 100
    size: int = 224
    hard: bool = False


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
        UsageError: The folder holds hard patients where these shall not be hard, or the other way round.
    """
    make_folder(folder)
    remove_leftovers(folder)
    if any(is_hard(path) != options.hard for path in folder.glob("p[0-9]*.csv")):
        raise UsageError(
            f"{folder} holds patients that were rendered {'without' if options.hard else 'with'} --hard; "
            "choose another folder."
        )
    missing = [patient for patient in patients if not shard_path(folder, patient).exists()]
    with workers(processes) as pool:
        yield from pool.imap_unordered(partial(render_patient, folder, options), missing)


def render_patient(folder: Path, options: RenderOptions, patient: int) -> int:
    """Render one patient: shares of 50 % scan, 25 % posed, 25 % negatives. Returns the patient's number.

    A hard one is rendered by `render_hard_patient`.
    """
    if options.hard:
        return render_hard_patient(folder, options.frames, options.size, patient)
    cv2.setNumThreads(1)
    rng = np.random.default_rng([patient, 11])
    width, height = SCREENS[int(rng.integers(len(SCREENS)))]
    scan = SimulatedScan(patient, _SECONDS, width, height, _FRAME_RATE, furniture=bool(rng.random() < 0.8))
    store = Pictures(rng, options.size)
    posed, negatives = options.frames // 4, options.frames // 4
    last = _render_scan(store, rng, scan, options.frames - posed - negatives)
    for number in range(posed):
        _render_posed(store, rng, scan, standard=number % 2 == 0)
    for _ in range(negatives):
        kind, picture = make_negative(rng, last[int(rng.integers(len(last)))])
        store.add(picture, patient_row(patient, -1, NON_STANDARD, float("inf"), f"negative:{kind}"))
    write_shard(folder, patient, np.stack(store.pictures), store.rows)
    return patient


def _render_scan(
    store: Pictures, rng: np.random.Generator, scan: SimulatedScan, count: int
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


def _render_posed(store: Pictures, rng: np.random.Generator, scan: SimulatedScan, standard: bool) -> None:
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
