"""Brightness and contrast of the display, and the control for them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.image_view import LiveView
from app.widgets.levels import NEUTRAL, Levels
from app.widgets.levels_control import LevelsControl

LEFT = Qt.MouseButton.LeftButton


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 3)])
def test_brighter_is_brighter_and_contrast_is_about_middle_gray(shape: tuple[int, ...]) -> None:
    pixels = np.resize(np.arange(256, dtype=np.uint8), shape)
    before = pixels.copy()
    bright = Levels(brightness=20).applied(pixels)
    assert bright.shape == pixels.shape
    assert bright.dtype == np.uint8
    assert (bright >= pixels).all()
    assert (bright.astype(int) - pixels)[pixels < 100].min() >= 20
    steep = Levels(contrast=50).applied(pixels)
    assert (steep[pixels < 120] < pixels[pixels < 120])[pixels[pixels < 120] > 0].all()
    assert (steep[pixels > 135] >= pixels[pixels > 135]).all()
    assert np.array_equal(pixels, before)


def test_neutral_is_the_very_same_picture() -> None:
    pixels = np.zeros((4, 4), np.uint8)
    assert NEUTRAL.applied(pixels) is pixels
    assert Levels(10).changed(brightness=-10) == NEUTRAL


def test_what_is_not_neutral_is_said_and_bounded() -> None:
    assert NEUTRAL.text == ""
    assert Levels(10).text == "Display: brightness +10"
    assert Levels(10, -20).text == "Display: brightness +10, contrast \N{MINUS SIGN}20"
    assert Levels(95).changed(brightness=10, contrast=-300) == Levels(100, -100)


@pytest.fixture
def control(qtbot: QtBot) -> Iterator[LevelsControl]:
    view, control = LiveView(), LevelsControl()
    view.put_in_corner(control)
    control.wanted.connect(control.show_levels)
    control.wanted.connect(view.show_levels)
    control.wanted.connect(lambda _: view.place_corner())
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show()
    qtbot.waitExposed(view)
    QApplication.processEvents()
    yield control
    view.close()


def test_it_is_dragged_turned_and_reset(control: LevelsControl) -> None:
    middle = control.rect().center()
    QTest.mousePress(control, LEFT, pos=middle)
    QTest.mouseMove(control, middle + QPoint(40, -60))
    QTest.mouseRelease(control, LEFT, pos=middle + QPoint(40, -60))
    assert control.text == "Display: brightness +30, contrast +20"
    view = control.parentWidget()
    assert isinstance(view, LiveView)
    assert view.levels == Levels(30, 20)
    at = QPointF(5, 5)
    for turn in (120, 120, -120):
        wheel = QWheelEvent(
            at,
            at,
            QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(control, wheel)
    assert view.levels == Levels(40, 20)
    QTest.mouseDClick(control, LEFT, pos=QPoint(5, 5))
    assert control.text == ""
    assert view.levels == NEUTRAL


def test_its_words_are_cut_in_a_narrow_picture_and_told_by_the_tool_tip(control: LevelsControl) -> None:
    control.show_levels(Levels(-100, -100))
    view = control.parentWidget()
    assert isinstance(view, LiveView)
    view.resize(160, 120)
    QApplication.processEvents()
    assert view.rect().contains(control.geometry())
    assert control.text in control.toolTip()
