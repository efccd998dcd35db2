"""Poses beside a plane are off by what they say, on the way they say, and on the skin."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.labels import LIVER_PLANES
from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.neighbours import OFFS, WAYS, Offset, beside, neighbours, offset_of
from semc_core.phantom.probe import frame_of
from semc_core.phantom.trajectory import standard_poses


@pytest.mark.parametrize("plane", LIVER_PLANES)
@pytest.mark.parametrize("seed", [0, 7, 2003])
def test_a_slide_leads_to_the_parallel_plane_at_that_distance(seed: int, plane: str) -> None:
    anatomy = Anatomy(seed)
    pose = standard_poses(anatomy)[plane]
    at = frame_of(pose, anatomy)
    for by in (-15.0, -5.0, 5.0, 10.0):
        there = frame_of(beside(pose, anatomy, offset_of("slide", by)), anatomy)
        assert (there.contact - at.contact) @ at.normal == pytest.approx(by, abs=1e-3)
        assert there.normal @ at.normal == pytest.approx(1, abs=1e-9)
        assert there.axial @ at.axial == pytest.approx(1, abs=1e-9)
        # The skin is bent: the contact moves little in depth and along the picture.
        assert np.linalg.norm(there.contact - at.contact) < 2.2 * abs(by)


@pytest.mark.parametrize("plane", LIVER_PLANES)
def test_turns_are_of_that_many_degrees_about_that_axis(plane: str) -> None:
    anatomy = Anatomy(3)
    pose = standard_poses(anatomy)[plane]
    at = frame_of(pose, anatomy)
    for by in (-10.0, 5.0, 15.0):
        turned = frame_of(beside(pose, anatomy, offset_of("turn", by)), anatomy)
        fanned = frame_of(beside(pose, anatomy, offset_of("fan", by)), anatomy)
        for there in (turned, fanned):
            assert there.contact == pytest.approx(at.contact)
            assert there.normal @ at.normal == pytest.approx(np.cos(np.radians(by)))
        assert turned.axial @ at.axial == pytest.approx(1)
        assert turned.lateral @ at.normal == pytest.approx(np.sin(np.radians(by)))
        assert fanned.lateral @ at.lateral == pytest.approx(1)
        assert fanned.axial @ at.normal == pytest.approx(np.sin(np.radians(by)))


def test_no_offset_is_the_plane_itself() -> None:
    anatomy = Anatomy(11)
    for pose in standard_poses(anatomy).values():
        assert beside(pose, anatomy, Offset()).as_array() == pytest.approx(pose.as_array())


def test_the_neighbours_are_all_ways_amounts_and_directions() -> None:
    found = neighbours()
    assert len(set(found)) == len(WAYS) * len(OFFS) * 2 == 18
    assert {(way, abs(by)) for way, by in found} == {(way, off) for way in WAYS for off in OFFS}
    assert Offset(3, 0, 4).distance == pytest.approx(5 / 3)
