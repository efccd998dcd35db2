"""A part of the picture seen larger: by Ctrl and the wheel, dragged, and whole again by a double click."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.measuring.controller import Measuring
from app.widgets.image_view import LiveView
from app.widgets.magnified import WHOLE, Magnified
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket

LEFT = Qt.MouseButton.LeftButton
ROOM = (400.0, 300.0)


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> LiveView:
    """A picture of 200 x 150 pixels, seen twice as large."""
    made = LiveView()
    qtbot.addWidget(made)
    made.resize(400, 300)
    pixels = np.zeros((150, 200), np.uint8)
    made.show_picture(FramePacket("a", 0, 0.0, 0.0, Picture(pixels)), None, None, Crop(0, 0, 200, 150))
    made.show()
    return made


def turn(widget: QWidget, by: int, at: tuple[int, int], *, control: bool = False) -> None:
    """Turn the wheel over a place of the widget; a step is 120."""
    keys = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    where, nothing = QPointF(*at), Qt.MouseButton.NoButton
    event = QWheelEvent(
        where, widget.mapToGlobal(where), QPoint(), QPoint(0, by), nothing, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def drag(widget: QWidget, first: tuple[int, int], last: tuple[int, int]) -> None:
    none = Qt.KeyboardModifier.NoModifier
    QTest.mousePress(widget, LEFT, none, QPoint(*first))
    QTest.mouseMove(widget, QPoint(*last))
    QTest.mouseRelease(widget, LEFT, none, QPoint(*last))


def test_what_is_under_the_mouse_stays_there(view: LiveView) -> None:
    placed = view.placed
    assert placed is not None
    before = placed.to_frame(120, 90)
    turn(view, 360, (120, 90), control=True)
    assert view.magnified
    larger = view.placed
    assert larger is not None
    assert larger.scale == pytest.approx(2 * 1.25**3)
    assert larger.to_frame(120, 90) == pytest.approx(before)


def test_nothing_beside_the_picture_is_seen_and_it_never_gets_smaller_than_whole() -> None:
    seen = WHOLE
    for at in ((0.0, 0.0), (400.0, 300.0), (0.0, 300.0)):
        for steps in (3.0, 30.0, -2.0):
            seen = seen.zoomed(steps, at, seen.placed(200, 150, *ROOM), ROOM)
            seen = seen.moved((5000.0, -5000.0), seen.placed(200, 150, *ROOM), ROOM)
            placed = seen.placed(200, 150, *ROOM)
            assert placed.left <= 1e-6
            assert placed.top <= 1e-6
            assert placed.left + 200 * placed.scale >= ROOM[0] - 1e-6
            assert placed.top + 150 * placed.scale >= ROOM[1] - 1e-6
    assert seen.times <= 16
    assert seen.zoomed(-40, (0.0, 0.0), placed, ROOM) == WHOLE


def test_a_high_picture_stays_in_the_middle_of_a_wide_room() -> None:
    placed = Magnified(2.0).placed(100, 300, 1000, 300)
    assert placed.scale == 2
    assert placed.left == 400
    assert placed.top == -150


def test_the_wheel_alone_goes_through_the_frames_by_whole_steps(view: LiveView) -> None:
    steps: list[int] = []
    view.wheeled.connect(steps.append)
    for by in (-120, -40, -40, -40, 240, 60, -60):
        turn(view, by, (100, 100))
    assert steps == [1, 1, -2]
    assert not view.magnified


def test_it_is_dragged_and_whole_again_by_a_double_click_which_else_asks_for_the_region(
    view: LiveView,
) -> None:
    asked: list[bool] = []
    view.automatic_region.connect(lambda: asked.append(True))
    turn(view, 480, (200, 150), control=True)
    before = view.placed
    assert before is not None
    drag(view, (200, 150), (160, 170))
    after = view.placed
    assert after is not None
    assert (after.left, after.top) == pytest.approx((before.left - 40, before.top + 20))
    assert not view.panning
    QTest.mouseDClick(view, LEFT, pos=QPoint(200, 150))
    assert not view.magnified
    assert not asked
    QTest.mouseDClick(view, LEFT, pos=QPoint(200, 150))
    assert asked == [True]


def test_under_the_calipers_it_is_dragged_where_nothing_is_measured_and_drawn_on_with_a_tool(
    qtbot: QtBot,
    view: LiveView,
) -> None:
    measuring = Measuring(view)
    qtbot.addWidget(measuring.values)
    layer = measuring.layer
    layer.show()
    turn(layer, 480, (200, 150), control=True)
    before = view.placed
    assert before is not None
    drag(layer, (200, 150), (160, 170))
    after = view.placed
    assert after is not None
    assert after.left == pytest.approx(before.left - 40)
    measuring.calipers.tool = "distance"
    drag(layer, (160, 170), (200, 150))
    assert view.placed == after, "a tool draws"
    measuring.calipers.tool = None
    QTest.mouseDClick(layer, LEFT, pos=QPoint(200, 150))
    assert not view.magnified
