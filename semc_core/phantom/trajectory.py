"""How the probe is moved: a scan that visits the six planes again and again, in random order.

Each visit has an approach, an overshoot, a hold, and now and then a near miss: a hold beside a plane that is
not standard. Between them the probe travels, and sometimes leaves the skin. Everything is a function of time.

The six standard planes of LP2025 in a simulated patient, and how far a pose is from them.

The planes are what the SEMC paper's table 1 names. "Second porta hepatis" is, as usual where the dataset
comes from, the place where the hepatic veins enter the inferior vena cava.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np

from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.anatomy import Anatomy, Vector
from semc_core.phantom.probe import Pose, pose_towards


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """A smooth move to `goal` (pose as array) that ends at `end_s`.

    `still` is the share by which tremor and breath are reduced, 0-1: a held plane is held with care and a
    held breath. `lifted` means that the probe is off the skin.
    """

    end_s: float
    goal: Vector
    still: float
    lifted: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """The probe and the patient at one time."""

    pose: Pose
    breath_mm: float
    beat: float
    lifted: bool


class ScanPath:
    """The probe's way over one patient.

    Args:
        anatomy: The patient.
        seed: Of the sonographer: the order of planes, speeds, tremor.
    """

    def __init__(self, anatomy: Anatomy, seed: int) -> None:
        self.planes = standard_poses(anatomy)
        self._anatomy = anatomy
        self._rng = np.random.default_rng([seed, 5])
        rng = np.random.default_rng([seed, 6])
        # Tremor: four waves on each of the five ways to move; slow ones larger.
        self._tremor_hz = np.array([0.4, 1.1, 2.7, 6.5])[:, None] * rng.uniform(0.8, 1.25, (4, 5))
        self._tremor_phase = rng.uniform(0, 2 * np.pi, (4, 5))
        reach = np.array([0.10, 0.06, 0.03, 0.015])[:, None] * rng.uniform(0.6, 1.3)
        self._tremor_size = reach * TOLERANCES.as_array()
        self._breath_mm = rng.uniform(3.0, 7.0)
        first = self._off(self.planes[LIVER_PLANES[int(rng.integers(6))]].as_array(), 4.0)
        self._legs = [Leg(0.0, first, 0.0, False)]
        self._ends = [0.0]

    def at(self, time_s: float) -> Moment:
        """Probe and patient at a time, 0 or more; any order of calls gives the same."""
        while self._ends[-1] <= time_s:
            self._add_round()
        which = bisect.bisect_right(self._ends, time_s)
        before, leg = self._legs[which - 1], self._legs[which]
        share = (time_s - before.end_s) / (leg.end_s - before.end_s)
        share = share * share * (3 - 2 * share)
        still = before.still + (leg.still - before.still) * share
        waves = np.sin(2 * np.pi * self._tremor_hz * time_s + self._tremor_phase)
        tremor = (self._tremor_size * waves).sum(axis=0) * (1 - 0.4 * still)
        place = before.goal + (leg.goal - before.goal) * share + tremor
        breath = np.sin(2 * np.pi * self._anatomy.breaths_per_s * time_s)
        cycle = (time_s * self._anatomy.heart_rate_hz) % 1.0
        return Moment(
            pose=Pose(*(float(value) for value in place)),
            breath_mm=float(self._breath_mm * breath * (1 - 0.8 * still)),
            beat=float(np.exp(-8 * cycle) * 2 - 1),
            lifted=leg.lifted,
        )

    def _add_round(self) -> None:
        """Append visits to all six planes, in random order."""
        for which in self._rng.permutation(6):
            self._add_visit(self.planes[LIVER_PLANES[which]].as_array())

    def _add_visit(self, plane: Vector) -> None:
        rng = self._rng
        self._go(self._off(plane, rng.uniform(3.0, 4.5)), rng.uniform(0.9, 1.6))
        if rng.random() < 0.15:
            self._legs.append(Leg(self._ends[-1] + rng.uniform(0.4, 0.9), self._legs[-1].goal, 0.0, True))
            self._ends.append(self._legs[-1].end_s)
        if rng.random() < 0.5:  # a near miss, held as if it were the plane
            miss = self._off(plane, rng.uniform(2.4, 3.5))
            self._go(miss, rng.uniform(0.6, 1.2), still=0.6)
            self._go(self._drift(miss, 0.15), rng.uniform(1.0, 2.0), still=0.6)
        direction = self._direction()
        overshoot = plane - direction * rng.uniform(1.4, 2.2) * TOLERANCES.as_array()
        self._go(self._off(plane, rng.uniform(1.5, 2.5)), rng.uniform(0.5, 1.0))
        self._go(overshoot, rng.uniform(0.7, 1.2))
        held = self._off(plane, rng.uniform(0.0, 0.3))
        self._go(held, rng.uniform(0.6, 1.1), still=0.9)
        self._go(self._drift(held, 0.15), rng.uniform(1.6, 3.5), still=0.9)
        self._go(self._off(plane, rng.uniform(2.5, 4.0)), rng.uniform(0.6, 1.0))

    def _go(self, goal: Vector, seconds: float, still: float = 0.0) -> None:
        self._legs.append(Leg(self._ends[-1] + seconds, goal, still, False))
        self._ends.append(self._legs[-1].end_s)

    def _direction(self) -> Vector:
        """A random direction in pose space, in units of tolerance."""
        way = self._rng.normal(size=5)
        unit: Vector = way / np.linalg.norm(way)
        return unit

    def _off(self, plane: Vector, distance: float) -> Vector:
        """A pose at `distance` from a plane, in a random direction."""
        pose: Vector = plane + self._direction() * distance * TOLERANCES.as_array()
        return pose

    def _drift(self, pose: Vector, distance: float) -> Vector:
        return self._off(pose, distance)


TOLERANCES = Pose(angle_deg=4.5, z_mm=9.0, spin_deg=14.0, tilt_deg=6.5, rock_deg=14.0)
"""Deviations, each alone, at which a plane stops being standard (distance 1)."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a simulated frame shows.

    Attributes:
        frame_index: From 0.
        time_s: Seconds.
        plane: One of the six planes, or NSP.
        distance: To the nearest plane, in units of tolerance; at most 1 is standard. Infinite while the
            probe is off the skin.
    """

    frame_index: int
    time_s: float
    plane: str
    distance: float


def standard_poses(anatomy: Anatomy) -> dict[str, Pose]:
    """The exact pose of each plane for this patient, at rest between breaths."""
    left = np.array([1.0, 0.0, 0.0])
    feet = np.array([0.0, 0.0, -1.0])
    body_a = anatomy.body_mm[0]

    def above(x_mm: float) -> float:
        """Angle of the skin point in front of x."""
        return float(np.degrees(np.arcsin(np.clip(x_mm / body_a, -0.95, 0.95))))

    umbilical = (anatomy.left_elbow + anatomy.umbilical_end) / 2
    aorta = np.array([*anatomy.aorta_xy, 12.0 * anatomy.size])
    kidney_top = anatomy.kidney.centre - anatomy.kidney.axes[0] * anatomy.kidney.radii[0] * 0.3
    lobe = anatomy.right_portal_end + np.array([-12.0, 4.0, 8.0])
    rib_space = anatomy.intercostal(-56, 14)
    return {
        "FHP1": pose_towards(
            anatomy, -15, -24, anatomy.bifurcation, anatomy.left_elbow - anatomy.right_portal_end
        ),
        "FHP2": pose_towards(
            anatomy, -17, -6, anatomy.confluence, anatomy.left_vein_end - anatomy.right_vein_end
        ),
        "LLP": pose_towards(anatomy, above(aorta[0]), -2, aorta, feet),
        "RLP": pose_towards(anatomy, -56, rib_space, lobe, anatomy.along_ribs(-56)),
        "LPV-S": pose_towards(anatomy, above(umbilical[0] - 6), -8, umbilical, feet + 0.45 * left),
        "HRP": pose_towards(anatomy, -64, -46, kidney_top, anatomy.kidney.axes[0]),
    }


def distance_between(pose: Pose, plane: Pose, organ_shift_mm: float) -> float:
    """Distance of `pose` from `plane` in units of tolerance.

    Args:
        pose: The probe now.
        plane: The standard pose at rest.
        organ_shift_mm: How far breathing has moved the organs towards the head.
    """
    off = pose.as_array() - plane.as_array()
    off[1] -= organ_shift_mm
    off[2] = (off[2] + 180) % 360 - 180
    return float(np.sqrt(np.sum((off / TOLERANCES.as_array()) ** 2)))


def nearest_plane(pose: Pose, planes: dict[str, Pose], organ_shift_mm: float) -> tuple[str, float]:
    """The plane that `pose` shows (NSP beyond tolerance) and the distance to the nearest."""
    distances = {name: distance_between(pose, planes[name], organ_shift_mm) for name in LIVER_PLANES}
    name = min(distances, key=lambda plane: distances[plane])
    return (name if distances[name] <= 1 else NON_STANDARD), distances[name]
