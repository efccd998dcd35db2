"""Calipers as the mouse and the keys move them, without a window."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.measuring.calipers import Calipers, Tool
from app.measuring.geometry import ROUND, handles_of, with_handle
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.shapes import Place, ellipse_of, points_of
from semc_core.session.records import NO_SCALE, PERSON, MeasurementEntry

REACH = 5.0
LINE = MeasurementEntry(
    1,
    "distance",
    ((20.0, 20.0), (80.0, 20.0)),
    "",
    3,
    0.1,
    None,
    200,
    100,
    None,
    None,
    NO_SCALE,
    PERSON,
    None,
)
OVAL = replace(LINE, measurement_id=2, kind="ellipse", points=((100.0, 50.0), (180.0, 50.0), (140.0, 20.0)))


class Desk:
    """Calipers over a frame of 200 x 100 pixels, and what they told."""

    def __init__(self, *there: MeasurementEntry, proposal: Ellipse | None = None) -> None:
        self.drawn: list[tuple[Tool, tuple[Place, ...]]] = []
        self.moved: list[tuple[int, tuple[Place, ...]]] = []
        self.taken: list[Ellipse] = []
        self.calipers = Calipers(
            lambda tool, points: self.drawn.append((tool, points)),
            lambda number, points: self.moved.append((number, points)),
            self.taken.append,
        )
        self.calipers.show((200, 100), there, proposal, settled=True)

    def click(self, *places: Place) -> None:
        for place in places:
            self.calipers.move(place, REACH)
            self.calipers.press(place, REACH)
            self.calipers.release(place, REACH)

    def drag(self, *places: Place) -> None:
        self.calipers.press(places[0], REACH)
        for place in places[1:]:
            self.calipers.move(place, REACH)
        self.calipers.release(places[-1], REACH)


def test_a_distance_takes_two_clicks_or_one_drag() -> None:
    desk = Desk()
    desk.calipers.begin("distance")
    desk.click((10.25, 10.0), (60.0, 40.0))
    desk.calipers.begin("distance")
    desk.drag((10.25, 10.0), (30.0, 20.0), (60.0, 40.0))
    assert desk.drawn == [("distance", ((10.25, 10.0), (60.0, 40.0)))] * 2
    assert desk.calipers.tool is None


def test_an_ellipse_takes_two_clicks_and_has_the_shape_of_a_head_at_first() -> None:
    desk = Desk()
    desk.calipers.begin("ellipse")
    desk.click((50.0, 50.0), (150.0, 50.0))
    ((tool, points),) = desk.drawn
    drawn = ellipse_of(points)
    assert (tool, drawn.x, drawn.y) == ("ellipse", 100.0, 50.0)
    assert (drawn.major, drawn.minor) == pytest.approx((50.0, 50.0 * ROUND))


def test_an_angle_takes_three_clicks_and_a_line_as_many_as_are_made() -> None:
    desk = Desk()
    desk.calipers.begin("angle")
    desk.click((10.0, 10.0), (50.0, 50.0), (90.0, 10.0))
    desk.calipers.begin("trace")
    desk.click((10.0, 10.0), (50.0, 50.0), (90.0, 10.0), (120.0, 40.0))
    assert desk.calipers.finish()
    desk.calipers.begin("area")
    desk.click((10.0, 10.0), (50.0, 50.0), (90.0, 10.0), (11.0, 11.0))
    assert [(tool, len(points)) for tool, points in desk.drawn] == [("angle", 3), ("trace", 4), ("area", 3)]


def test_an_area_is_drawn_by_hand_in_one_drag() -> None:
    desk = Desk()
    desk.calipers.begin("area")
    around = [(100 + 40 * math.cos(t / 10), 50 + 40 * math.sin(t / 10)) for t in range(60)]
    desk.drag(*around)
    ((tool, points),) = desk.drawn
    assert tool == "area"
    assert 20 < len(points) < 61


def test_a_double_click_ends_a_line_without_a_corner_too_many() -> None:
    desk = Desk()
    desk.calipers.begin("trace")
    desk.click((10.0, 10.0), (50.0, 50.0), (90.0, 10.0))
    desk.calipers.press((90.6, 10.0), REACH)
    desk.calipers.double()
    assert desk.drawn == [("trace", ((10.0, 10.0), (50.0, 50.0), (90.0, 10.0)))]


def test_points_stay_in_the_picture() -> None:
    desk = Desk()
    desk.calipers.begin("distance")
    desk.click((-5.0, 10.0), (500.0, 400.0))
    assert desk.drawn == [("distance", ((0.0, 10.0), (200.0, 100.0)))]


def test_a_handle_is_dragged_and_a_line_taken_by_its_middle_moves_whole() -> None:
    desk = Desk(LINE, OVAL)
    desk.drag((81.0, 21.0), (90.0, 30.5))
    assert desk.moved == [(1, ((20.0, 20.0), (90.0, 30.5)))]
    desk = Desk(LINE, OVAL)
    desk.drag((50.0, 20.0), (55.0, 90.0))
    desk.drag((50.0, 20.0), (250.0, 20.0))
    assert desk.moved[0] == (1, ((25.0, 90.0), (85.0, 90.0)))
    assert desk.moved[1] == (1, ((140.0, 20.0), (200.0, 20.0))), "not beyond the edge"
    desk = Desk(LINE, OVAL)
    desk.click((50.0, 20.0))
    assert (desk.moved, desk.calipers.chosen, desk.calipers.handle_chosen) == ([], 1, False)


def test_each_handle_of_an_ellipse_moves_its_own_axis() -> None:
    points = OVAL.points
    upper, lower = handles_of("ellipse", points)[2:]
    assert (upper, lower) == ((140.0, 20.0), (140.0, 80.0))
    assert ellipse_of(with_handle("ellipse", points, 3, (140.0, 90.0))).minor == pytest.approx(40.0)
    wider = ellipse_of(with_handle("ellipse", points, 1, (190.0, 50.0)))
    assert (wider.major, wider.minor, wider.x) == pytest.approx((45.0, 30.0, 145.0))
    turned = ellipse_of(with_handle("ellipse", points, 0, (100.0, 90.0)))
    assert turned.minor == pytest.approx(30.0), "the other axis is as long as before"


def test_arrow_keys_move_the_chosen_handle_and_are_kept_in_one_step_when_they_rest() -> None:
    desk = Desk(LINE)
    desk.calipers.nudge(1, 0, 0.0)
    assert desk.calipers.shapes()[0].points == LINE.points, "nothing is chosen"
    assert desk.calipers.next_handle(1)
    for i in range(3):
        desk.calipers.nudge(1, 0, 0.1 * i)
    desk.calipers.nudge(0, -10, 0.4)
    desk.calipers.rest(0.5)
    assert desk.moved == []
    desk.calipers.rest(1.1)
    assert desk.moved == [(1, ((23.0, 10.0), (80.0, 20.0)))]
    desk.calipers.nudge(1, 0, 2.0)
    desk.calipers.leave_frame()
    assert len(desk.moved) == 2, "kept before another frame is shown"
    assert desk.calipers.chosen is None


def test_handles_are_chosen_in_turn_both_ways() -> None:
    desk = Desk(LINE, OVAL)
    seen = []
    for step in (1, 1, 1, 1, 1, 1, 1, -1, -1):
        desk.calipers.next_handle(step)
        (chosen,) = (each for each in desk.calipers.shapes() if each.chosen)
        seen.append((chosen.number, chosen.handle))
    assert seen == [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3), (1, 0), (2, 3), (2, 2)]
    assert not Desk().calipers.next_handle(1)


def test_escape_leaves_one_thing_after_the_other() -> None:
    desk = Desk(LINE)
    desk.calipers.begin("distance")
    desk.click((10.0, 10.0))
    assert [desk.calipers.back() for _ in range(3)] == [True, True, False]
    desk.calipers.next_handle(1)
    assert [desk.calipers.back() for _ in range(3)] == [True, True, False]
    assert desk.drawn == []


def test_what_was_begun_is_forgotten_with_its_frame() -> None:
    desk = Desk()
    desk.calipers.begin("distance")
    desk.click((10.0, 10.0))
    desk.calipers.leave_frame()
    desk.click((60.0, 40.0))
    assert desk.drawn == [], "an end on one frame and an end on another measure nothing"


def test_what_was_drawn_stays_in_sight_until_the_session_has_it_and_is_chosen_then() -> None:
    desk = Desk()
    desk.calipers.begin("distance")
    desk.click((20.0, 20.0), (80.0, 20.0))
    desk.calipers.show((200, 100), (), None, settled=False)
    assert [each.points for each in desk.calipers.shapes()] == [LINE.points]
    desk.calipers.show((200, 100), (LINE,), None, settled=True)
    assert [(each.number, each.chosen) for each in desk.calipers.shapes()] == [(1, True)]


def test_what_was_refused_is_not_drawn_any_more() -> None:
    desk = Desk()
    desk.calipers.begin("distance")
    desk.click((20.0, 20.0), (80.0, 20.0))
    desk.calipers.show((200, 100), (), None, settled=True)
    assert desk.calipers.shapes() == ()


def test_a_handle_of_a_proposal_takes_it() -> None:
    head = Ellipse(100.0, 50.0, 60.0, 40.0, 0.0)
    desk = Desk(proposal=head)
    assert [(each.proposed, each.points) for each in desk.calipers.shapes()] == [(True, points_of(head))]
    desk.click((100.0, 50.0))
    assert desk.taken == []
    desk.click((161.0, 50.0))
    assert desk.taken == [head]
