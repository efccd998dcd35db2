"""Poses beside a standard plane, off by a known way: what the plane must be told from when that is hard.

Only ways that lead out of the plane: whoever slides or rocks the probe within it still shows the same plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from semc_core.phantom.anatomy import Anatomy, Vector
from semc_core.phantom.probe import Frame3D, Pose, frame_of, pose_towards

WAYS: Final = ("slide", "fan", "turn")
"""Along the skin across the plane (mm); about the picture's horizontal, about the central beam (degrees)."""

OFFS: Final = (5.0, 10.0, 15.0)
"""How far off neighbours are, mm of a slide and degrees of the others; each in both directions."""

TOLERANCE: Final = 3.0
"""How far a pose may be off, mm or degrees, to show the plane still, where neighbours are told apart."""

_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a pose is from a plane on each of the three ways; the signs are the directions.

    Attributes:
        slide_mm: Distance of the two parallel planes; positive along `Frame3D.normal`.
        fan_deg: Positive turns the central beam towards the normal.
        turn_deg: Positive turns the picture's right side towards the normal.
    """

    slide_mm: float = 0.0
    fan_deg: float = 0.0
    turn_deg: float = 0.0

    @property
    def distance(self) -> float:
        """Root of the sum of squares in units of `TOLERANCE`; at most 1 still shows the plane."""
        return float(np.linalg.norm([self.slide_mm, self.fan_deg, self.turn_deg])) / TOLERANCE


def offset_of(way: str, by: float) -> Offset:
    """Off on one of `WAYS` alone."""
    return Offset(**{"slide_mm" if way == "slide" else f"{way}_deg": by})


def neighbours() -> tuple[tuple[str, float], ...]:
    """All ways with how far, signed: those a plane is told apart from."""
    return tuple((way, sign * off) for way in WAYS for off in OFFS for sign in (1, -1))


def beside(plane: Pose, anatomy: Anatomy, offset: Offset, depth_mm: float = 60.0) -> Pose:
    """The pose that is off from `plane`; the probe stays on the skin.

    Args:
        plane: Where it is off from.
        anatomy: The patient.
        offset: How far. The slide comes first; the turns are about the axes of the picture that it leads to.
        depth_mm: Where the beam is aimed; says nothing of the result but its rounding.
    """
    at = frame_of(plane, anatomy)
    angle_deg, z_mm = _slid(plane, anatomy, at, offset.slide_mm)
    contact, _, _ = anatomy.skin(angle_deg, z_mm)
    axial, lateral, normal = at.axial, at.lateral, at.normal
    turn, fan = np.radians([offset.turn_deg, offset.fan_deg])
    lateral, normal = _turned(lateral, normal, turn)
    axial, _ = _turned(axial, normal, fan)
    return pose_towards(anatomy, angle_deg, z_mm, contact + axial * depth_mm, lateral)


def _turned(one: Vector, other: Vector, angle: float) -> tuple[Vector, Vector]:
    """Two axes after a turn that leads the first towards the second."""
    return np.cos(angle) * one + np.sin(angle) * other, np.cos(angle) * other - np.sin(angle) * one


def _slid(plane: Pose, anatomy: Anatomy, at: Frame3D, slide_mm: float) -> tuple[float, float]:
    """Angle and height of the contact point that lies `slide_mm` across the plane, the shortest way there."""
    angle_deg, z_mm = plane.angle_deg, plane.z_mm
    if slide_mm == 0:
        return angle_deg, z_mm
    for _ in range(_STEPS):  # the skin is bent, so each step is a little wrong
        contact, _, tangent = anatomy.skin(angle_deg, z_mm)
        left = slide_mm - float((contact - at.contact) @ at.normal)
        along, up = float(tangent @ at.normal), float(at.normal[2])
        scale = left / (along * along + up * up)
        turn = np.radians(angle_deg)
        a, b = anatomy.body_mm
        angle_deg += float(np.degrees(scale * along / np.hypot(a * np.cos(turn), b * np.sin(turn))))
        z_mm += scale * up
    return angle_deg, z_mm
