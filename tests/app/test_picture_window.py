"""The picture alone on the whole screen, by one key."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.commands import LIVE, START
from app.main_window import MainWindow
from app.widgets import theme
from app.widgets.image_view import LiveView
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket


def packet(index: int) -> FramePacket:
    return FramePacket("a", index, 0.0, 0.0, Picture(np.full((60, 80), index, np.uint8)))


def test_the_picture_fills_a_screen_follows_the_page_and_leaves_by_key_and_with_the_page(
    window: MainWindow,
) -> None:
    view, alone = window.live_page.view, window.picture
    window._timer.stop()
    window.tick()
    assert not window.actions_by_name["picture"].isEnabled(), "the start page has no picture"
    window.go_to(LIVE)
    view.show_picture(packet(1), None, None, Crop(0, 0, 40, 40))
    view.show_texts((("FROZEN", theme.ACCENT),), "", None)
    window.tick()
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    window.tick()
    assert alone.isFullScreen()
    assert alone.geometry().size() == alone.screen().size()
    assert alone.view.packet is view.packet
    assert alone.view.crop == view.crop
    assert alone.view.texts[0] == (("FROZEN", theme.ACCENT),)
    view.show_picture(packet(2), None, None, None)
    window.tick()
    assert alone.view.packet is view.packet

    window.escape()
    assert not alone.isVisible()
    window.actions_by_name["picture"].trigger()
    assert alone.isVisible()
    window.go_to(START)
    window.tick()
    assert not alone.isVisible()


def test_what_is_written_over_the_picture_grows_with_a_large_screen(window: MainWindow) -> None:
    alone = window.picture
    sizes = []
    for high in (400, 1080, 2160):
        alone.resize(16 * high // 9, high)
        alone.show()
        sizes.append(theme.em(alone.view))
    assert sizes[0] == theme.em(window)
    assert 1.3 * sizes[0] < sizes[1] < 0.6 * sizes[2]
    alone.hide()


def test_badges_that_have_no_room_side_by_side_stand_below_each_other(qtbot: QtBot) -> None:
    view = LiveView()
    qtbot.addWidget(view)
    view.show_texts((("FROZEN", theme.ACCENT), ("A SECOND BADGE", theme.WARNING)), "", None)
    view.resize(260, 200)
    image = view.grab().toImage()
    amber = [
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y) == QColor(theme.WARNING)
    ]
    assert max(x for x, _ in amber) < image.width() - 4
    assert min(x for x, _ in amber) < 2 * theme.em(view)
