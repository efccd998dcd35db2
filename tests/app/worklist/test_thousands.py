"""10,000 examinations in the window: the first are shown, and each is found by typing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.worklist.presenter import MOST_SHOWN, WorklistSnapshot, matching, preselected
from semc_core.pacs.worklist import MOST_ROWS
from semc_core.session.examination import Examination
from tests.app.worklist.states import shown

ROWS = tuple(
    Examination(f"Patient^No {number}", f"{number}", accession_number=f"A{number:06d}", procedure="Anatomy")
    for number in reversed(range(MOST_ROWS))
)


def test_each_of_ten_thousand_is_found_by_its_number(qtbot: QtBot, window: MainWindow) -> None:
    dialog = shown(WorklistSnapshot("shown", rows=ROWS), window)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.table.rowCount() == MOST_SHOWN
    assert dialog._message.text() == f"The first {MOST_SHOWN} of {MOST_ROWS} are shown; type to find others."
    looks: list[int] = []
    dialog.table.model().dataChanged.connect(lambda *_: looks.append(1))
    QTest.keyClicks(dialog.typed, "a0")
    assert len(looks) == 2, "the table measures its columns once a key, and not once a cell"
    QTest.keyClicks(dialog.typed, "04711")
    assert dialog.table.rowCount() == 1
    assert dialog.chosen == ROWS[-1 - 4711]
    # As from a bar code; thousands hold these figures, and those that are shown do not say which is meant.
    dialog.typed.setText("7")
    assert dialog.table.rowCount() == MOST_SHOWN
    assert dialog.chosen == ROWS[-1 - 7]
    QTest.keyClick(dialog.typed, Qt.Key.Key_Return)
    assert window.dialogs.worklist.next == ROWS[-1 - 7]


def test_the_number_that_was_typed_comes_first_and_the_others_keep_their_order() -> None:
    found = matching(ROWS, " 12 ")
    assert found[0].patient_id == "12"
    rest = [int(row.patient_id) for row in found[1:]]
    assert rest == sorted(rest, reverse=True)
    assert preselected(found[:MOST_SHOWN], " 12 ", None) == 0
    assert matching(ROWS, "") == list(ROWS)
    assert matching(ROWS, "nobody") == []
