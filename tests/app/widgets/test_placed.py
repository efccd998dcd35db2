"""Where badges stand beside and over a picture."""

from __future__ import annotations

import pytest

from app.widgets.placed import Placed, badge_places, place

EM, HIGH = 10.0, 24.0


def test_badges_stand_in_the_black_beside_the_picture_where_that_is_wide_enough() -> None:
    placed = place(400, 400, 800, 400)
    assert placed.left == 200
    places = badge_places([80, 150], HIGH, placed, 800, EM)
    assert [x for x, _ in places] == [6, 6]
    assert places[1][1] >= places[0][1] + HIGH


@pytest.mark.parametrize("placed", [None, place(400, 400, 500, 400), place(400, 300, 400, 300)])
def test_else_they_stand_side_by_side_over_it(placed: Placed | None) -> None:
    assert badge_places([80, 150], HIGH, placed, 500, EM) == [(6, 6), (91, 6)]


def test_and_below_each_other_where_something_else_is_in_the_way() -> None:
    assert badge_places([80, 150, 60], HIGH, None, 240, EM) == [(6, 6), (6, 34), (161, 34)]
    assert badge_places([], HIGH, None, 200, EM) == []
