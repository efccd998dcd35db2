"""The window's first place, and one that is remembered, on screens of every size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.shell import in_the_middle
from app.widgets import theme

FIRST: Final = QSize(1280, 800)


@pytest.mark.parametrize(
    "room", [QRect(0, 0, 1024, 600), QRect(0, 27, 1366, 741), QRect(-800, 40, 800, 1200)]
)
def test_the_first_window_fits_a_small_screen_with_its_frame(room: QRect) -> None:
    place = in_the_middle(FIRST, room)
    assert room.contains(place.adjusted(-4, -16, 4, 4))
    assert (room.center() - place.center()).manhattanLength() <= 1


def test_the_first_window_is_as_large_as_meant_where_there_is_room() -> None:
    assert in_the_middle(FIRST, QRect(0, 0, 1920, 1080)).size() == FIRST


def test_the_window_never_begins_larger_than_the_screen(window: MainWindow) -> None:
    room = window.screen().availableGeometry()
    assert FIRST.width() > room.width(), "else this shows nothing"
    window.restore(QByteArray())
    assert room.contains(window.geometry())
    assert window.width() >= round(theme.LEAST_EM[0] * theme.em(window))


@pytest.mark.parametrize(
    "was", [QRect(100, 50, 1900, 1000), QRect(3000, 2000, 700, 500), QRect(-900, -700, 700, 500)]
)
def test_a_remembered_place_that_is_on_no_screen_any_more_is_brought_back(
    qapp: QApplication, qtbot: QtBot, new_window: Callable[[], MainWindow], was: QRect
) -> None:
    window = new_window()
    window.setGeometry(was)
    remembered = window.saveGeometry()
    window.restore(remembered)
    assert window.screen().availableGeometry().contains(window.geometry())
