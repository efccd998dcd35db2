"""The examination by hand in the window: keys as a user presses them, and what a session keeps of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.worklist.dialog import WorklistDialog
from app.worklist.form import ExaminationDialog
from semc_core.pacs.destinations import DestinationBook
from semc_core.session.examination import Examination
from semc_core.session.records import Proof
from semc_core.session.session import Session
from tests.app.worklist.test_dialog import WAIT_MS, answers, examinations, is_kept
from tests.pacs.worklists import answering
from tests.session.test_forget import files_with, named_session

TYPED = Examination("Zweistein^Alberta", "4711", "19780304", "F", indication="Bleeding")
NAMES = ("Zweistein", "4711", "Bleeding", "Meierhofer")


def opened(qtbot: QtBot, window: MainWindow) -> ExaminationDialog:
    """The form, by its key."""
    window.show()
    qtbot.waitUntil(window.actions_by_name["examination"].isEnabled, timeout=WAIT_MS)
    window.actions_by_name["examination"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, ExaminationDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, ExaminationDialog)
    return dialog


def is_open(window: MainWindow) -> bool:
    return window.dialogs.dialog is not None


def type_into(dialog: ExaminationDialog) -> None:
    for name, text in (
        ("patient_name", "Zweistein, Alberta"),
        ("patient_id", "4711"),
        ("birth_date", "1978-03-04"),
        ("indication", "Bleeding"),
    ):
        dialog.fields[name].clear()
        QTest.keyClicks(dialog.fields[name], text)
    dialog.sex.setCurrentIndex(dialog.sex.findData("F"))


def keep(dialog: ExaminationDialog) -> None:
    QTest.keyClick(dialog.fields["patient_id"], Qt.Key.Key_Return)


def test_it_is_filled_in_before_during_and_after_a_scan(
    qtbot: QtBot, window: MainWindow, long_loop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dialog = opened(qtbot, window)
    type_into(dialog)
    keep(dialog)
    assert not is_open(window)
    assert window.dialogs.worklist.next == TYPED
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: is_kept(window), timeout=WAIT_MS)
    dialog = opened(qtbot, window)
    dialog.fields["operator"].setText("Smith, Jo")
    keep(dialog)
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    operated = replace(TYPED, operator="Smith^Jo")
    assert examinations(window) == [operated]
    dialog = opened(qtbot, window)
    assert dialog.fields["operator"].text() == "Smith, Jo"
    dialog.fields["institution"].setText("St. Elsewhere")
    dialog.fields["site"].setText("Room 7")
    keep(dialog)
    whole = replace(operated, institution="St. Elsewhere", site="Room 7")
    qtbot.waitUntil(lambda: examinations(window) == [whole], timeout=WAIT_MS)
    assert not window.dialogs.worklist.next
    assert not any(name in caplog.text for name in NAMES)


def test_what_ended_while_it_was_filled_in_is_not_that_of_the_next_scan(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: is_kept(window), timeout=WAIT_MS)
    dialog = opened(qtbot, window)
    type_into(dialog)
    window.scan.stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    keep(dialog)
    qtbot.waitUntil(lambda: examinations(window) == [TYPED], timeout=WAIT_MS)
    assert not window.dialogs.worklist.next


def test_escape_asks_where_something_was_typed_and_bad_input_is_said_by_the_field(
    qtbot: QtBot, window: MainWindow
) -> None:
    dialog = opened(qtbot, window)
    QTest.keyClicks(dialog.fields["birth_date"], "1978-02-30")
    keep(dialog)
    assert is_open(window)
    assert "no day" in dialog.told["birth_date"].text()
    assert dialog.told["birth_date"].isVisible()
    assert dialog.told["patient_id"].isHidden()
    for _ in range(2):  # asks, and goes back
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert dialog.fields["birth_date"].text() == "1978-02-30"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.yes.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.isVisible(), "Enter is no answer"
    dialog.yes.click()
    assert not is_open(window)
    assert not window.dialogs.worklist.next
    dialog = opened(qtbot, window)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not is_open(window), "nothing was typed"


def test_it_is_filled_from_the_worklist(qtbot: QtBot, window: MainWindow) -> None:
    with answering(answers) as ris:
        DestinationBook(window.choices.data).put(ris)
        dialog = opened(qtbot, window)
        dialog.fields["indication"].setText("Bleeding")
        QTest.keyClick(dialog, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        listed = dialog.worklist
        assert isinstance(listed, WorklistDialog)
        qtbot.waitUntil(lambda: listed.table.rowCount() == 2, timeout=WAIT_MS)
        listed.table.selectRow(1)
        QTest.keyClick(listed.typed, Qt.Key.Key_Return)
    assert dialog.worklist is None
    assert not window.dialogs.worklist.next, "nothing is chosen until it is kept"
    assert dialog.fields["patient_name"].text() == "Zweistein, Alberta"
    keep(dialog)
    kept = window.dialogs.worklist.next
    assert kept is not None
    assert (kept.accession_number, kept.indication) == ("A1", "Bleeding")


def test_it_is_filled_in_in_review_and_erased_there_from_the_disk(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    folder = named_session(tmp_path)
    window.open_review(folder)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    before = window.review.open
    dialog = opened(qtbot, window)
    type_into(dialog)
    keep(dialog)
    window.tick()
    assert "this session: Zweistein, Alberta" in window.examination.text()
    # Typed once more, so that an earlier one lies in the file, too.
    dialog = opened(qtbot, window)
    dialog.fields["operator"].setText("Meierhofer, Anna")
    keep(dialog)
    qtbot.waitUntil(lambda: bool(list(files_with(folder, ("Meierhofer^Anna",)))), timeout=WAIT_MS)
    assert list(files_with(folder, ("Zweistein",)))
    dialog = opened(qtbot, window)
    dialog.erase.click()
    assert "Erase the patient's data" in dialog._message.text()
    dialog.no.click()
    assert list(files_with(folder, ("Zweistein",)))
    dialog.erase.click()
    dialog.yes.click()
    qtbot.waitUntil(lambda: window.review.open not in (None, before), timeout=WAIT_MS)
    now = window.review.open
    assert now is not None
    assert not folder.exists()
    assert list(files_with(tmp_path, NAMES)) == []
    assert window.review.request is not None
    assert window.review.request.path == now.session.folder
    window.tick()
    assert window.examination.isHidden()
    assert window.review.fault == ""
    with Session.open(now.session.folder, read_only=True) as session:
        assert session.examination is None
        assert session.verify().proof is Proof.PROVEN


def test_planes_get_another_patient_only_after_a_question(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    folder = named_session(tmp_path)
    with Session.open(folder) as session:
        session.set_examination(TYPED)
    window.open_review(folder)
    qtbot.waitUntil(lambda: bool(window.review.snapshot.planes), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.dialogs.reviewed.examination == TYPED, timeout=WAIT_MS)
    dialog = opened(qtbot, window)
    dialog.fields["patient_id"].setText("4712")
    for _ in range(2):
        keep(dialog)
    assert "The session in review is of Zweistein" in dialog._message.text()
    dialog.yes.click()
    qtbot.waitUntil(lambda: _kept(folder).patient_id == "4712", timeout=WAIT_MS)


def _kept(folder: Path) -> Examination:
    with Session.open(folder, read_only=True) as session:
        return session.examination or Examination()
