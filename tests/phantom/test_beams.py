"""The polar grid, and the parts of it that shapes can touch."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.phantom.anatomy import Anatomy, Tube
from semc_core.phantom.probe import Beams, Machine, Pose, frame_of
from semc_core.phantom.tissue import tube_mm


@pytest.fixture(scope="module")
def beams() -> Beams:
    return Beams(Machine.for_seed(3), lines=48, samples=64)


def test_points_lie_in_the_plane_along_the_beams(beams: Beams) -> None:
    frame = frame_of(Pose(-20, 5, 30, 8, -6), Anatomy(1))
    away = beams.points(frame).reshape(3, -1).T - frame.contact
    assert np.abs(away @ frame.normal).max() < 1e-3
    np.testing.assert_allclose(away @ frame.axial, beams.axial_mm.ravel(), atol=1e-3)
    np.testing.assert_allclose(away @ frame.lateral, beams.lateral_mm.ravel(), atol=1e-3)


def test_a_window_holds_every_sample_within_reach(beams: Beams) -> None:
    rng = np.random.default_rng(2)
    anatomy = Anatomy(1)
    met = 0
    for _ in range(12):
        pose = Pose(*(rng.uniform(-1, 1, 5) * [70, 40, 180, 40, 30]))
        frame = frame_of(pose, anatomy)
        starts = rng.uniform([-140, -110, -120], [100, 90, 90], (40, 3))
        ends = starts + rng.normal(0, 40, (40, 3)) * (rng.random((40, 1)) < 0.7)  # some are spheres
        reach = rng.uniform(2, 40, 40)
        points = beams.points(frame)
        for start, end, radius, window in zip(
            starts, ends, reach, beams.windows(frame, starts, ends, reach), strict=True
        ):
            along = end - start + 1e-6
            inside = tube_mm(Tube(start, start + along, radius, radius, 0), *points) < -0.01
            if window is not None:
                met += bool(inside.any())
                inside[window] = False
            assert not inside.any()
    assert met > 50


def test_a_window_is_not_the_whole_picture(beams: Beams) -> None:
    frame = frame_of(Pose(-20, 0, 0, 0, 0), Anatomy(1))
    centre = (frame.contact + 70 * frame.axial)[None]
    (window,) = beams.windows(frame, centre, centre, np.array([10.0]))
    assert window is not None
    rows, columns = (range(*part.indices(size)) for part, size in zip(window, beams.shape, strict=True))
    assert len(rows) * len(columns) < 0.15 * beams.shape[0] * beams.shape[1]
    beside = centre + 20 * frame.normal
    assert beams.windows(frame, beside, beside, np.array([10.0])) == [None]
