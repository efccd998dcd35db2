"""Scans of which anatomy and population go together."""

from __future__ import annotations

import pytest

from semc_core.errors import UsageError
from semc_core.labels import FETAL_BACKGROUND, FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.kinds import (
    counted_kinds,
    kind_with,
    kinds_of,
    one_kind,
    same_kind,
    surely_apart,
    words_of,
)

FETAL = tuple(name for name in FETAL_CLASSES if name != FETAL_BACKGROUND)
ADULT_HEART = ("2CH", "4CH")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LIVER_PLANES, LIVER_PLANES[:2], True),
        (LIVER_PLANES[:1], LIVER_PLANES[4:], True),
        (FETAL, ("3VV", "RVOT"), True),
        (LIVER_PLANES, FETAL, False),
        # The same name, of an adult's heart and of a fetus's.
        (ADULT_HEART, FETAL, False),
        # One that knows both is of neither.
        ((*LIVER_PLANES, *FETAL), LIVER_PLANES, False),
        (("A", "B"), ("B", "C"), True),
        (("A", "B"), ("C",), False),
    ],
)
def test_what_is_of_one_kind(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert same_kind(one, other) is same
    assert same_kind(other, one) is same
    assert surely_apart(one, other) is (not same and "A" not in one)


def test_a_name_that_means_two_things_is_not_surely_another() -> None:
    assert not surely_apart(("4CH",), FETAL)
    assert not surely_apart(("4CH",), ADULT_HEART)


def test_kinds_are_counted_and_told_apart_by_their_planes() -> None:
    scans = [LIVER_PLANES[:2], FETAL, LIVER_PLANES[2:], (), FETAL]
    assert kinds_of(scans) == (LIVER_PLANES, FETAL)
    assert counted_kinds(scans) == ((LIVER_PLANES, 2), (FETAL, 2))
    assert words_of(LIVER_PLANES) == "FHP1, FHP2, LLP …"
    kinds = kinds_of(scans)
    assert kind_with(kinds, ("4CH",)) == FETAL
    assert kind_with(kinds, LIVER_PLANES[:3]) == LIVER_PLANES
    assert kind_with(kinds, ("Trans-cerebellum",)) == FETAL, "the same brain under another name"
    assert kind_with(kinds, ("PLAX",)) is None
    assert kind_with((FETAL, ADULT_HEART), ("4CH",)) is None, "it may be either"


def test_more_than_one_kind_is_refused_with_both_named_unless_one_is_chosen() -> None:
    scans = [LIVER_PLANES, FETAL, LIVER_PLANES[:1]]
    with pytest.raises(UsageError, match=r"^here holds scans of 2 kinds.*FHP1, FHP2, LLP … and .*3VV, 4CH"):
        one_kind(scans, (), "here")
    assert one_kind(scans, ("LLP",), "here") == (True, False, True)
    assert one_kind(scans, ("Femur",), "here") == (False, True, False)
    assert one_kind(scans[::2], (), "here") == (True, True)
    with pytest.raises(UsageError, match="no scans with PLAX"):
        one_kind(scans, ("PLAX",), "here")
    assert one_kind([], ("PLAX",), "here") == ()
