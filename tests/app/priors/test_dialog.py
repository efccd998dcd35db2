"""Earlier studies in the window: a real server, keys as a user presses them, and what is opened."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from app.commands import REVIEW
from app.main_window import MainWindow
from app.priors.controller import FOLDER_NAME
from app.priors.dialog import PriorsDialog
from app.priors.presenter import PriorsSnapshot, Wanted, picture_cells, sentence, study_cells
from app.send.dialog import SendDialog
from app.widgets.tables import fill_rows
from semc_core.pacs.destinations import DestinationBook
from semc_core.pacs.priors.find import Study
from semc_core.pacs.priors.pictures import StudyPicture, pictures_of
from tests.pacs.archives import STUDY, Answers, encoded, giving, handing_out, held, study_row

WAIT_MS = 60_000


def answers(question: Dataset) -> Answers:
    """Two studies of one patient, or none."""
    if question.PatientID == "4711":
        yield 0xFF00, study_row(StudyDate="20260101", StudyInstanceUID=f"{STUDY}.1")
        yield 0xFF00, study_row()
    yield 0, None


def opened(qtbot: QtBot, window: MainWindow) -> PriorsDialog:
    """The dialog, by its key."""
    window.show()
    window.actions_by_name["priors"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, PriorsDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, PriorsDialog)
    return dialog


def reaches(qtbot: QtBot, window: MainWindow, phase: str) -> PriorsSnapshot:
    qtbot.waitUntil(lambda: window.dialogs.priors.snapshot.phase == phase, timeout=WAIT_MS)
    return window.dialogs.priors.snapshot


def press(dialog: PriorsDialog, key: Qt.Key = Qt.Key.Key_Return) -> None:
    QTest.keyClick(dialog.number, key)


def found(qtbot: QtBot, window: MainWindow) -> PriorsDialog:
    """The dialog, in which the studies of a patient were looked for and found."""
    dialog = opened(qtbot, window)
    reaches(qtbot, window, "ready")
    QTest.keyClicks(dialog.number, "4711")
    press(dialog)
    reaches(qtbot, window, "found")
    return dialog


def shown_rows(dialog: PriorsDialog) -> list[str]:
    """The first column of the table."""
    items = [dialog.table.item(at, 0) for at in range(dialog.table.rowCount())]
    return [item.text() for item in items if item is not None]


def test_a_study_is_found_got_and_a_loop_of_it_reviewed_by_enter_alone(
    qtbot: QtBot, window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    contents = held(1, clips=1)
    with handing_out(answers, giving(contents)) as archive:
        DestinationBook(window.choices.data).put(archive)
        dialog = opened(qtbot, window)
        reaches(qtbot, window, "ready")
        assert not dialog.seek.isEnabled(), "nothing is typed"
        assert dialog.number.hasFocus()
        QTest.keyClicks(dialog.number, "4711")
        press(dialog)
        reaches(qtbot, window, "found")
        assert shown_rows(dialog) == ["2026-11-30 08:56", "2026-01-01 08:56"], "the newest first"
        press(dialog, Qt.Key.Key_Down)
        press(dialog, Qt.Key.Key_Up)
        press(dialog)
        snapshot = reaches(qtbot, window, "got")
        assert sentence(snapshot) == "2 pictures: choose which to review."
        assert len(shown_rows(dialog)) == 2
        loop = next(each for each in snapshot.pictures if each.frames > 1)
        dialog.table.selectRow(snapshot.pictures.index(loop))
        press(dialog)
    assert loop.path.parent == window.choices.output / FOLDER_NAME / STUDY
    qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.page_name == REVIEW, timeout=WAIT_MS)
    assert window.settings.priors_server == "archive"
    assert "Zweistein" not in caplog.text
    assert "4711" not in caplog.text


def test_another_search_asks_again_and_nothing_found_is_said(qtbot: QtBot, window: MainWindow) -> None:
    with handing_out(answers, giving([])) as archive:
        DestinationBook(window.choices.data).put(archive)
        dialog = found(qtbot, window)
        assert dialog.take.isEnabled()
        QTest.keyClicks(dialog.number, "2")
        assert not dialog.take.isEnabled(), "these are not the studies of what is typed now"
        press(dialog)
        qtbot.waitUntil(
            lambda: window.dialogs.priors.snapshot.message == "archive has no such study.", timeout=WAIT_MS
        )
        assert not dialog.table.isVisible()
        dialog.reject()


def test_escape_cuts_a_study_that_is_being_got_and_nothing_is_left(qtbot: QtBot, window: MainWindow) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def get(event: evt.Event) -> Iterator[Any]:
        yield 2
        begun.set()
        go_on.wait(60)

    with handing_out(answers, get) as archive:
        DestinationBook(window.choices.data).put(archive)
        dialog = found(qtbot, window)
        press(dialog)
        reaches(qtbot, window, "getting")
        qtbot.waitUntil(begun.is_set, timeout=WAIT_MS)
        press(dialog, Qt.Key.Key_Escape)
        assert window.dialogs.priors.snapshot.phase == "found"
        assert dialog.isVisible()
        assert dialog.number.hasFocus()
        place = window.choices.output / FOLDER_NAME
        qtbot.waitUntil(lambda: not list(place.iterdir()), timeout=WAIT_MS)
        go_on.set()
        press(dialog, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)


def test_the_windows_own_button_leaves_at_once_and_nothing_is_left(qtbot: QtBot, window: MainWindow) -> None:
    go_on = threading.Event()

    def get(event: evt.Event) -> Iterator[Any]:
        yield 2
        yield 0xFF00, held(1)[0]
        go_on.wait(60)
        yield 0xFF00, held(2)[1]

    with handing_out(answers, get) as archive:
        DestinationBook(window.choices.data).put(archive)
        dialog = found(qtbot, window)
        press(dialog)
        reaches(qtbot, window, "getting")
        dialog.close()
        qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
        place = window.choices.output / FOLDER_NAME
        go_on.set()
        qtbot.waitUntil(lambda: not place.exists() or not list(place.iterdir()), timeout=WAIT_MS)


def test_pictures_of_another_patient_than_the_list_says_are_told(qtbot: QtBot, window: MainWindow) -> None:
    contents = held(2, elements={"PatientID": "4712"})
    del contents[0].PatientID
    with handing_out(answers, giving(contents)) as archive:
        DestinationBook(window.choices.data).put(archive)
        dialog = found(qtbot, window)
        press(dialog)
        message = reaches(qtbot, window, "got").message
    assert message == "Look whose they are: the pictures say patient ID 4712, the list 4711."


def test_a_value_of_several_lines_is_one_line(window: MainWindow) -> None:
    table = QTableWidget(0, 1, window)
    fill_rows(table, [("4711\n5",)])
    item = table.item(0, 0)
    assert item is not None
    assert item.text() == "4711\\n5"


def test_a_fault_is_said_and_without_a_server_one_is_added(qtbot: QtBot, window: MainWindow) -> None:
    dialog = opened(qtbot, window)
    reaches(qtbot, window, "no server")
    (add,) = (part for part in dialog.findChildren(QPushButton) if part.text() == "Add a server")
    assert add.isVisible()
    add.click()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SendDialog), timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PriorsSnapshot("found", studies=(Study("1.2"),)), "1 study."),
        (lambda: PriorsSnapshot("getting", server="a", done=3, left=9), "Getting it from a: 3 of 12 …"),
        (lambda: PriorsSnapshot("getting", server="a", done=3), "Getting it from a: 3 …"),
        (lambda: PriorsSnapshot("failed", message="No."), "No."),
    ],
)
def test_what_is_said(make: Callable[[], PriorsSnapshot], said: str) -> None:
    assert sentence(make()) == said


def test_cells_say_what_there_is() -> None:
    study = Study("1.2", "Last^First", "4711", "19780304", "F", "20261130", "0856", "Scan", "A1", "US", 3)
    assert study_cells(study) == (
        "2026-11-30 08:56", "Last, First", "4711", "1978-03-04", "A1", "Scan · US", "3",
    )  # fmt: skip
    assert picture_cells(StudyPicture(Path("x"), 9, 3, 4, 1, 2, "0856", "Axial")) == (
        "Loop 2", "08:56", "9", "4 × 3", "Axial",
    )  # fmt: skip
    assert not Wanted().says_something


def test_pictures_are_in_their_order_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    still, loop = held(1, clips=1)
    still.InstanceNumber, loop.InstanceNumber = 2, 1
    still.SeriesNumber = loop.SeriesNumber = 1
    (tmp_path / "a.dcm").write_bytes(encoded(still))
    (tmp_path / "b.dcm").write_bytes(encoded(loop))
    (tmp_path / "c.dcm").write_bytes(b"nothing")
    found = pictures_of(tmp_path)
    assert [(each.path.name, each.frames) for each in found] == [("b.dcm", 3), ("a.dcm", 1)]
    assert (found[1].rows, found[1].columns) == (21, 33)
