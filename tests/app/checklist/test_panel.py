"""The checklist panel, and the window with it: in a scan that goes on, and in review."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.checklist.marks import paint_mark
from app.checklist.panel import ChecklistPanel
from app.checklist.presenter import ChecklistView, checklist_view
from app.checklist.reason_dialog import ReasonDialog
from app.main_window import MainWindow
from semc_core.pipeline.state import Phase
from semc_core.protocols.checklist import Evidence, Status, checklist
from semc_core.session.session import Session
from tests.app.checklist.test_presenter import PLANES, PROTOCOL
from tests.app.review.test_page import KEY, WAIT_MS, analysed, press, wait_for_said

LEFT = Qt.MouseButton.LeftButton


def some_view(*evidence: Evidence) -> ChecklistView:
    return checklist_view(checklist(PROTOCOL, evidence, (), PLANES, 0.8), PLANES, 0.8)


@pytest.fixture
def panel(qtbot: QtBot) -> ChecklistPanel:
    panel = ChecklistPanel(can_add=True)
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    return panel


def reason_dialogs() -> list[ReasonDialog]:
    return [
        one for one in QApplication.topLevelWidgets() if isinstance(one, ReasonDialog) and one.isVisible()
    ]


def shown_panel(window: MainWindow) -> ChecklistPanel:
    """That of the page which is shown."""
    assert isinstance(window.checklist, ChecklistPanel)
    return window.checklist


def status_of(window: MainWindow, item_id: str) -> Status | None:
    view = shown_panel(window).view
    return next((row.status for row in view.rows if row.item_id == item_id), None) if view else None


def test_each_status_has_a_mark_of_its_own_shape(qapp: QApplication) -> None:
    shapes = set()
    for status in Status:
        image = QImage(24, 24, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        paint_mark(painter, QRectF(2, 2, 20, 20), status)
        painter.end()
        # Shape alone: where anything is painted at all.
        shapes.add(bytes(255 if value > 60 else 0 for value in bytes(image.constBits())))
    assert len(shapes) == len(Status)


def test_a_click_goes_to_the_plane_and_without_one_offers_what_can_be_done(
    panel: ChecklistPanel, qtbot: QtBot
) -> None:
    panel.show_view(some_view(Evidence(7, "A", 0.9, 1.0, saved=True, named=False, by_hand=False)))
    first, second = panel.rows[:2]
    with qtbot.waitSignal(panel.row_chosen) as chosen:
        QTest.mouseClick(first, LEFT)
    assert chosen.args == ["a"]
    menu = panel.menu_of(second.row)
    words = [action.text() for action in menu.actions()]
    assert words == ["Plane B", "The picture shows it: add it here", "Not possible …"]
    with qtbot.waitSignal(panel.word_wanted) as wanted:
        menu.actions()[2].trigger()
    assert wanted.args == ["b"]
    with qtbot.waitSignal(panel.add_wanted):
        menu.actions()[1].trigger()
    menu.close()
    found = panel.menu_of(first.row)
    assert "Not possible …" not in [action.text() for action in found.actions()]
    found.close()


def stands(panel: ChecklistPanel) -> tuple[bool, bool, bool, bool]:
    """Open, closed by the user, narrow, taking the room of others."""
    return panel.is_open, panel.closed_by_user, panel.narrow, panel.takes_all


def test_it_closes_to_a_line_of_marks_and_with_little_room_by_itself(panel: ChecklistPanel) -> None:
    panel.show_view(some_view())
    assert stands(panel) == (True, False, False, False)
    high = panel.sizeHint().height()
    panel.toggle()
    assert stands(panel) == (False, True, False, False)
    assert panel.sizeHint().height() < high / 2
    panel.toggle()
    panel.give_room(60, 300)
    assert stands(panel) == (False, False, True, False)
    panel.toggle()
    assert stands(panel) == (True, False, True, True)
    panel.give_room(400, 400)
    assert stands(panel) == (True, False, False, False)
    panel.show_view(None)
    panel.toggle()
    assert stands(panel) == (False, False, False, False)


def test_a_protocol_that_the_model_does_not_know_is_told_before_the_scan(
    window: MainWindow, qtbot: QtBot
) -> None:
    page = window.start_page
    qtbot.waitUntil(lambda: "knows all of its 6" in page.protocol_note, timeout=WAIT_MS)
    page.protocol_chosen.emit("fasp-20-week")
    qtbot.waitUntil(lambda: "knows no plane" in page.protocol_note, timeout=WAIT_MS)
    assert window.settings.protocol == "fasp-20-week"
    page.protocol_chosen.emit("")
    qtbot.waitUntil(lambda: page.protocol_note == "", timeout=WAIT_MS)
    assert window.settings.protocol == ""


def test_the_scan_fills_the_checklist_and_takes_a_word_on_what_is_not_possible(
    window: MainWindow, qtbot: QtBot, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: status_of(window, "first-porta-hepatis") is Status.FOUND, timeout=WAIT_MS)
    assert status_of(window, "left-lobe") is Status.MISSING
    shown_panel(window).row_chosen.emit("first-porta-hepatis")
    assert window.viewer.isVisible()
    press(window, KEY.Key_Escape)
    shown_panel(window).word_wanted.emit("left-lobe")
    (dialog,) = reason_dialogs()
    # Letters typed here are no keys of the window.
    QTest.keyClicks(dialog.field, "gas")
    QTest.keyClick(dialog.field, KEY.Key_Return)
    qtbot.waitUntil(lambda: status_of(window, "left-lobe") is Status.NOT_POSSIBLE, timeout=WAIT_MS)
    assert not window.live_page.frozen
    view = shown_panel(window).view
    assert view is not None
    assert view.rows[2].tip == "Left lobe: not possible. gas."
    shown_panel(window).word_taken_back.emit("left-lobe")
    qtbot.waitUntil(lambda: status_of(window, "left-lobe") is Status.MISSING, timeout=WAIT_MS)
    engine = window.scan.pipeline
    assert engine is not None
    press(window, KEY.Key_S)
    qtbot.waitUntil(lambda: engine.state.phase is Phase.STOPPED, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    window.checklists.say_of_scan("left-lobe", "gas")
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "press V to review it" in window.banner.shown.text


def test_in_review_rows_lead_to_planes_and_words_are_steps_of_undo(
    window: MainWindow, qtbot: QtBot, cine_loop: Path
) -> None:
    folder = analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    qtbot.waitUntil(lambda: status_of(window, "first-porta-hepatis") is Status.FOUND, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: shown_panel(window).rows[0].isVisible(), timeout=WAIT_MS)
    QTest.mouseClick(shown_panel(window).rows[0], LEFT)
    assert commands.chosen is not None
    assert commands.chosen.plane == "FHP1"
    shown_panel(window).word_wanted.emit("right-lobe")
    (dialog,) = reason_dialogs()
    button = next(one for one in dialog.findChildren(QPushButton) if one.text() == "Gas")
    QTest.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: status_of(window, "right-lobe") is Status.NOT_POSSIBLE, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_for_said(qtbot, window, "Undone: Right lobe is not possible")
    qtbot.waitUntil(lambda: status_of(window, "right-lobe") is Status.MISSING, timeout=WAIT_MS)

    shown_panel(window).add_wanted.emit("hepatorenal")
    wait_for_said(qtbot, window, "HRP is added")
    qtbot.waitUntil(lambda: status_of(window, "hepatorenal") is Status.FOUND, timeout=WAIT_MS)
    shown_panel(window).protocol_chosen.emit("fasp-20-week")
    qtbot.waitUntil(lambda: status_of(window, "profile") is Status.UNKNOWN, timeout=WAIT_MS)
    shown_panel(window).add_wanted.emit("profile")
    qtbot.waitUntil(lambda: status_of(window, "profile") is Status.FOUND, timeout=WAIT_MS)
    page.timeline.grab()
    window.close()
    with Session.open(folder, read_only=True) as session:
        assert {plane.plane for plane in session.planes()} == {"FHP1", "HRP", "Profile"}
        assert not session.items()
        assert session.verify().ok


def test_the_key_opens_and_closes_it_and_it_is_remembered(
    new_window: Callable[[], MainWindow], qtbot: QtBot, cine_loop: Path
) -> None:
    window = new_window()
    analysed(qtbot, window, cine_loop)
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: window.checklist.is_open, timeout=WAIT_MS)
    press(window, KEY.Key_K)
    assert not window.checklist.is_open
    window.close()
    again = new_window()
    assert again.review_page.checklist.closed_by_user
    assert again.live_page.checklist.closed_by_user


def test_all_reasons_and_own_words_close_the_dialog(qtbot: QtBot) -> None:
    panel = ChecklistPanel()
    qtbot.addWidget(panel)
    dialog = ReasonDialog("Left lobe", ("Gas",), panel)
    said: list[str] = []
    dialog.answered.connect(said.append)
    dialog.open()
    QTest.keyClick(dialog.field, KEY.Key_Return)
    assert dialog.isVisible()
    QTest.keyClicks(dialog.field, " rib ")
    QTest.keyClick(dialog.field, KEY.Key_Return)
    assert said == ["rib"]
    assert not dialog.isVisible()
