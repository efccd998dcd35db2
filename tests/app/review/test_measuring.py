"""Measuring on the review page, with a real window, a real loop and a real session."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.measuring.calipers import TOOLS
from semc_core.session.records import PERSON, MeasurementEntry
from semc_core.session.session import Session
from tests.app.review.test_page import CONTROL, KEY, WAIT_MS, analysed, press, wait_for_said

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def reviewed(qtbot: QtBot, window: MainWindow, short_loop: Path) -> Path:
    """The session of a loop of 160 x 120 pixels in review, at its only plane."""
    folder = analysed(qtbot, window, short_loop)
    press(window, KEY.Key_Down)
    view = window.review_page.view
    frame = window.review.snapshot.planes[0].frame_index
    qtbot.waitUntil(lambda: view.packet is not None and view.packet.index == frame, timeout=WAIT_MS)
    window.tick()
    return folder


def at(window: MainWindow, x: float, y: float) -> QPoint:
    placed = window.review_page.view.placed
    assert placed is not None
    across, down = placed.to_widget_point(x, y)
    return QPoint(round(across), round(down))


def click(window: MainWindow, *places: tuple[float, float]) -> None:
    for x, y in places:
        QTest.mouseClick(window.review_page.measuring.layer, Qt.MouseButton.LeftButton, pos=at(window, x, y))


def measured(qtbot: QtBot, window: MainWindow, count: int) -> tuple[MeasurementEntry, ...]:
    qtbot.waitUntil(lambda: len(window.review.snapshot.measurements) == count, timeout=WAIT_MS)
    window.tick()
    return window.review.snapshot.measurements


def test_a_distance_is_a_key_and_two_clicks_moved_by_keys_and_taken_back(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    measuring, plane = window.review_page.measuring, window.review.snapshot.planes[0]
    press(window, KEY.Key_D)
    assert "click on one end" in measuring.hint
    click(window, (20, 30), (120, 90))
    (line,) = measured(qtbot, window, 1)
    assert (line.kind, line.frame_index, line.plane_id) == ("distance", plane.frame_index, plane.plane_id)
    assert line.made_by == PERSON
    for (x, y), wanted in zip(line.points, ((20, 30), (120, 90)), strict=True):
        assert (x, y) == pytest.approx(wanted, abs=0.5), "within a pixel of the screen"
    (row,) = measuring.values.rows
    assert row.lines[0][1].endswith(" px")
    assert measuring.values.isVisible()
    assert "S sets the scale" in measuring.values.foot

    press(window, KEY.Key_W, KEY.Key_Right)
    QTest.keyClick(window, KEY.Key_Down, SHIFT)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    wait_for_said(qtbot, window, "Undone: Moved the distance 1")
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    wait_for_said(qtbot, window, "Done again: Moved the distance 1")
    (moved,) = measured(qtbot, window, 1)
    x, y = line.points[0]
    assert moved.points[0] == pytest.approx((x + 1, y + 10), abs=1e-3)
    assert window.review_page.commands is not None
    assert window.review_page.view.packet is not None
    assert window.review_page.view.packet.index == plane.frame_index, "the arrows moved no frame"

    press(window, KEY.Key_Escape, KEY.Key_Escape, KEY.Key_Right)
    qtbot.waitUntil(lambda: measuring.values.rows == (), timeout=WAIT_MS)
    assert measuring.layer.shapes == (), "another frame shows no measurement of this one"
    press(window, KEY.Key_Left)
    qtbot.waitUntil(lambda: len(measuring.values.rows) == 1, timeout=WAIT_MS)
    press(window, KEY.Key_W, KEY.Key_Delete)
    measured(qtbot, window, 0)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    measured(qtbot, window, 1)
    window.close()
    with Session.open(reviewed, read_only=True) as session:
        assert session.measurements() == (moved,)
        assert session.verify().ok


def test_what_is_measured_is_drawn_over_the_picture_and_magnified_while_it_is(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    measuring = window.review_page.measuring

    def seen() -> QImage:
        window.tick()
        return window.review_page.view.grab().toImage()

    before = seen()
    press(window, KEY.Key_C)
    click(window, (40, 60))
    QTest.mouseMove(measuring.layer, at(window, 110, 60))
    qtbot.waitUntil(lambda: measuring.calipers.place is not None, timeout=WAIT_MS)
    drawing = seen()
    click(window, (110, 60))
    measured(qtbot, window, 1)
    press(window, KEY.Key_Escape)
    done = seen()
    assert before != done
    assert drawing != done
    left = drawing.copy(0, 0, 60, 120), done.copy(0, 0, 60, 120)
    right = drawing.copy(drawing.width() - 60, 0, 60, 120), done.copy(done.width() - 60, 0, 60, 120)
    assert left[0] != left[1] or right[0] != right[1], "the magnifier was in an upper corner, and is gone"


def test_every_tool_has_a_button_with_a_name_a_key_and_room_for_a_finger(
    window: MainWindow, reviewed: Path
) -> None:
    buttons = window.review_page.measuring.tools.buttons
    assert tuple(buttons)[: len(TOOLS)] == TOOLS
    for button in buttons.values():
        assert button.accessibleName()
        assert "(" in button.toolTip()
        assert min(button.width(), button.height()) >= 24
    for name in TOOLS:
        buttons[name].click()
        assert window.review_page.measuring.calipers.tool == name
        window.tick()
        assert window.actions_by_name[f"measure_{name}"].isChecked()
        press(window, KEY.Key_Escape)
    assert window.review_page.measuring.values.list.accessibleName() == "Measurements"


def test_a_measurement_is_named_and_taken_away_by_its_menu(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    press(window, KEY.Key_C)
    click(window, (40, 60), (110, 60))
    measured(qtbot, window, 1)
    menu = window.review_page.measuring.show_names(1, QPoint(0, 0))
    assert menu is not None
    titles = {action.text(): action for action in menu.actions()}
    assert {"Ellipse", "Head", "Abdomen"} < set(titles)
    titles["Head"].trigger()
    menu.close()
    qtbot.waitUntil(lambda: window.review.snapshot.measurements[0].structure == "head", timeout=WAIT_MS)
    window.tick()
    (row,) = window.review_page.measuring.values.rows
    assert [name for name, _ in row.lines][:3] == ["HC", "OFD outer-outer", "BPD outer-outer"]


def test_nothing_is_measured_in_a_session_that_is_only_looked_at(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    window.review.release()
    qtbot.waitUntil(lambda: window.review.open is None, timeout=WAIT_MS)

    def free() -> bool:
        try:
            Session.open(reviewed).close()
        except Exception:  # noqa: BLE001 - still being closed by the window
            return False
        return True

    qtbot.waitUntil(free, timeout=WAIT_MS)
    with Session.open(reviewed):
        window.open_review(str(reviewed))
        qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
        window.tick()
        assert not window.actions_by_name["measure_distance"].isEnabled()
        assert not window.review_page.measuring.tools.buttons["distance"].isEnabled()
        window.review.release()
        qtbot.waitUntil(lambda: window.review.open is None, timeout=WAIT_MS)


@pytest.mark.long
@pytest.mark.parametrize("size", [(900, 600), (1024, 700), (1280, 800), (1920, 1080)])
def test_the_list_of_values_covers_nothing_in_a_window_of_any_size(
    qtbot: QtBot, window: MainWindow, reviewed: Path, size: tuple[int, int]
) -> None:
    page = window.review_page
    window.resize(*size)
    for x in (10, 30, 50):
        press(window, KEY.Key_C)
        click(window, (x, 60), (x + 90, 60))
        measured(qtbot, window, (x + 10) // 20)
    values = page.measuring.values
    others = (page.panel, page.checklist)

    def apart() -> bool:
        inside = page.rect().contains(values.geometry()) and values.height() > 40
        return inside and not any(values.geometry().intersects(each.geometry()) for each in others)

    qtbot.waitUntil(apart, timeout=WAIT_MS)
