"""The picture alone on the whole screen, by one key."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.commands import LIVE, START
from app.main_window import MainWindow
from app.widgets import theme
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
    window._go_to(LIVE)
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
    window._go_to(START)
    window.tick()
    assert not alone.isVisible()
