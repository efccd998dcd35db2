"""The convex probe: where it touches the skin, how it is held, and which points its beams pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import Anatomy, Vector


@dataclass(frozen=True, slots=True)
class Pose:
    """How the probe is held.

    Attributes:
        angle_deg: Contact point around the body; 0 is the front midline, negative the patient's right.
        z_mm: Height of the contact point.
        spin_deg: Turn about the beam; 0 transverse (image left is the patient's right), 90 sagittal
            (image left is the head).
        tilt_deg: Fan motion out of the image plane.
        rock_deg: Heel-toe motion within the image plane.
    """

    angle_deg: float
    z_mm: float
    spin_deg: float
    tilt_deg: float
    rock_deg: float

    def as_array(self) -> Vector:
        return np.array([self.angle_deg, self.z_mm, self.spin_deg, self.tilt_deg, self.rock_deg])


@dataclass(frozen=True, slots=True, eq=False)
class Frame3D:
    """The image plane in the patient: contact point and the unit axes of the picture."""

    contact: Vector
    axial: Vector
    lateral: Vector

    @property
    def normal(self) -> Vector:
        return np.cross(self.axial, self.lateral)


def frame_of(pose: Pose, anatomy: Anatomy) -> Frame3D:
    """The image plane of a pose."""
    contact, normal, tangent = anatomy.skin(pose.angle_deg, pose.z_mm)
    spin, tilt, rock = np.radians([pose.spin_deg, pose.tilt_deg, pose.rock_deg])
    level = np.cos(spin) * tangent - np.sin(spin) * np.array([0.0, 0.0, 1.0])
    fanned = np.cos(tilt) * normal + np.sin(tilt) * np.cross(normal, level)
    axial = np.cos(rock) * fanned + np.sin(rock) * level
    lateral = np.cos(rock) * level - np.sin(rock) * fanned
    return Frame3D(contact, axial, lateral)


def pose_towards(
    anatomy: Anatomy, angle_deg: float, z_mm: float, target: Vector, image_right: Vector
) -> Pose:
    """The pose that, from a contact point, centres `target` and shows `image_right` to the right.

    Args:
        anatomy: The patient.
        angle_deg: Contact point around the body.
        z_mm: Height of the contact point.
        target: Point on the central beam, mm.
        image_right: Direction that shall lie in the picture, pointing right; any length.
    """
    contact, normal, tangent = anatomy.skin(angle_deg, z_mm)
    up = np.array([0.0, 0.0, 1.0])
    axial = (target - contact) / np.linalg.norm(target - contact)
    plane = np.cross(axial, image_right)
    plane /= np.linalg.norm(plane)
    level = np.cross(plane, normal)
    level /= np.linalg.norm(level)
    fanned = np.cross(level, plane)
    spin = np.degrees(np.arctan2(-level @ up, level @ tangent))
    tilt = np.degrees(np.arctan2(fanned @ np.cross(normal, level), fanned @ normal))
    rock = np.degrees(np.arctan2(axial @ level, axial @ fanned))
    return Pose(angle_deg, z_mm, float(spin), float(tilt), float(rock))


@dataclass(frozen=True, slots=True)
class Machine:
    """Settings of the simulated scanner; constant within a scan.

    Attributes:
        radius_mm: Curvature of the probe.
        sector_deg: Opening angle.
        depth_mm: Greatest depth shown.
        frequency_mhz: Centre frequency.
        gain_db: Overall gain.
        dynamic_range_db: Range mapped to black-white.
        tgc_slope_db: Error of the time-gain curve between skin and greatest depth.
        gamma: Of the gray map.
        noise_db: Electronic noise before gain, relative to liver at the skin.
        compounding_px: Averaging of echo power over neighbouring samples and beams, standard deviation; it
            calms the speckle.
    """

    radius_mm: float
    sector_deg: float
    depth_mm: float
    frequency_mhz: float
    gain_db: float
    dynamic_range_db: float
    tgc_slope_db: float
    gamma: float
    noise_db: float
    compounding_px: float

    @staticmethod
    def for_seed(seed: int) -> Machine:
        """Settings drawn for a seed."""
        rng = np.random.default_rng([seed, 2])
        return Machine(
            radius_mm=rng.uniform(48, 62),
            sector_deg=rng.uniform(58, 74),
            depth_mm=rng.uniform(128, 175),
            frequency_mhz=rng.uniform(2.6, 4.4),
            gain_db=rng.uniform(-3, 7),
            dynamic_range_db=rng.uniform(48, 66),
            tgc_slope_db=rng.uniform(-5, 5),
            gamma=rng.uniform(0.85, 1.2),
            noise_db=rng.uniform(-56, -46),
            compounding_px=rng.uniform(0.0, 1.3),
        )


class Beams:
    """The beams of a probe: a polar grid of sample points relative to the contact point.

    Args:
        machine: Radius, sector and depth.
        lines: Number of beams.
        samples: Samples along each.
    """

    def __init__(self, machine: Machine, lines: int, samples: int) -> None:
        angles = np.radians(machine.sector_deg) * (np.arange(lines) / (lines - 1) - 0.5)
        ranges = machine.radius_mm + machine.depth_mm * (np.arange(samples) + 0.5) / samples
        self.step_mm = machine.depth_mm / samples
        self.depth_mm = (ranges - machine.radius_mm).astype(np.float32)
        self.axial_mm = (ranges[:, None] * np.cos(angles) - machine.radius_mm).astype(np.float32)
        self.lateral_mm = (ranges[:, None] * np.sin(angles)).astype(np.float32)

    def points(self, frame: Frame3D) -> NDArray[np.float32]:
        """float32 (3, samples, lines): the sample points in the patient, mm."""
        located = (
            frame.contact[:, None, None]
            + frame.axial[:, None, None] * self.axial_mm
            + frame.lateral[:, None, None] * self.lateral_mm
        )
        return located.astype(np.float32)
