"""Two frames side by side: linked, or the second one stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.review.compare import Compared, compared, compared_badge
from app.review.page import ReviewPage
from app.widgets.levels import NEUTRAL
from tests.app.conftest import WAIT_MS
from tests.app.review.test_page import analysed, press

KEY = Qt.Key
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def test_linked_pictures_keep_their_distance_and_stay_in_the_loop() -> None:
    begun = compared(10, 40)
    assert [begun.index(at, 100) for at in (10, 11, 90, 0)] == [40, 41, 99, 30]
    back = compared(40, 10)
    assert [back.index(at, 100) for at in (40, 5)] == [10, 0]


def test_the_second_picture_stays_when_unlinked_and_moves_on_from_there_when_linked_again() -> None:
    stays = compared(10, 40).turned(20, 100)
    assert stays == Compared(stays=50)
    assert stays.index(70, 100) == 50
    assert stays.turned(70, 100) == Compared(offset=-20)


def test_without_another_plane_this_frame_stays() -> None:
    assert compared(10, None) == compared(10, 10) == Compared(stays=10)
    assert compared_badge(Compared(stays=10), 5.1) == "STAYS 0:05.1"
    assert compared_badge(Compared(offset=3), 5.1) == "LINKED 0:05.1"


def indices(page: ReviewPage) -> tuple[int, int]:
    """Which frames are seen; -1 for none."""
    first, second = page.view.packet, page.beside.view.packet
    return -1 if first is None else first.index, -1 if second is None else second.index


def test_the_chosen_plane_is_seen_beside_the_frame_and_both_step_and_zoom_together(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Down)
    plane = commands.playhead.index
    commands.playhead.go(plane + 10 if plane < 60 else plane - 10)
    at = commands.playhead.index
    QTest.keyClick(window, KEY.Key_B, SHIFT)
    assert page.beside.view.isVisible()
    qtbot.waitUntil(lambda: indices(page) == (at, plane), timeout=WAIT_MS)
    press(window, KEY.Key_Right, KEY.Key_Right, KEY.Key_Left)
    qtbot.waitUntil(lambda: indices(page) == (at + 1, plane + 1), timeout=WAIT_MS)
    assert page.beside.view.texts[0][0][0].startswith("LINKED")
    second = page.beside.view
    page.view.zoom(4, QPointF(50, 50))
    assert second.magnified_to == page.view.magnified_to
    assert second.magnified
    second.fit()
    assert not page.view.magnified
    shown = second.packet
    assert shown is not None
    opened = window.review.open
    assert opened is not None
    assert opened.source is not None
    assert np.array_equal(shown.pixels, opened.source.frame(plane + 1).pixels)

    QTest.keyClick(window, KEY.Key_B, CONTROL)
    press(window, KEY.Key_Right, KEY.Key_Right)
    qtbot.waitUntil(lambda: indices(page) == (at + 3, plane + 1), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: second.texts[0][0][0].startswith("STAYS"), timeout=WAIT_MS)
    page.view.zoom(4, QPointF(50, 50))
    assert second.magnified_to.whole
    assert window.actions_by_name["compare"].isChecked()
    assert not window.actions_by_name["link"].isChecked()

    press(window, KEY.Key_Escape)
    assert not second.isVisible()
    assert commands.chosen is not None, "Esc ends one thing at each press"
    assert second.packet is None


def test_brightness_is_that_of_both(qtbot: QtBot, window: MainWindow, cine_loop: Path) -> None:
    analysed(qtbot, window, cine_loop)
    page = window.review_page
    QTest.keyClick(window, KEY.Key_B, SHIFT)
    QTest.keyClick(window, KEY.Key_Up, CONTROL)
    assert page.beside.view.levels == page.view.levels != NEUTRAL
    QTest.keyClick(window, KEY.Key_B, SHIFT)
    assert not page.beside.on


def test_what_is_opened_next_is_not_seen_beside_what_was_open(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, long_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    page = window.review_page
    QTest.keyClick(window, KEY.Key_B, SHIFT)
    qtbot.waitUntil(lambda: page.beside.view.packet is not None, timeout=WAIT_MS)
    window.open_review(long_loop)
    qtbot.waitUntil(lambda: page.beside.view.packet is None, timeout=WAIT_MS)
    assert not page.beside.on
