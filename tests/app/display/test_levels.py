"""Brightness and contrast change what is painted, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.widgets.image_view import LiveView
from app.widgets.levels import NEUTRAL
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.session.files import read_png
from semc_core.session.session import Session
from tests.app.conftest import WAIT_MS

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


def make_it_bright(window: MainWindow) -> None:
    """Three steps brighter, one with more contrast, by keys."""
    for _ in range(3):
        QTest.keyClick(window, KEY.Key_Up, CONTROL)
    QTest.keyClick(window, KEY.Key_Right, CONTROL)


def brightness_of(view: LiveView) -> float:
    """Of what is painted, 0-255."""
    image = view.image
    assert image is not None
    places = [(x, y) for x in range(10, 150, 9) for y in range(10, 110, 9)]
    return float(np.mean([image.pixelColor(*place).lightness() for place in places]))


@pytest.mark.long
def test_keys_change_the_display_and_neither_the_frames_nor_what_is_saved_or_exported(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    window.open_source(str(long_loop))
    live, controls = window.live_page, window.look.controls
    qtbot.waitUntil(lambda: live.readout.shown.title == "FHP1", timeout=WAIT_MS)
    live.freeze(True)
    window.tick()
    packet, view = live.view.packet, live.view
    assert packet is not None
    before, plain = packet.pixels.copy(), brightness_of(view)
    make_it_bright(window)
    window.tick()
    assert view.packet is packet
    assert brightness_of(view) > plain + 20
    assert np.array_equal(packet.pixels, before)
    assert [control.text for control in controls] == ["Display: brightness +30, contrast +10"] * 2
    assert live.capture()
    qtbot.waitUntil(lambda: any(plane.by_hand and plane.png for plane in live.saved), timeout=WAIT_MS)
    taken = next(plane for plane in live.saved if plane.by_hand)
    assert taken.png is not None
    assert np.array_equal(read_png(taken.png), before)
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert live.session_folder is not None
    with Session.open(live.session_folder) as session:
        export_session(session, tmp_path / "out", ExportOptions(packed=False, text="keep"))
    exported = [read_png(path) for path in (tmp_path / "out").rglob("*.png")]
    assert any(np.array_equal(pixels, before) for pixels in exported)


def test_review_shows_it_alike_and_a_key_makes_it_neutral(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    make_it_bright(window)  # no page with a picture: nothing to change
    assert window.review_page.view.levels == NEUTRAL
    window.open_review(cine_loop)
    page = window.review_page
    qtbot.waitUntil(lambda: page.view.packet is not None, timeout=WAIT_MS)
    plain = brightness_of(page.view)
    make_it_bright(window)
    assert brightness_of(page.view) > plain + 20
    assert window.live_page.view.levels == page.view.levels
    QTest.keyClick(window, KEY.Key_Home, CONTROL)
    assert page.view.levels == NEUTRAL
    assert brightness_of(page.view) == plain
    assert {control.text for control in window.look.controls} == {""}


def test_the_picture_alone_says_so_too(qtbot: QtBot, window: MainWindow, cine_loop: Path) -> None:
    window.open_review(cine_loop)
    qtbot.waitUntil(lambda: window.review_page.view.packet is not None, timeout=WAIT_MS)
    make_it_bright(window)
    window.picture.toggle()
    window.tick()
    alone = window.picture.view
    assert alone.levels == window.review_page.view.levels != NEUTRAL
    assert "Display: brightness +30, contrast +10" in [text for text, _ in alone.texts[0]]
    window.picture.hide()
