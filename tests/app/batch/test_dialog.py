"""Several loops in the window: dropped, chosen, worked through by keys, reviewed, asked about at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.batch.dialog import LoopsDialog
from app.batch.presenter import LoopsSnapshot, State
from app.commands import LIVE, REVIEW, START
from app.main_window import MainWindow
from app.sessions.dialog import SessionsDialog
from tests.app.batch.states import MANY, shown
from tests.app.conftest import WAIT_MS, speckle, write_video
from tests.app.test_closing import asked, closed_by_a_person

KEY = Qt.Key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two loops and a file that is none."""
    made = tmp_path / "loops"
    made.mkdir()
    for seed, name in enumerate(("a", "c")):
        write_video(made / f"{name}.mkv", speckle(30, seed))
    (made / "b.mkv").write_bytes(b"no video at all" * 99)
    return made


def drop(window: MainWindow | LoopsDialog, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(50, 50), copy, mime, left, none))


def opened(qtbot: QtBot, window: MainWindow) -> LoopsDialog:
    """The dialog, when it is shown."""
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, LoopsDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, LoopsDialog)
    return dialog


def all_done(qtbot: QtBot, window: MainWindow, count: int) -> None:
    """Waits until so many are listed and nothing goes on."""

    def over() -> bool:
        snapshot = window.dialogs.loops.snapshot
        return len(snapshot.rows) == count and not snapshot.going_on

    qtbot.waitUntil(over, timeout=WAIT_MS)


def press(dialog: LoopsDialog, key: Qt.Key) -> None:
    QTest.keyClick(dialog.table if dialog.table.isVisible() else dialog, key)


def dialog_of(window: MainWindow) -> object:
    """The dialog that is open, or None."""
    return window.dialogs.dialog


def page_of(window: MainWindow) -> str:
    return window.page_name


def states(window: MainWindow) -> list[State]:
    return [row.state for row in window.dialogs.loops.snapshot.rows]


def test_a_dropped_folder_of_loops_is_a_list_and_each_is_reviewed_without_being_analysed_again(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(window, folder)
    dialog = opened(qtbot, window)
    all_done(qtbot, window, 3)
    assert states(window) == [State.DONE, State.FAILED, State.DONE]
    assert page_of(window) == START, "no scan was begun"
    assert dialog.table.chosen == dialog.table.rows[0]
    press(dialog, KEY.Key_Down)
    assert dialog.table.rows[1].fault in dialog._message.text()
    assert dialog.go.text().startswith("Try again")
    press(dialog, KEY.Key_Down)
    row = dialog.table.chosen
    assert row is not None
    assert row.path.name == "c.mkv"
    assert row.summary is not None
    press(dialog, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    assert dialog_of(window) is None
    assert page_of(window) == REVIEW
    review = window.review.open
    assert review is not None
    assert review.session.folder == row.summary.session
    assert review.session.complete
    qtbot.waitUntil(lambda: bool(window.review.snapshot.planes), timeout=WAIT_MS)
    worker, waited = window.review.worker, list[float]()
    assert worker is not None
    monkeypatch.setattr(worker.reader, "wait_until_shown", waited.append)
    window.dialogs.loops.give_way(0.25)
    assert waited == [0.25], "what goes on behind waits for who looks"

    QTest.keyClick(window, KEY.Key_Escape)
    again = opened(qtbot, window)
    assert len(again.table.rows) == 3
    press(again, KEY.Key_Escape)
    qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
    assert page_of(window) == REVIEW

    window.dialogs.show_sessions()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SessionsDialog), timeout=WAIT_MS)
    sessions = window.dialogs.dialog
    assert isinstance(sessions, SessionsDialog)
    qtbot.waitUntil(lambda: not window.dialogs.sessions.snapshot.reading, timeout=WAIT_MS)
    assert {each.source for each in sessions.table.rows} == {"a.mkv", "c.mkv"}
    sessions.done(0)


def test_several_files_are_chosen_in_one_dialog(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    window.start_page.review_file_wanted.emit()
    asking = window.choose.paths.dialog
    assert asking is not None
    assert asking.fileMode() is asking.FileMode.ExistingFiles
    asking.filesSelected.emit([str(folder / "a.mkv"), str(folder / "c.mkv")])
    asking.reject()
    dialog = opened(qtbot, window)
    all_done(qtbot, window, 2)
    drop(dialog, folder)
    all_done(qtbot, window, 3)
    assert [row.path.name for row in dialog.table.rows] == ["a.mkv", "c.mkv", "b.mkv"]
    press(dialog, KEY.Key_O)
    assert dialog.choose.paths.dialog is not None
    dialog.choose.paths.dialog.reject()
    press(dialog, KEY.Key_End)
    press(dialog, KEY.Key_Delete)
    assert [row.path.name for row in dialog.table.rows] == ["a.mkv", "c.mkv"]
    dialog.done(0)


def test_one_file_is_reviewed_or_played_as_ever(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    drop(window, folder / "a.mkv")
    assert page_of(window) == LIVE
    window.start_page.review_file_wanted.emit()
    asking = window.choose.paths.dialog
    assert asking is not None
    asking.filesSelected.emit([str(folder / "c.mkv")])
    asking.reject()
    assert page_of(window) == REVIEW
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    assert window.dialogs.loops.snapshot == LoopsSnapshot()
    QTest.keyClick(window, KEY.Key_Escape)
    assert dialog_of(window) is None, "this loop is in no list"


def test_space_stops_and_goes_on_and_a_line_stays_chosen(window: MainWindow) -> None:
    dialog = shown(LoopsSnapshot(MANY, stopped=True), window)
    dialog.show()
    resets: list[int] = []
    dialog.table.model().modelReset.connect(lambda: resets.append(1))
    press(dialog, KEY.Key_PageDown)
    press(dialog, KEY.Key_Up)
    chosen = dialog.table.chosen
    assert chosen == MANY[9]
    control = window.dialogs.loops

    def stopped() -> bool:
        return control.snapshot.stopped

    control._show(LoopsSnapshot(MANY[:3] + MANY[4:], stopped=True))
    assert resets == [1]
    assert dialog.table.chosen == chosen
    assert dialog.halt.text().startswith("Go on")
    control._run = None
    control._closed = True  # nothing is there that could be analysed
    press(dialog, KEY.Key_Space)
    assert not stopped()
    assert dialog.halt.text().startswith("Stop")
    press(dialog, KEY.Key_Space)
    assert stopped()
    assert resets == [1], "lines that were shown are not made anew"
    dialog.done(0)


def test_a_scan_is_waited_for(qtbot: QtBot, window: MainWindow, folder: Path, long_loop: Path) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)
    drop(window, folder / "a.mkv", folder / "c.mkv")
    dialog = opened(qtbot, window)
    qtbot.waitUntil(lambda: "end of the scan" in dialog._message.text(), timeout=WAIT_MS)
    assert window.scan.running
    assert [row.summary for row in dialog.table.rows] == [None, None]
    window.scan.stop()
    all_done(qtbot, window, 2)
    assert states(window) == [State.DONE] * 2
    dialog.done(0)


def test_the_window_asks_before_it_closes_and_stops_them(
    qtbot: QtBot, window: MainWindow, folder: Path, long_loop: Path
) -> None:
    drop(window, long_loop, folder / "a.mkv")
    opened(qtbot, window).done(0)
    qtbot.waitUntil(lambda: window.dialogs.loops.snapshot.rows[0].done > 0, timeout=WAIT_MS)
    closed_by_a_person(window)
    assert "0 of 2 loops are analysed." in asked(window).words.text()
    asked(window).keep.click()
    assert window.isVisible()
    closed_by_a_person(window)
    asked(window).stop.click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)


def test_the_window_waits_for_them_where_that_is_wanted(
    qtbot: QtBot, new_window: Callable[[], MainWindow], folder: Path
) -> None:
    window = new_window()
    drop(window, folder / "a.mkv", folder / "c.mkv")
    qtbot.waitUntil(lambda: bool(window.dialogs.loops.snapshot.rows), timeout=WAIT_MS)
    window.dialogs.loops.stop()
    opened(qtbot, window).done(0)
    window.dialogs.loops.toggle()
    closed_by_a_person(window)
    asked(window).go_on.click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)
    assert states(window) == [State.DONE] * 2
