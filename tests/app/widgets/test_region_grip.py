"""The region of interest is shown when it changes, and taken by its corners and edges."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.widgets.image_view import LiveView
from app.widgets.region_grip import Grip, grip_at, pulled
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket

REGION = Crop(40, 30, 100, 80)
PACKET = FramePacket("a", 0, 0.0, 0.0, Picture(np.full((240, 320), 50, np.uint8)))
LEFT = Qt.MouseButton.LeftButton


@pytest.mark.parametrize(
    ("place", "grip"),
    [
        ((40, 30), Grip(-1, -1)),
        ((141, 109), Grip(1, 1)),
        ((90, 28), Grip(0, -1)),
        ((138, 70), Grip(1, 0)),
        ((90, 70), None),
        ((40, 200), None),
        ((34, 30), None),
    ],
)
def test_what_lies_near_a_corner_or_an_edge_takes_it(place: tuple[int, int], grip: Grip | None) -> None:
    assert grip_at(REGION, *place, 5.0) == grip


def test_only_the_edges_that_are_taken_move_and_no_side_gets_too_short() -> None:
    assert pulled(REGION, Grip(-1, -1), 50.4, 20.0, 32) == Crop(50, 20, 90, 90)
    assert pulled(REGION, Grip(1, 0), 200.0, 999.0, 32) == Crop(40, 30, 160, 80)
    assert pulled(REGION, Grip(-1, 1), 500.0, 0.0, 32) == Crop(108, 30, 32, 32)


@pytest.fixture
def view(qtbot: QtBot) -> LiveView:
    made = LiveView()
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show_picture(PACKET, None, None, REGION)
    made.show()
    return made


def drag(view: LiveView, first: QPoint, last: QPoint) -> list[Crop]:
    chosen: list[Crop] = []
    view.region_chosen.connect(chosen.append)
    QTest.mousePress(view, LEFT, pos=first)
    QTest.mouseMove(view, last)
    QTest.mouseRelease(view, LEFT, pos=last)
    return chosen


def test_the_outline_is_dragged_by_a_corner_and_told_when_it_is_let_go(view: LiveView) -> None:
    view.region_movable = True
    assert drag(view, QPoint(80, 60), QPoint(60, 100)) == [Crop(30, 50, 110, 60)]
    assert drag(view, QPoint(280, 140), QPoint(280, 140)) == [], "a click alone changes nothing"


def test_a_region_that_may_not_be_moved_stays(view: LiveView) -> None:
    assert drag(view, QPoint(80, 60), QPoint(60, 100)) == []


def test_the_whole_outline_is_shown_for_a_moment_when_it_changes(qtbot: QtBot, view: LiveView) -> None:
    def middle_of_edge() -> int:
        return view.grab().toImage().pixelColor(180, 60).blue()

    assert view.outlined
    bright = middle_of_edge()
    qtbot.waitUntil(lambda: not view.outlined, timeout=30_000)
    assert middle_of_edge() < bright, "then its corners only"
    view.region_movable = True
    QTest.mouseMove(view, QPoint(5, 5))  # where it is already is no move
    QTest.mouseMove(view, QPoint(180, 60))
    qtbot.waitUntil(lambda: view.outlined, timeout=30_000)
    assert middle_of_edge() == bright, "and again while the mouse is over it"
