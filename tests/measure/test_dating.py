"""Age and centiles beside measures: by which formula, and nothing outside of its range."""

from __future__ import annotations

import pytest

from semc_core.measure.calibration import TYPED, Calibration
from semc_core.measure.calipers import Value, values
from semc_core.measure.dating import dated
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.growth import HADLOCK_AGE, INTERGROWTH, age_from, at_centile
from semc_core.measure.shapes import points_of

MM = Calibration(0.5, 0.5, TYPED)


def head(hc: float = 172.5, bpd: float = 47.0, ofd: float = 61.0) -> tuple[Value, ...]:
    return (Value("HC", hc, "mm"), Value("OFD outer-outer", ofd, "mm"), Value("BPD outer-outer", bpd, "mm"))


def test_a_head_is_dated_by_its_circumference_and_its_diameters_are_ranked_at_that_age() -> None:
    weeks = age_from("HC", 172.5).weeks
    found = {each.name: each for each in dated(head(bpd=at_centile("BPD", 30, weeks)))}
    assert found["Age by HC"].text == "19+6"
    assert found["Age by HC"].source.startswith(HADLOCK_AGE)
    assert found["Centile of BPD"].text == "30"
    assert found["Centile of OFD"].source == f"{INTERGROWTH}, at the age by HC"


def test_the_ellipse_of_a_head_is_dated_as_it_is_measured() -> None:
    drawn = points_of(Ellipse(200.0, 200.0, 61.0, 48.0, 0.2))
    names = [each.name for each in dated(values("ellipse", drawn, MM, "head"))]
    assert names == ["Age by HC", "Centile of OFD", "Centile of BPD"]
    assert dated(values("ellipse", drawn, MM)) == (), "an ellipse of nothing in particular has no age"


def test_nothing_is_said_of_pixels() -> None:
    drawn = points_of(Ellipse(200.0, 200.0, 86.0, 67.0, 0.2))
    assert dated(values("ellipse", drawn, None, "head")) == ()


@pytest.mark.parametrize("hc", [60.0, 420.0])
def test_nothing_is_said_outside_of_a_formulas_range(hc: float) -> None:
    assert dated(head(hc=hc)) == ()


def test_only_what_a_formula_was_made_for_is_dated() -> None:
    assert dated((Value("BPD outer-outer", 47.0, "mm"),)) == (), "Hadlock measured to the inner border"
    (inner,) = dated((Value("BPD outer-inner", 47.0, "mm"),))
    assert inner.source == f"{HADLOCK_AGE}, by BPD"
    (femur,) = dated((Value("FL", 33.0, "mm"),))
    assert femur.name == "Age by FL"


def test_the_ends_of_the_centiles_are_said_as_such() -> None:
    texts = {each.name: each.text for each in dated(head(bpd=70.0, ofd=40.0))}
    assert (texts["Centile of BPD"], texts["Centile of OFD"]) == ("> 99", "< 1")
