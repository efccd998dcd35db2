"""Render simulated patients as a hard set: each plane among its own neighbours, seen by several scanners.

What is off is off by a known way and amount (`semc_core.phantom.neighbours`), which the set's tables keep.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.bmode import BModeScanner
from semc_core.phantom.neighbours import Offset, beside, neighbours, offset_of
from semc_core.phantom.probe import Machine, Pose, frame_of
from semc_core.phantom.scan import ScreenFurniture
from semc_core.phantom.trajectory import TOLERANCES, nearest_plane, standard_poses
from training.data.captured import Pictures
from training.data.frame_set import Row, patient_row, write_shard

SCREENS: Final = ((640, 480), (640, 480), (720, 576), (800, 600), (1024, 768), (1280, 720))
"""Width and height of the screens that are captured, pixels."""

ON: Final = "on"
FAR: Final = "far"

_SCANNERS: Final = 4
_SHARES: Final = (0.4, 0.5)
"""Of the planes and of their neighbours; the rest is far from every plane."""

_UNSURE: Final = 1.0  # mm and degrees that every pose is off at random, on all three ways together
_BREATH_MM: Final = 6.0
_WITHIN_DEG: Final = 4.0  # rocked within the plane, which shows the same plane
_AWAY: Final = (2.6, 4.5)  # in the tolerances of `trajectory`


def render_hard_patient(folder: Path, frames: int, size: int, patient: int) -> int:
    """Render one patient: 40 % planes, 50 % neighbours, the rest far from all. Returns the patient's number.

    Args:
        folder: Of the set; must exist.
        frames: Pictures.
        size: Side of the stored pictures, pixels.
        patient: Number; decides everything.

    Raises:
        SaveError: A file cannot be written.
    """
    cv2.setNumThreads(1)
    rng = np.random.default_rng([patient, 12])
    scan = _Patient(rng, patient)
    store = Pictures(rng, size)
    for plane, way, by in _wanted(rng, frames):
        store.add(*scan.picture(plane, way, by))
    write_shard(folder, patient, np.stack(store.pictures), store.rows)
    return patient


def _wanted(rng: np.random.Generator, frames: int) -> list[tuple[str, str, float]]:
    """Plane, way and amount of each picture; no way is the plane itself, no plane is far from all."""
    on = _dealt(rng, [(plane, "", 0.0) for plane in LIVER_PLANES], round(_SHARES[0] * frames))
    each = [(plane, way, by) for plane in LIVER_PLANES for way, by in neighbours()]
    off = _dealt(rng, each, min(round(_SHARES[1] * frames), frames - len(on)))
    return [*on, *off, *[("", "", 0.0)] * (frames - len(on) - len(off))]


def _dealt(
    rng: np.random.Generator, each: list[tuple[str, str, float]], count: int
) -> list[tuple[str, str, float]]:
    """`count` of them: all equally often, those that are left at random."""
    found: list[tuple[str, str, float]] = []
    while len(found) < count:
        found += [each[int(place)] for place in rng.permutation(len(each))]
    return found[:count]


class _Patient:
    """One patient before several scanners."""

    def __init__(self, rng: np.random.Generator, patient: int) -> None:
        self._rng, self._number = rng, patient
        self._anatomy = Anatomy(patient)
        self._planes = standard_poses(self._anatomy)
        self._scanners = [self._scanner() for _ in range(_SCANNERS)]

    def _scanner(self) -> tuple[BModeScanner, ScreenFurniture | None]:
        rng = self._rng
        width, height = SCREENS[int(rng.integers(len(SCREENS)))]
        machine, seed = varied_machine(rng), int(rng.integers(1 << 31))
        grain = copy.copy(self._anatomy)
        grain.texture_seed = seed  # another speckle of the same organs
        scanner = BModeScanner(grain, machine, width, height)
        furniture = ScreenFurniture(machine, scanner.geometry, width, height, seed)
        return scanner, furniture if rng.random() < 0.6 else None

    def picture(self, plane: str, way: str, by: float) -> tuple[NDArray[np.uint8], Row]:
        """A screen, uint8 (height, width), with what is known of it; see `_wanted`."""
        rng = self._rng
        scanner, furniture = self._scanners[int(rng.integers(_SCANNERS))]
        breath_mm = float(rng.uniform(-_BREATH_MM, _BREATH_MM))
        pose, row = self._far() if plane == "" else self._near(plane, way, by)
        moved = Pose(pose.angle_deg, pose.z_mm + breath_mm, pose.spin_deg, pose.tilt_deg, pose.rock_deg)
        seen = scanner.picture(
            frame_of(moved, self._anatomy), breath_mm, float(rng.uniform(-1, 1)), int(rng.integers(1 << 30))
        )
        if furniture is not None:
            furniture.draw(seen, float(rng.uniform(0, 600)))
        return seen, row

    def _near(self, plane: str, way: str, by: float) -> tuple[Pose, Row]:
        rng = self._rng
        wrong = rng.normal(size=3)
        wrong *= _UNSURE * rng.random() ** (1 / 3) / np.linalg.norm(wrong)
        meant = offset_of(way, by) if way else Offset()
        offset = Offset(*(np.array([meant.slide_mm, meant.fan_deg, meant.turn_deg]) + wrong).tolist())
        pose = beside(self._planes[plane], self._anatomy, offset)
        rocked = pose.rock_deg + float(rng.uniform(-_WITHIN_DEG, _WITHIN_DEG))
        pose = Pose(pose.angle_deg, pose.z_mm, pose.spin_deg, pose.tilt_deg, rocked)
        kind = f"off {abs(by):g}" if way else ON
        known = patient_row(self._number, -1, NON_STANDARD if way else plane, offset.distance, kind)
        return pose, Row(known.group, known.source, known.plane, kind, known.distance, -1, plane, way, by)

    def _far(self) -> tuple[Pose, Row]:
        """Beside a plane as scanning passes it, and near no other."""
        while True:
            plane = self._planes[str(self._rng.choice(LIVER_PLANES))].as_array()
            way = self._rng.normal(size=5)
            way *= self._rng.uniform(*_AWAY) / np.linalg.norm(way)
            pose = Pose(*(float(value) for value in plane + way * TOLERANCES.as_array()))
            if nearest_plane(pose, self._planes, 0.0)[1] >= _AWAY[0]:
                return pose, patient_row(self._number, -1, NON_STANDARD, float("inf"), FAR)


def varied_machine(rng: np.random.Generator) -> Machine:
    """Settings of a scanner, drawn more widely than those of a simulated scan."""
    return Machine(
        radius_mm=rng.uniform(40, 66),
        sector_deg=rng.uniform(54, 78),
        depth_mm=rng.uniform(125, 190),
        frequency_mhz=rng.uniform(2.2, 5.0),
        gain_db=rng.uniform(-9, 11),
        dynamic_range_db=rng.uniform(42, 72),
        tgc_slope_db=rng.uniform(-8, 8),
        gamma=rng.uniform(0.7, 1.4),
        noise_db=rng.uniform(-56, -42),
        compounding_px=rng.uniform(0.0, 2.0),
    )
