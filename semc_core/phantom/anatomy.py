"""A simulated upper abdomen, different for every patient seed.

Coordinates are millimetres in the patient: x to the patient's left, y to the back, z to the head, the origin
in the middle of the body at the height of the portal bifurcation. Shapes are signed distances, negative
inside. `Anatomy` holds where things are; `semc_core.phantom.tissue` says how they echo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

RIB_SPACING_MM = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Tube:
    """A tapered vessel piece from `start` (radius `start_mm`) to `end` (radius `end_mm`).

    `wall` is 1 for portal branches, whose walls are bright, 0 for hepatic veins.
    """

    start: Vector
    end: Vector
    start_mm: float
    end_mm: float
    wall: float


@dataclass(frozen=True, slots=True, eq=False)
class Ellipsoid:
    """`axes` has the unit axes as rows; `radii` are in mm along them."""

    centre: Vector
    radii: Vector
    axes: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Echo:
    """Backscatter relative to the liver's, decibels, and what the wall adds; varies per patient."""

    fat_db: float
    muscle_db: float
    kidney_db: float
    bowel_db: float
    liver_heterogeneity_db: float
    capsule_db: float
    attenuation: float


class Anatomy:
    """Where everything lies in one patient.

    Args:
        seed: Any non-negative integer; the same seed is the same patient.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self._rng = rng
        self.size = rng.uniform(0.92, 1.08)
        self.body_mm = np.array([rng.uniform(138, 165), rng.uniform(92, 112)])
        self.fat_mm = rng.uniform(6, 16)
        self.muscle_mm = rng.uniform(8, 12)
        self.rib_phase_mm = rng.uniform(0, RIB_SPACING_MM)
        self.echo = Echo(
            fat_db=rng.uniform(-9, -4),
            muscle_db=rng.uniform(-8, -3),
            kidney_db=rng.uniform(-9, -4),
            bowel_db=rng.uniform(2, 7),
            liver_heterogeneity_db=rng.uniform(0.4, 1.4),
            capsule_db=rng.uniform(14, 20),
            attenuation=rng.uniform(0.85, 1.2),
        )
        self._place_vessels()
        self._place_organs()
        self.warp_waves = rng.normal(0, 1 / 55, (3, 3, 3))  # for each output axis, three wave vectors, per mm
        self.warp_phases = rng.uniform(0, 2 * np.pi, (3, 3))
        self.warp_mm = rng.uniform(1.0, 2.2)
        self.texture_seed = int(rng.integers(1 << 31))
        self.breaths_per_s = rng.uniform(0.2, 0.3)
        self.heart_rate_hz = rng.uniform(0.9, 1.4)

    def _spot(self, x: float, y: float, z: float, spread_mm: float = 4.0) -> Vector:
        """A landmark of the mean patient, moved a little and scaled for this one."""
        jitter = np.clip(self._rng.normal(0, spread_mm / 2, 3), -spread_mm, spread_mm)
        placed: Vector = (np.array([x, y, z]) + jitter) * self.size
        return placed

    def _place_vessels(self) -> None:
        rng, spot = self._rng, self._spot
        girth = rng.uniform(0.85, 1.2)
        self.bifurcation = spot(-30, 0, 0, 5)
        self.confluence = spot(-18, 30, 52, 4)
        self.left_elbow = spot(-6, -24, 14)
        self.umbilical_end = self.left_elbow + np.array([5.0, -27.0, -12.0]) * rng.uniform(0.85, 1.1)
        self.right_portal_end = spot(-68, -2, 6)
        self.right_vein_end = spot(-98, 0, 12, 6)
        self.middle_vein_end = spot(-44, -44, 12, 6)
        self.left_vein_end = spot(26, -40, 34, 6)
        self.portal_trunk = spot(12, 18, -42, 5)
        self.aorta_mm = rng.uniform(8, 10.5)
        self.cava_mm = rng.uniform(9, 12)
        self.aorta_xy = self._spot(19, 42, 0)[:2]
        self.cava_xy = self.confluence[:2] + np.array([1.0, 5.0])
        pieces = [
            (self.portal_trunk, self.bifurcation, 6.5, 6.5, 1),
            (self.bifurcation, self.right_portal_end, 6.0, 4.8, 1),
            (self.right_portal_end, spot(-92, -36, 26, 6), 4.2, 2.2, 1),
            (self.right_portal_end, spot(-104, 22, -2, 6), 4.2, 2.2, 1),
            (self.bifurcation, self.left_elbow, 5.2, 5.0, 1),
            (self.left_elbow, self.umbilical_end, 5.2, 4.2, 1),
            (self.left_elbow, spot(38, -38, 28, 6), 3.2, 1.8, 1),
            (self.umbilical_end, spot(34, -54, 4, 6), 3.0, 1.6, 1),
            (self.umbilical_end, spot(-34, -56, 6, 6), 3.0, 1.6, 1),
            (self.confluence, self.right_vein_end, 6.2, 3.0, 0),
            (self.confluence, self.middle_vein_end, 5.8, 2.8, 0),
            (self.confluence, self.left_vein_end, 5.4, 2.6, 0),
        ]
        for _ in range(7):  # small branches: the clutter in which the landmarks lie
            start = np.array([rng.uniform(-105, -35), rng.uniform(-45, 35), rng.uniform(-35, 45)]) * self.size
            end = start + rng.normal(0, 16, 3)
            pieces.append((start, end, rng.uniform(1.4, 2.4), 1.0, int(rng.random() < 0.5)))
        self.tubes = [Tube(a, b, ra * girth, rb * girth, wall) for a, b, ra, rb, wall in pieces]

    def _place_organs(self) -> None:
        rng, spot, size = self._rng, self._spot, self.size
        self.right_lobe = Ellipsoid(
            spot(-66, -4, 8), np.array([70, 74, rng.uniform(68, 82)]) * size, np.eye(3)
        )
        self.left_lobe = Ellipsoid(
            spot(4, -40, 18, 5),
            np.array([rng.uniform(58, 80), 33, rng.uniform(44, 56)]) * size,
            _rotated(0, 0, rng.uniform(-12, 0)),
        )
        neck = self.bifurcation + np.array([-12.0, -18.0, -14.0])
        fundus = spot(-56, -58, -48, 6)
        along = fundus - neck
        self.gallbladder = Ellipsoid(
            (neck + fundus) / 2,
            np.array([np.linalg.norm(along) / 2, rng.uniform(9, 15), rng.uniform(9, 14)]),
            _axes_along(along),
        )
        self.kidney = Ellipsoid(
            spot(-74, 40, -46, 5),
            np.array([rng.uniform(48, 57), rng.uniform(23, 28), rng.uniform(20, 25)]) * size,
            _axes_along(np.array([rng.uniform(-0.3, -0.1), rng.uniform(-0.35, -0.1), -1.0])),
        )
        self.dome_top_mm = rng.uniform(80, 92) * size
        self.dome_centre = np.array([-55.0, 5.0]) * size
        self.spine = spot(0, 72, 0)[:2]
        self.gas = [
            Ellipsoid(
                np.array([rng.uniform(-60, 70), rng.uniform(-52, 0), rng.uniform(-125, -68)]) * size,
                rng.uniform(8, 22, 3),
                np.eye(3),
            )
            for _ in range(7)
        ]
        self.gas.append(Ellipsoid(spot(72, -30, -8, 10), rng.uniform(14, 24, 3), np.eye(3)))  # stomach

    def skin(self, angle_deg: float, z_mm: float) -> tuple[Vector, Vector, Vector]:
        """A point on the skin, the inward normal there, and the tangent towards the patient's left.

        Args:
            angle_deg: Around the body from the front midline; negative is the patient's right.
            z_mm: Height.
        """
        angle = np.radians(angle_deg)
        a, b = self.body_mm
        point = np.array([a * np.sin(angle), -b * np.cos(angle), z_mm])
        tangent = np.array([a * np.cos(angle), b * np.sin(angle), 0.0])
        tangent /= np.linalg.norm(tangent)
        normal = np.array([-tangent[1], tangent[0], 0.0])
        return point, normal, tangent

    def costal_margin(self, angle_deg: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Height of the lowest rib's edge at an angle around the body, mm."""
        edge: NDArray[np.float64] = 42.0 - 92.0 * (1 - np.cos(np.radians(angle_deg) * 1.1))
        return edge * self.size

    def along_ribs(self, angle_deg: float) -> Vector:
        """Unit direction of a rib at an angle around the body, towards the patient's left."""
        ends = [self.skin(at, float(self.costal_margin(at)))[0] for at in (angle_deg - 2, angle_deg + 2)]
        direction: Vector = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        return direction

    @property
    def rib_depth_mm(self) -> float:
        """How deep under the skin the middle of a rib lies."""
        return self.fat_mm + 0.55 * self.muscle_mm + 2

    def intercostal(self, angle_deg: float, z_mm: float) -> float:
        """Height on the skin from which a level beam passes the middle of the rib space nearest to `z_mm`."""
        contact, normal, _ = self.skin(angle_deg, 0.0)
        between = contact + normal * self.rib_depth_mm
        angle = np.degrees(np.arctan2(between[0] / self.body_mm[0], -between[1] / self.body_mm[1]))
        base = float(self.costal_margin(angle)) + self.rib_phase_mm + RIB_SPACING_MM / 2
        return base + RIB_SPACING_MM * round((z_mm - base) / RIB_SPACING_MM)


def _rotated(x_deg: float, y_deg: float, z_deg: float) -> NDArray[np.float64]:
    """Rows: the axes turned about x, then y, then z."""
    rows = np.eye(3)
    for axis, degrees in enumerate((x_deg, y_deg, z_deg)):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
        rows = rows @ turn
    return rows


def _axes_along(direction: Vector) -> NDArray[np.float64]:
    """Rows: a right-handed set of axes whose first points along `direction`."""
    first = direction / np.linalg.norm(direction)
    helper = np.array([0.0, 1.0, 0.0]) if abs(first[1]) < 0.8 else np.array([1.0, 0.0, 0.0])
    second = np.cross(helper, first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])
