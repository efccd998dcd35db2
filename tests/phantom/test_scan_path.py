"""Where the probe goes, and what the truth says about it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.probe import Pose, frame_of, pose_towards
from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.trajectory import (
    TOLERANCES,
    ScanPath,
    Truth,
    distance_between,
    nearest_plane,
    standard_poses,
)

_RATE = 10.0


def _truths(seed: int, seconds: float) -> list[Truth]:
    """Ten truths a second, without drawing anything."""
    anatomy = Anatomy(seed)
    path = ScanPath(anatomy, seed)
    found = []
    for index in range(int(seconds * _RATE)):
        now = path.at(index / _RATE)
        plane, distance = nearest_plane(now.pose, path.planes, now.breath_mm)
        if now.lifted:
            plane, distance = NON_STANDARD, float("inf")
        found.append(Truth(index, index / _RATE, plane, distance))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_every_plane_is_held_for_a_second_within_seventy(seed: int) -> None:
    longest = dict.fromkeys(LIVER_PLANES, 0.0)
    for plane, run in groupby(_truths(seed, 70), key=lambda truth: truth.plane):
        if plane != NON_STANDARD:
            longest[plane] = max(longest[plane], len(list(run)) / _RATE)
    assert min(longest.values()) >= 1.0, longest


def test_a_frame_is_standard_exactly_within_tolerance() -> None:
    scan = SimulatedScan(11)
    for index in range(0, 2100, 7):
        truth, now = scan.truth(index), scan.path.at(index / scan.frame_rate)
        if now.lifted:
            assert (truth.plane, truth.distance) == (NON_STANDARD, np.inf)
            continue
        distances = {
            name: distance_between(now.pose, pose, now.breath_mm) for name, pose in scan.path.planes.items()
        }
        nearest = min(distances, key=lambda name: distances[name])
        assert truth.distance == distances[nearest]
        assert truth.plane == (nearest if truth.distance <= 1 else NON_STANDARD)


def test_the_probe_leaves_the_skin_now_and_then() -> None:
    lifted = [sum(truth.distance == np.inf for truth in _truths(seed, 70)) for seed in range(8)]
    assert sum(count > 0 for count in lifted) >= 3
    assert max(lifted) < 70 * _RATE / 10


def test_near_misses_are_held_like_planes_but_are_none() -> None:
    misses = 0
    for seed in range(6):
        distances = np.array([truth.distance for truth in _truths(seed, 70)])
        windows = np.lib.stride_tricks.sliding_window_view(distances, int(_RATE))
        still = np.isfinite(windows).all(axis=1) & (np.ptp(windows, axis=1) < 0.6)
        misses += bool((still & (windows.min(axis=1) > 1.7) & (windows.max(axis=1) < 4.3)).any())
    assert misses >= 4


def test_distance_is_one_at_each_tolerance_and_follows_the_breath() -> None:
    pose = standard_poses(Anatomy(0))["LPV-S"]
    for way in range(5):
        step = np.zeros(5)
        step[way] = TOLERANCES.as_array()[way]
        moved = Pose(*(pose.as_array() + step))
        assert distance_between(moved, pose, 0.0) == pytest.approx(1.0)
    higher = replace(pose, z_mm=pose.z_mm + 5.0)
    assert distance_between(higher, pose, 5.0) == pytest.approx(0.0, abs=1e-9)
    turned = replace(pose, spin_deg=pose.spin_deg + 360.0)
    assert distance_between(turned, pose, 0.0) == pytest.approx(0.0, abs=1e-9)


def test_the_planes_of_a_patient_lie_apart() -> None:
    for seed in range(30):
        poses = standard_poses(Anatomy(seed))
        gaps = [
            distance_between(poses[a], poses[b], 0.0) for a in LIVER_PLANES for b in LIVER_PLANES if a < b
        ]
        assert min(gaps) > 2.0


def test_a_pose_towards_a_target_centres_it_with_the_wanted_direction_in_the_picture() -> None:
    rng = np.random.default_rng(0)
    for seed in range(5):
        anatomy = Anatomy(seed)
        for _ in range(20):
            angle, height = rng.uniform(-70, 20), rng.uniform(-50, 20)
            contact, _, tangent = anatomy.skin(angle, height)
            target = rng.uniform([-60, -20, -30], [20, 30, 40])
            right = tangent + rng.normal(0, 0.5, 3)
            frame = frame_of(pose_towards(anatomy, angle, height, target, right), anatomy)
            np.testing.assert_allclose(frame.contact, contact)
            way = (target - contact) / np.linalg.norm(target - contact)
            np.testing.assert_allclose(frame.axial, way, atol=1e-9)
            assert right @ frame.normal == pytest.approx(0, abs=1e-9)
            assert right @ frame.lateral > 0
            axes = np.stack([frame.axial, frame.lateral, frame.normal])
            np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
