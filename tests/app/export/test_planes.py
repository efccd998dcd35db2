"""Choosing which planes are handed over, as a user does it: keys, ticks, and the last page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from tests.app.export.test_dialog import WAIT_MS, no_finder, opened, wait_for

KEY = Qt.Key


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportDialog:
    no_finder(monkeypatch)
    return opened(qtbot, window, tmp_path)


def test_space_takes_a_plane_out_and_the_last_page_says_so(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog
) -> None:
    planes = dialog.page.planes
    assert [planes.list.item(at).text() for at in range(planes.list.count())] == [
        "FHP1, 0:00.4",
        "LLP, 0:02.0",
    ]
    assert planes.chosen is None, "all are ticked at first"
    planes.list.setFocus()
    QTest.keyClick(planes.list, KEY.Key_Space)
    assert dialog.page.options.planes == (2,)
    assert "1 of 2 planes" in dialog.page._contents.text()
    dialog.page.parts["clips"].setChecked(False)
    QTest.keyClick(planes.list, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    control = window.dialogs.exporting
    assert control is not None
    assert control.state.result is not None
    assert (control.state.result.planes, control.state.result.not_chosen) == (1, 1)
    assert dialog.done_page.stayed_out == "1 plane that was not chosen stayed out."


def test_the_list_and_the_picture_go_together(qtbot: QtBot, dialog: ExportDialog) -> None:
    planes = dialog.page.planes
    planes.list.setFocus()
    QTest.keyClick(planes.list, KEY.Key_Down)
    assert dialog._caption.text().startswith("2 of 2")
    dialog.step(-1)
    assert planes.list.currentRow() == 0
    qtbot.waitUntil(lambda: dialog.picture.pixels is not None, timeout=WAIT_MS)


def test_none_ticked_is_told_and_all_brings_them_back(window: MainWindow, dialog: ExportDialog) -> None:
    planes = dialog.page.planes
    planes.none.click()
    QTest.keyClick(dialog, KEY.Key_Return)
    assert "No plane is ticked" in dialog.message
    control = window.dialogs.exporting
    assert control is not None
    assert control.state.phase is Phase.CHOOSING
    assert planes.list.hasFocus()
    planes.all.click()
    assert planes.chosen is None
    assert planes.list.accessibleName() == "Planes to export"


def test_the_choice_is_of_this_export_alone(window: MainWindow, dialog: ExportDialog) -> None:
    dialog.page.planes.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert dialog.page.options.planes == (2,)
    window.settings.export_options = dialog.page.options
    assert window.settings.export_options.planes is None
