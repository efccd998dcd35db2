"""Ellipses: what is fitted to noisy outlines is what was drawn."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semc_core.measure.ellipse import Ellipse, circumference, fit_ellipse

_HEAD = Ellipse(x=210.3, y=140.8, major=96.0, minor=75.0, angle=0.6)


def _perimeter(major: float, minor: float, steps: int = 200_000) -> float:
    """By very many short chords."""
    t = np.linspace(0, 2 * math.pi, steps)
    return float(np.hypot(np.diff(major * np.cos(t)), np.diff(minor * np.sin(t))).sum())


@pytest.mark.parametrize("minor", [1.0, 0.8, 0.5, 0.2])
def test_the_circumference_is_that_of_very_many_chords(minor: float) -> None:
    assert circumference(1.0, minor) == pytest.approx(_perimeter(1.0, minor), rel=1e-5)


def test_a_circle_has_the_circumference_of_a_circle() -> None:
    assert circumference(3.0, 3.0) == pytest.approx(6 * math.pi, rel=1e-12)


def test_noise_on_the_outline_hardly_moves_the_fitted_ellipse() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(40):
        fitted = fit_ellipse(_HEAD.points(180) + rng.normal(0, 1.0, (180, 2)))
        assert fitted is not None
        errors.append(fitted.circumference - _HEAD.circumference)
        assert math.hypot(fitted.x - _HEAD.x, fitted.y - _HEAD.y) < 0.5
        assert abs(fitted.angle - _HEAD.angle) < 0.05
    assert np.abs(errors).max() < 0.01 * _HEAD.circumference
    assert abs(np.mean(errors)) < 0.002 * _HEAD.circumference


def test_a_bulge_on_the_outline_is_left_out() -> None:
    points = _HEAD.points(180)
    outward = points - np.array([_HEAD.x, _HEAD.y])
    points[20:35] += 0.3 * outward[20:35]
    fitted = fit_ellipse(points)
    assert fitted is not None
    assert fitted.circumference == pytest.approx(_HEAD.circumference, rel=0.005)


def test_a_part_of_the_outline_is_enough() -> None:
    points = _HEAD.points(180)[:130] + np.random.default_rng(2).normal(0, 0.3, (130, 2))
    fitted = fit_ellipse(points)
    assert fitted is not None
    assert fitted.circumference == pytest.approx(_HEAD.circumference, rel=0.02)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 2)),
        _HEAD.points(5),
        np.ones((50, 2)),
        np.stack([np.arange(50.0), np.arange(50.0)], axis=1),
        np.full((50, 2), np.nan),
    ],
    ids=["none", "five", "one place", "a line", "not numbers"],
)
def test_what_is_no_outline_has_no_ellipse(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    fitted = fit_ellipse(points)
    # A line may be taken for an ellipse without an area; it is never taken for a head.
    assert fitted is None or fitted.minor < 1e-2 * fitted.major


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-3, 3),
    st.floats(0.3, 3),
    st.floats(0.3, 3),
    st.booleans(),
    st.floats(-50, 50),
    st.floats(0, 3.1),
)
def test_a_map_moves_the_ellipse_as_it_moves_its_points(
    turn: float, wide: float, high: float, mirrored: bool, shift: float, angle: float
) -> None:
    cos, sin = math.cos(turn), math.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-wide if mirrored else wide, high])
    matrix = np.column_stack([linear, [shift, 2 * shift]])
    ellipse = Ellipse(30.0, 40.0, 20.0, 12.0, angle)
    moved = ellipse.moved(matrix)
    points = ellipse.points(90) @ linear.T + matrix[:, 2]
    assert np.allclose(moved.level(points[:, 0], points[:, 1]), 1, atol=1e-6)
    assert moved.major >= moved.minor
    assert 0 <= moved.angle < math.pi
    assert moved.area == pytest.approx(ellipse.area * wide * high)


def test_the_distance_is_nearly_that_from_a_grown_ellipse() -> None:
    for by in (-3.0, -1.0, 1.0, 3.0):
        points = _HEAD.grown(by).points(60)
        assert np.allclose(_HEAD.distance(points[:, 0], points[:, 1]), by, atol=0.15 * abs(by))


def test_growing_grows_the_circumference_and_nothing_is_left_of_what_shrinks_away() -> None:
    sizes = [_HEAD.grown(by).circumference for by in (-5.0, 0.0, 5.0)]
    assert all(small < large for small, large in pairwise(sizes))
    with pytest.raises(ValueError, match="above 0"):
        _HEAD.grown(-75.0)
