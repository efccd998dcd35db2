"""What drawn shapes measure: shapes whose measures are known, in square pixels and in others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from semc_core.errors import UsageError
from semc_core.measure.calibration import FROM_REGION, TYPED, Calibration, over_line
from semc_core.measure.calipers import BPD, HC, OFD, scale_at, values
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.shapes import KINDS, POINTS, check_shape, ellipse_of, points_of
from semc_core.types import Crop

FLAT = Calibration(0.1, 0.2, TYPED)
"""Pixels that are twice as high as wide."""


def numbers(*given: object) -> dict[str, tuple[Any, str]]:
    return {each.name: (each.number, each.unit) for each in values(*given)}  # type: ignore[arg-type]


def test_a_distance_is_measured_along_both_sides_of_a_pixel() -> None:
    line = ((10.5, 20.0), (40.5, 60.0))
    assert numbers("distance", line, None) == {"Length": (50.0, "px")}
    assert numbers("distance", line, FLAT)["Length"] == (pytest.approx(math.hypot(3, 8)), "mm")


def test_a_trace_is_as_long_as_its_parts_and_an_area_is_closed() -> None:
    corners = ((0.0, 0.0), (30.0, 0.0), (30.0, 40.0))
    assert numbers("trace", corners, None) == {"Length": (70.0, "px")}
    assert numbers("area", corners, None) == {"Area": (600.0, "px²"), "Circumference": (120.0, "px")}
    found = numbers("area", corners, FLAT)
    assert found["Area"] == (pytest.approx(12.0), "mm²")
    assert found["Circumference"] == (pytest.approx(3 + 8 + math.hypot(3, 8)), "mm")


def test_an_area_far_from_the_corner_of_the_picture_keeps_its_digits() -> None:
    corners = tuple((60_000 + x, 60_000 + y) for x, y in ((0.0, 0.0), (0.001, 0.0), (0.001, 0.001)))
    assert numbers("area", corners, None)["Area"][0] == pytest.approx(5e-7, rel=1e-3)


@pytest.mark.parametrize(("end", "degrees"), [((9.0, 5.0), 90.0), ((5.0, 9.0), 180.0), ((7.0, 3.0), 45.0)])
def test_an_angle_lies_between_its_arms(end: tuple[float, float], degrees: float) -> None:
    assert numbers("angle", ((5.0, 1.0), (5.0, 5.0), end), None)["Angle"] == (pytest.approx(degrees), "°")


def test_an_angle_in_pixels_that_are_not_square_is_that_of_the_body() -> None:
    found = numbers("angle", ((20.0, 0.0), (0.0, 0.0), (20.0, 10.0)), FLAT)
    assert found["Angle"][0] == pytest.approx(45.0)


def test_a_circle_of_the_body_is_found_in_pixels_that_are_not_square() -> None:
    tilted = Ellipse(100.0, 100.0, 40.0, 20.0, math.pi / 2)  # 40 px high: a circle where pixels are flat
    found = numbers("ellipse", points_of(tilted), Calibration(0.2, 0.1, TYPED))
    assert found["Long axis"][0] == pytest.approx(8.0)
    assert found["Short axis"][0] == pytest.approx(8.0)
    assert found["Circumference"][0] == pytest.approx(8 * math.pi)
    assert found["Area"] == (pytest.approx(16 * math.pi), "mm²")


@pytest.mark.parametrize("angle", np.linspace(0, 3.0, 7).tolist())
def test_an_ellipse_and_its_three_points_are_the_same(angle: float) -> None:
    ellipse = Ellipse(120.5, 80.25, 60.0, 45.0, angle)
    again = ellipse_of(points_of(ellipse))
    assert (again.x, again.y) == pytest.approx((120.5, 80.25))
    assert (again.major, again.minor, again.angle) == pytest.approx((60.0, 45.0, angle))
    shorter_first = (*points_of(Ellipse(0.0, 0.0, 10.0, 5.0, angle))[:2], (0.0, 0.0))
    with pytest.raises(ValueError, match="above 0"):
        ellipse_of(shorter_first)


def test_the_first_axis_may_be_the_shorter_one() -> None:
    drawn = ellipse_of(((0.0, -10.0), (0.0, 10.0), (30.0, 0.0)))
    assert (drawn.major, drawn.minor, drawn.angle % math.pi) == pytest.approx((30.0, 10.0, 0.0))


def test_a_head_has_its_names_and_its_interval() -> None:
    head = points_of(Ellipse(200.0, 200.0, 100.0, 80.0, 0.3))
    found = values("ellipse", head, Calibration(0.5, 0.5, TYPED), "head", 0.03)
    assert [each.name for each in found] == [HC, OFD, BPD, "Area"]
    assert (found[1].number, found[2].number) == pytest.approx((100.0, 80.0))
    assert (found[0].low, found[0].high) == pytest.approx((found[0].number * 0.97, found[0].number * 1.03))
    assert found[1].low is None


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_millimetre_without_a_calibration(kind: str) -> None:
    points = ((5.0, 5.0), (50.0, 8.0), (30.0, 40.0))[: POINTS[kind][1]]
    check_shape(kind, points, 100, 100)
    assert {each.unit for each in values(kind, points, None)} <= {"px", "px²", "°"}  # type: ignore[arg-type]


def test_a_scale_holds_only_where_all_points_lie_in_its_region() -> None:
    left = Calibration(0.1, 0.1, FROM_REGION, Crop(0, 0, 100, 100))
    right = Calibration(0.2, 0.2, FROM_REGION, Crop(100, 0, 100, 100))
    assert scale_at((left, right), ((10.0, 10.0), (90.0, 90.0))) is left
    assert scale_at((left, right), ((110.0, 10.0), (190.0, 90.0))) is right
    assert scale_at((left, right), ((10.0, 10.0), (190.0, 90.0))) is None, "over both"
    assert scale_at((left,), ((10.0, 10.0), (190.0, 90.0))) is None, "beside it"
    assert scale_at((), ((10.0, 10.0), (90.0, 90.0))) is None


def test_a_line_over_a_known_length_gives_millimetres_along_both_sides() -> None:
    assert over_line((10.0, 10.0), (10.0, 110.0), 50.0).mm_x == 0.5
    slanted = over_line((0.0, 0.0), (30.0, 20.0), 25.0, aspect=2.0)
    assert (slanted.mm_x, slanted.mm_y) == pytest.approx((0.5, 1.0))
    assert values("distance", ((0.0, 0.0), (30.0, 20.0)), slanted)[0].number == pytest.approx(25.0)
    for mm in (0.0, -5.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="above 0"):
            over_line((10.0, 10.0), (10.0, 110.0), mm)
    with pytest.raises(UsageError, match="draw it again"):
        over_line((10.0, 10.0), (10.0, 10.0), 50.0)
