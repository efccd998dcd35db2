"""The convex probe: where it touches the skin, how it is held, and which points its beams pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import Anatomy, Vector

Window = tuple[slice, slice]
"""A part of a polar grid: samples, beams."""


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
        """The five numbers, in the order of the attributes."""
        return np.array([self.angle_deg, self.z_mm, self.spin_deg, self.tilt_deg, self.rock_deg])


@dataclass(frozen=True, slots=True, eq=False)
class Frame3D:
    """The image plane in the patient: contact point and the unit axes of the picture."""

    contact: Vector
    axial: Vector
    lateral: Vector

    @property
    def normal(self) -> Vector:
        """The unit vector across the picture, along which the plane has its thickness."""
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
        self.shape = (samples, lines)
        self.step_mm = machine.depth_mm / samples
        self._line_rad = float(angles[1] - angles[0])
        self._radius_mm = machine.radius_mm
        self.depth_mm = (ranges - machine.radius_mm).astype(np.float32)
        self.axial_mm = (ranges[:, None] * np.cos(angles) - machine.radius_mm).astype(np.float32)
        self.lateral_mm = (ranges[:, None] * np.sin(angles)).astype(np.float32)

    def points(self, frame: Frame3D) -> NDArray[np.float32]:
        """float32 (3, samples, lines): the sample points in the patient, mm."""
        located = np.empty((3, *self.shape), np.float32)
        for out, contact, axial, lateral in zip(
            located, frame.contact, frame.axial, frame.lateral, strict=True
        ):
            np.multiply(self.axial_mm, np.float32(axial), out=out)
            out += self.lateral_mm * np.float32(lateral)
            out += np.float32(contact)
        return located

    def windows(self, frame: Frame3D, starts: Vector, ends: Vector, reach_mm: Vector) -> list[Window | None]:
        """For each of n capsules, the smallest part of the grid that holds all of it that the picture meets.

        Args:
            frame: The image plane.
            starts: (n, 3), one end of each capsule's axis, mm.
            ends: (n, 3), the other.
            reach_mm: (n,), radius of each capsule.

        Returns:
            Samples and beams as slices, rather too large than too small; None where nothing is met.
        """
        origin = frame.contact - frame.axial * self._radius_mm  # where all beams come from
        axes = np.stack([frame.axial, frame.lateral, frame.normal], axis=1)
        start, way = (starts - origin) @ axes, (ends - starts) @ axes
        # Only the piece of the axis within reach of the plane matters.
        slope = np.where(np.abs(way[:, 2]) < 1e-6, 1e-6, way[:, 2])
        enters, leaves = (-reach_mm - start[:, 2]) / slope, (reach_mm - start[:, 2]) / slope
        low, high = np.minimum(enters, leaves), np.maximum(enters, leaves)
        met = (low <= 1) & (high >= 0)
        flat, step = start[:, :2], way[:, :2]
        closest = np.clip(-(flat * step).sum(axis=1) / ((step * step).sum(axis=1) + 1e-9), 0, 1)
        shares = np.clip(np.stack([low, high, closest]), 0, 1)
        shares[2] = np.clip(shares[2], shares[0], shares[1])
        down, side = np.moveaxis(flat + shares[..., None] * step, -1, 0)  # (3, n): two ends, closest
        away = np.hypot(down, side)
        angle = np.arctan2(side, down)
        half = np.where(away[2] > reach_mm, np.arcsin(np.minimum(reach_mm / (away + 1e-9), 1)), np.pi)
        samples, lines = self.shape
        sample = np.stack([away[2] - reach_mm, away.max(axis=0) + reach_mm]) - self._radius_mm
        line = np.stack([(angle - half)[:2].min(axis=0), (angle + half)[:2].max(axis=0)])
        rows = np.floor(sample / self.step_mm) + np.array([[0], [1]])
        columns = np.floor(line / self._line_rad + (lines - 1) / 2) + np.array([[0], [2]])
        rows, columns = (
            np.clip(found, 0, count).astype(int) for found, count in ((rows, samples), (columns, lines))
        )
        met &= (rows[0] < rows[1]) & (columns[0] < columns[1])
        return [
            (slice(top, bottom), slice(left, right)) if seen else None
            for seen, top, bottom, left, right in zip(
                met.tolist(), *rows.tolist(), *columns.tolist(), strict=True
            )
        ]
