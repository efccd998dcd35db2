"""Measuring on the picture that is held during a scan: the tools of review, saved with the plane."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.commands import LIVE, REVIEW, Situation, enabled_actions
from app.main_window import MainWindow
from app.measuring.keys import IN_LIVE, IN_REVIEW
from semc_core.session.records import BY_HAND, PERSON, MeasurementEntry
from semc_core.session.session import Session
from semc_core.types import Crop
from tests.app.conftest import WAIT_MS

KEY = Qt.Key
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def click(window: MainWindow, *places: tuple[float, float]) -> None:
    placed = window.live_page.view.placed
    assert placed is not None
    for place in places:
        x, y = placed.to_widget_point(*place)
        layer = window.live_page.held.measuring.layer
        QTest.mouseClick(layer, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))


def measured(qtbot: QtBot, window: MainWindow, count: int) -> tuple[MeasurementEntry, ...]:
    qtbot.waitUntil(lambda: len(window.measured.snapshot.measurements) == count, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.measured.settled, timeout=WAIT_MS)
    window.tick()
    return window.measured.snapshot.measurements


def test_a_tool_holds_the_live_picture_and_what_is_measured_is_saved_with_its_plane(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page = window.live_page
    measuring = page.held.measuring
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    window.tick()
    assert not measuring.layer.isVisible(), "a double click on the running picture is for the region"
    QTest.keyClick(window, KEY.Key_D, SHIFT)
    assert page.frozen
    assert "click on one end" in measuring.hint
    window.tick()
    click(window, (20, 30), (120, 90))
    (line,) = measured(qtbot, window, 1)
    held = page.view.packet
    assert held is not None
    assert (line.kind, line.frame_index, line.made_by) == ("distance", held.index, PERSON)
    for place, wanted in zip(line.points, ((20, 30), (120, 90)), strict=True):
        assert place == pytest.approx(wanted, abs=0.5)
    by_hand = [plane for plane in page.saved if plane.by_hand]
    assert [(plane.hold_id, plane.frame_index) for plane in by_hand] == [(line.plane_id, held.index)]
    (row,) = measuring.values.rows
    assert row.lines[0][1].endswith(" px")
    assert "Shift+S sets the scale" in measuring.values.foot
    assert measuring.values.isVisible()
    assert page.view.ruler is None, "no ruler without millimetres"

    QTest.keyClick(window, KEY.Key_W)
    QTest.keyClick(window, KEY.Key_Right)
    QTest.keyClick(window, KEY.Key_S, SHIFT)  # what the arrow moved is kept
    window.tick()
    click(window, (20, 10), (120, 10))
    qtbot.waitUntil(page.held.ask_line.field.isVisible, timeout=WAIT_MS)
    QTest.keyClicks(page.held.ask_line.field, "5 cm")
    QTest.keyClick(page.held.ask_line.field, KEY.Key_Return)
    qtbot.waitUntil(lambda: bool(window.measured.snapshot.scales), timeout=WAIT_MS)
    (scaled,) = measured(qtbot, window, 1)
    assert scaled.scale == BY_HAND
    assert scaled.points[0][0] == pytest.approx(line.points[0][0] + 1, abs=1e-3)
    assert window.settings.scale_line("video", 160, 120) is not None

    QTest.keyClick(window, KEY.Key_L, SHIFT)
    window.tick()
    click(window, (20, 20), (60, 40), (100, 20))
    QTest.keyClick(window, KEY.Key_Return)
    assert len(measured(qtbot, window, 2)) == 2, "Enter ended the line"
    assert sum(plane.by_hand for plane in page.saved) == 1, "and captured nothing more"
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    measured(qtbot, window, 1)

    QTest.keyClick(window, KEY.Key_Space)
    window.tick()
    assert measuring.values.rows == (), "the picture goes on"
    assert window.live_page.view.ruler is not None, "the scale holds for the running picture, too"
    assert not measuring.layer.isVisible()
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    folder = page.session_folder
    assert folder is not None
    with Session.open(folder, read_only=True) as session:
        assert session.measurements() == (scaled,)
        plane = session.plane(line.plane_id or 0)
        assert (plane.frame_index, plane.chosen_by) == (held.index, PERSON)
        assert session.verify().ok


def test_what_was_measured_last_is_saved_though_the_window_is_closed_at_once(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page = window.live_page
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_D, SHIFT)
    window.tick()
    click(window, (20, 30), (120, 90))
    assert window.measured.waiting, "its plane is not written, or nobody looked yet"
    window.close()
    assert page.session_folder is not None
    with Session.open(page.session_folder) as session:
        (line,) = session.measurements()
    assert line.kind == "distance"
    assert line.plane_id is not None


def test_in_the_smallest_window_what_is_measured_covers_nothing(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page = window.live_page
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    window.resize(window.minimumSize())
    QTest.keyClick(window, KEY.Key_C, SHIFT)
    window.tick()
    click(window, (40, 60), (110, 60))
    measured(qtbot, window, 1)
    qtbot.waitUntil(page.held.measuring.values.isVisible, timeout=WAIT_MS)

    def apart() -> bool:
        """What has become visible is placed by the next event."""
        parts = (page.readout, page.held.measuring.values, page.checklist)
        shown = [each.geometry() for each in parts if each.isVisible()]
        assert page.held.measuring.values.isVisible()
        return not any(one.intersects(other) for i, one in enumerate(shown) for other in shown[i + 1 :])

    qtbot.waitUntil(apart, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Space)
    qtbot.waitUntil(page.readout.isVisible, timeout=WAIT_MS)


def test_the_region_of_the_running_picture_is_dragged_by_its_corner(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    view, scan = window.live_page.view, window.scan
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)
    window.set_region(Crop(20, 20, 100, 80))
    qtbot.waitUntil(lambda: view.crop == Crop(20, 20, 100, 80), timeout=WAIT_MS)
    placed = view.placed
    assert placed is not None
    places = [placed.to_widget_point(*each) for each in ((20, 20), (40, 30))]
    first, last = (QPoint(round(x), round(y)) for x, y in places)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=first)
    QTest.mouseMove(view, last)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=last)
    assert scan.region_by_hand
    qtbot.waitUntil(lambda: view.crop == Crop(40, 30, 80, 70), timeout=WAIT_MS)


def test_during_a_scan_nothing_is_measured_unless_the_picture_is_held() -> None:
    running = enabled_actions(Situation(LIVE, running=True))
    held = enabled_actions(Situation(LIVE, running=True, frozen=True))
    idle = enabled_actions(Situation(LIVE))
    for name in (*IN_LIVE.arrows, "accept_head", "next_handle"):
        assert (running[name], held[name], idle[name]) == (False, True, False), name
    assert running["live_distance"]
    assert not idle["live_distance"]
    assert not enabled_actions(Situation(LIVE, running=True, frozen=True, typing=True))["capture"]


def test_a_review_that_is_only_looked_at_keeps_no_scan_from_being_measured() -> None:
    looking = {"looking_only": True, "review_open": True}
    assert enabled_actions(Situation(LIVE, running=True, frozen=True, **looking))["undo"]
    assert not enabled_actions(Situation(REVIEW, **looking))["undo"]
    assert set(IN_REVIEW.arrows) != set(IN_LIVE.arrows)
