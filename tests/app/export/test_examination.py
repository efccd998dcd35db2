"""The export of an examination of two scans from the window: one tick, one report."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from semc_core.export.manifest import check_bundle
from semc_core.session.same_examination import go_on_with
from tests.app.export.test_dialog import WAIT_MS, dialog_of, no_finder, wait_for
from tests.export.scans import video_session

KEY = Qt.Key


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportDialog:
    """Of the second scan of an examination."""
    no_finder(monkeypatch)
    monkeypatch.setattr("semc_core.export.examination.load_text_finder", lambda: None)
    with (
        video_session(tmp_path / "one", name="one.mkv", count=20) as first,
        video_session(tmp_path / "two", name="two.mkv", count=20) as second,
    ):
        go_on_with(second, first.id)
    window.open_review(tmp_path / "two")
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_E)
    return dialog_of(qtbot, window)


def test_both_scans_are_exported_by_one_enter(qtbot: QtBot, window: MainWindow, dialog: ExportDialog) -> None:
    page = dialog.page
    assert page.examination.text() == "All 2 scans of this examination"
    assert page.examination.isChecked()
    assert "All 4 planes of the 2 scans" in page._contents.text()
    assert not page.planes.isEnabled(), "planes are chosen for one scan alone"
    page.parts["clips"].setChecked(False)
    QTest.keyClick(dialog, KEY.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    control = window.dialogs.exporting
    assert control is not None
    result = control.state.result
    assert result is not None
    assert result.planes == 4
    assert check_bundle(result.target).ok
    assert "Scan 2: No. 1" in (result.target / "report.html").read_text(encoding="utf-8")


def test_without_the_tick_it_is_one_scan_whose_planes_can_be_chosen(dialog: ExportDialog) -> None:
    page = dialog.page
    page.examination.setChecked(False)
    assert page.planes.isEnabled()
    page.planes.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert (page.options.examination, page.options.planes) == (False, (2,))
    page.examination.setChecked(True)
    assert (page.options.examination, page.options.planes) == (True, None)
    assert not page.problem
