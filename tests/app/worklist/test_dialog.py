"""The worklist in the window: a real server, keys as a user presses them, and what a session keeps of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import Mock

import pydicom
import pytest
from pydicom.dataset import Dataset
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.send.dialog import SendDialog
from app.worklist.controller import YESTERDAY
from app.worklist.dialog import WorklistDialog
from app.worklist.presenter import (
    MOST_SHOWN,
    NOTHING_CHOSEN,
    WorklistSnapshot,
    cells,
    examination_line,
    matching,
    preselected,
    reassigning,
    sentence,
)
from semc_core.pacs.destinations import DestinationBook
from semc_core.pipeline.state import Phase
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from semc_core.session.whose import OTHER_PATIENT
from tests.export.dicom.examples import sample
from tests.pacs.servers import destination, free_port
from tests.pacs.worklists import answer_of, answering

WAIT_MS = 60_000
FIRST = Examination("Zweistein^Alberta", "4711", accession_number="A1", procedure="Anatomy", step_id="S1")
SECOND = Examination("Meierhofer^Anna", "4712", accession_number="A2", step="Growth")


def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
    """Two examinations, of whatever day."""
    day = asked.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate or "20260101"
    yield 0xFF00, answer_of("Zweistein^Alberta", day, AccessionNumber="A1")
    yield 0xFF00, answer_of("Meierhofer^Anna", day, AccessionNumber="A2")
    yield 0x0000, None


def opened(qtbot: QtBot, window: MainWindow) -> WorklistDialog:
    """The dialog, by its key."""
    window.show()
    window.actions_by_name["worklist"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, WorklistDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, WorklistDialog)
    return dialog


def reaches(qtbot: QtBot, window: MainWindow, phase: str) -> WorklistSnapshot:
    qtbot.waitUntil(lambda: window.dialogs.worklist.snapshot.phase == phase, timeout=WAIT_MS)
    return window.dialogs.worklist.snapshot


def examinations(window: MainWindow) -> list[Examination | None]:
    """Of all sessions."""
    found = []
    for path in sorted(window.choices.output.glob("*/session.sqlite")):
        with Session.open(path.parent, read_only=True) as session:
            found.append(session.examination)
    return found


def is_kept(window: MainWindow) -> bool:
    """Whether the scan that runs has a session."""
    pipeline = window.scan.pipeline
    return pipeline is not None and window.scan.running and pipeline.session is not None


def test_an_examination_is_chosen_by_typing_and_belongs_to_one_scan(
    qtbot: QtBot, window: MainWindow, long_loop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    control = window.dialogs.worklist
    with answering(answers) as ris:
        DestinationBook(window.choices.data).put(ris)
        dialog = opened(qtbot, window)
        reaches(qtbot, window, "shown")
        assert dialog.table.rowCount() == 2
        QTest.keyClicks(dialog.typed, "anna 4711")
        assert dialog.table.rowCount() == 1
        dialog.typed.clear()
        QTest.keyClick(dialog.typed, Qt.Key.Key_Return)
        assert dialog.isVisible(), "the first line is but a guess"
        assert dialog._message.text() == NOTHING_CHOSEN
        QTest.keyClick(dialog.typed, Qt.Key.Key_Down)
        QTest.keyClick(dialog.typed, Qt.Key.Key_Down)
        assert dialog._message.text() == "2 examinations."
        assert dialog.chosen is not None
        assert dialog.chosen.patient_name == "Zweistein^Alberta"
        QTest.keyClick(dialog.typed, Qt.Key.Key_Return)
    assert window.dialogs.dialog is None
    asked = control.next
    assert asked is not None
    window.tick()
    assert "next scan: Zweistein, Alberta · 4711" in window.examination.text()
    assert window.examination.isVisible()
    window.open_source(str(long_loop))
    assert not window.dialogs.worklist.next
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)
    window.tick()
    assert window.examination.text().startswith("Examination of this scan: Zweistein")
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert examinations(window) == [asked]
    # The next scan is not of the same patient, unless somebody says so.
    window.start_stop()
    qtbot.waitUntil(lambda: is_kept(window), timeout=WAIT_MS)
    window.tick()
    assert window.examination.text() == "No examination is chosen for this scan (Ctrl+L; by hand Ctrl+I)."
    control.choose(SECOND)
    window.tick()
    assert "Meierhofer, Anna" in window.examination.text()
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert examinations(window) == [asked, SECOND]
    assert "Zweistein" not in caplog.text
    assert "Meierhofer" not in caplog.text


def test_a_scan_that_never_began_leaves_its_examination_to_the_next(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    control = window.dialogs.worklist
    control.choose(FIRST)
    window.open_source(str(tmp_path / "not there.mp4"))
    assert not window.dialogs.worklist.next
    qtbot.waitUntil(lambda: control.next == FIRST, timeout=WAIT_MS)
    pipeline = window.scan.pipeline
    assert pipeline is not None
    assert pipeline.state.phase is Phase.FAULT


def test_without_a_server_one_can_be_added(qtbot: QtBot, window: MainWindow) -> None:
    dialog = opened(qtbot, window)
    reaches(qtbot, window, "no server")
    (add,) = (each for each in dialog.findChildren(QPushButton) if each.text().startswith("Add a server"))
    assert add.isVisible()
    assert "host, port and AE title" in dialog._message.text()
    for useless in (dialog.servers, dialog.days, dialog.again, dialog.typed, dialog.go):
        assert useless.isHidden()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SendDialog), timeout=WAIT_MS)


def test_a_server_that_is_away_is_said_and_asked_again(qtbot: QtBot, window: MainWindow) -> None:
    DestinationBook(window.choices.data).put(destination(free_port()))
    dialog = opened(qtbot, window)
    snapshot = reaches(qtbot, window, "failed")
    assert "cannot be reached" in snapshot.message
    assert dialog.table.isHidden()
    assert dialog.servers.height() == dialog.again.height()
    assert not dialog.go.isEnabled()
    QTest.keyClick(dialog.typed, Qt.Key.Key_F5)
    assert window.dialogs.worklist.snapshot.phase == "looking"
    reaches(qtbot, window, "failed")
    QTest.keyClick(dialog.typed, Qt.Key.Key_Escape)
    assert window.dialogs.dialog is None


def test_leaving_the_dialog_cuts_the_wait_for_a_silent_server(qtbot: QtBot, window: MainWindow) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def silent(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        asked.set()
        go_on.wait(60)
        yield 0x0000, None

    with answering(silent, answer_s=600) as ris:
        DestinationBook(window.choices.data).put(ris)
        try:
            dialog = opened(qtbot, window)
            reaches(qtbot, window, "asking")
            assert "Asking ris" in dialog._message.text()
            assert asked.wait(60)
            dialog.reject()
            # Ends only because the connection was cut.
            window.dialogs.worklist._asks.close()
        finally:
            go_on.set()


def test_the_planes_of_one_patient_become_not_those_of_the_next(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    control = window.dialogs.worklist
    with answering(answers) as ris:
        DestinationBook(window.choices.data).put(ris)
        control.choose(earlier := replace(FIRST, patient_id="99"))
        window.open_source(str(long_loop))
        qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
        dialog = opened(qtbot, window)
        reaches(qtbot, window, "shown")
        assert "for this scan" in dialog.go.text()
        assert dialog.change.isHidden()
        dialog.table.selectRow(0)
        # A reader of bar codes may send Enter twice.
        for _ in range(2):
            QTest.keyClick(dialog.typed, Qt.Key.Key_Return)
        assert control.current == earlier
        assert "would become that of Meierhofer, Anna" in dialog._message.text()
        assert dialog.change.isVisible()
        dialog.change.click()
        assert control.current is not None
        assert control.current.patient_name == "Meierhofer^Anna"
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)


def test_an_examination_of_the_day_before_is_not_that_of_the_next_scan(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, told = window.dialogs.worklist, list[str]()
    control.on_message = told.append
    control.choose(FIRST)
    control.tick()
    assert control.next == FIRST
    tomorrow = Mock(wraps=date)
    tomorrow.today.return_value = date.today() + timedelta(1)
    monkeypatch.setattr("app.worklist.controller.date", tomorrow)
    control.tick()
    assert not window.dialogs.worklist.next
    assert told == [YESTERDAY]
    assert "Zweistein" not in told[0]


def test_which_line_enter_takes_before_an_arrow_key() -> None:
    longer = replace(SECOND, patient_id="114712", accession_number="A22")
    twice = replace(SECOND, accession_number="A3")
    rows = [FIRST, longer, SECOND]
    assert preselected(rows, "", None) is None
    assert preselected(rows, "", SECOND) == 2
    assert preselected([FIRST], "", None) is None
    assert preselected([FIRST], "zwei", None) == 0
    assert preselected(rows, "a", SECOND) is None
    # As a bar code says it: the number of one is part of another's.
    assert preselected([longer, SECOND], "4712", None) == 1
    assert preselected([longer, SECOND], "a2", None) == 1
    assert preselected([SECOND, twice], "4712", None) is None


def test_it_is_asked_before_planes_get_another_patient() -> None:
    assert "Zweistein, Alberta and holds 2 planes" in reassigning(FIRST, SECOND, 2)
    assert not reassigning(FIRST, SECOND, 0)
    assert not reassigning(None, SECOND, 2)
    assert not reassigning(FIRST, replace(FIRST, accession_number="A9"), 2)


def test_a_dicom_file_of_another_patient_is_not_scanned_under_the_examination(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    control, path = window.dialogs.worklist, tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID = "Somebody^Else", "99"
    header.save_as(path)
    control.choose(FIRST)
    window.open_source(str(path))
    qtbot.waitUntil(lambda: window.scan.pipeline is not None and window.scan.over, timeout=WAIT_MS)
    pipeline = window.scan.pipeline
    assert pipeline is not None
    assert pipeline.state.phase is Phase.FAULT
    assert pipeline.state.message == OTHER_PATIENT
    assert not examinations(window)
    qtbot.waitUntil(lambda: control.next == FIRST, timeout=WAIT_MS)
    # Without an examination, or with his own, it is; another is not taken meanwhile.
    control.choose(None)
    window.open_source(str(path))
    qtbot.waitUntil(lambda: is_kept(window), timeout=WAIT_MS)
    told: list[str] = []
    control.on_message = told.append
    control.choose(FIRST)
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert OTHER_PATIENT in told[0]
    assert control.current is None
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert examinations(window) == [None]


def test_rows_are_found_by_all_words_and_said_in_words() -> None:
    assert matching((FIRST, SECOND), "") == [FIRST, SECOND]
    assert matching((FIRST, SECOND), "alberta zwei") == [FIRST]
    assert matching((FIRST, SECOND), "a2") == [SECOND]
    assert matching((FIRST, SECOND), "anna zwei") == []
    assert cells(FIRST) == ("", "Zweistein, Alberta", "4711", "", "A1", "Anatomy")
    assert cells(SECOND)[-1] == "Growth"
    many = WorklistSnapshot("shown", rows=(FIRST,) * 501, message="More.")
    assert sentence(many, 501) == f"The first {MOST_SHOWN} of 501 are shown; type to find others. More."
    assert sentence(many, 0) == "Nothing of the worklist holds what was typed."
    assert sentence(WorklistSnapshot("shown", message="None today."), 0) == "None today."
    line = examination_line(FIRST, "this scan", used=True)
    assert line == "Examination of this scan: Zweistein, Alberta · 4711 · Anatomy · accession A1"
    assert examination_line(None, "this scan", used=False) == ""
