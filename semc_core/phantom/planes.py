"""The six standard planes of LP2025 in a simulated patient, and how far a pose is from them.

The planes are what the SEMC paper's table 1 names. "Second porta hepatis" is, as usual where the dataset
comes from, the place where the hepatic veins enter the inferior vena cava.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.probe import Pose, pose_towards

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
