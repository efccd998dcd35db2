"""The age of a pregnancy by its dates, and what a measure is at that age."""

from __future__ import annotations

from datetime import date

import pytest

from semc_core.errors import UsageError
from semc_core.measure.calipers import Value
from semc_core.measure.dating import dated
from semc_core.measure.gestation import GestationalAge, crl_days, read_age
from semc_core.measure.growth import HADLOCK_AGE, INTERGROWTH, age_from, at_centile

SCANNED = date(2026, 5, 13)


@pytest.mark.parametrize(
    ("text", "age", "origin"),
    [
        ("due 2026-09-30", "20+0", "due date"),
        ("LMP 2025-12-24", "20+0", "last period"),
        ("crl 60 mm 2026-03-20", "20+1", "CRL"),
        ("crl 60,0 2026-03-20", "20+1", "CRL"),
        ("20+3", "20+3", "as given"),
        ("due 2026-09-30 on 2026-05-06", "19+0", "due date"),
    ],
)
def test_dates_are_reckoned_to_the_day_of_the_examination(text: str, age: str, origin: str) -> None:
    found = read_age(text, SCANNED)
    assert (str(found), found.origin) == (age, origin)


def test_the_day_of_a_loop_is_never_guessed() -> None:
    with pytest.raises(UsageError, match="day of the examination"):
        read_age("due 2026-09-30", None)
    assert str(read_age("due 2026-09-30 on 2026-05-13", None)) == "20+0"
    assert str(read_age("20+3", None)) == "20+3"


@pytest.mark.parametrize(
    "text", ["", "20", "20+7", "due 2026-13-01", "due 2020-01-01", "lmp 2026-05-10", "crl 5 2026-03-20"]
)
def test_what_is_no_age_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"\w+ .*[.?]$"):
        read_age(text, SCANNED)


@pytest.mark.parametrize("mm", [20.0, 45.0, 60.0, 80.0])
def test_a_crl_dates_as_the_formula_before_it_did_within_three_days(mm: float) -> None:
    robinson = 8.052 * (mm * 1.037) ** 0.5 + 23.73  # Robinson and Fleming 1975
    assert crl_days(mm) == pytest.approx(robinson, abs=3)


def test_the_circumference_is_ranked_at_the_age_by_dates_and_not_at_its_own() -> None:
    small = at_centile("HC", 5, 20.0)
    found = (Value("HC", small, "mm"), Value("BPD outer-outer", at_centile("BPD", 50, 20.0), "mm"))
    alone = {each.name: each for each in dated(found)}
    assert "Centile of HC" not in alone, "at its own age every head is median"
    by_dates = {each.name: each for each in dated(found, GestationalAge(140, "due date"))}
    assert by_dates["Centile of HC"].text == "5"
    assert by_dates["Centile of HC"].source == f"{INTERGROWTH}, at 20+0 by due date"
    assert by_dates["Centile of BPD"].text == "50"
    assert by_dates["Age by HC"].source.startswith(HADLOCK_AGE), "its own age is said all the same"
    assert age_from("HC", small).weeks < 20


def test_outside_of_the_standard_no_centile_is_said() -> None:
    found = (Value("HC", 90.0, "mm"),)
    assert "Centile of HC" not in {each.name for each in dated(found, GestationalAge(90, "CRL"))}
