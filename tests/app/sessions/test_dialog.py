"""All sessions in the window: real ones, keys as a user presses them, and what is deleted."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.commands import REVIEW
from app.main_window import MainWindow
from app.sessions import controller
from app.sessions.dialog import DeleteQuestion, SessionsDialog
from app.sessions.presenter import OPEN, SessionRow, SessionsSnapshot, state
from semc_core.errors import SaveError, SessionError
from semc_core.io.lock import SHOWN_NAME, is_held
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, DicomObject, QueueStore
from semc_core.session.erasing import retention
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from tests.app.conftest import WAIT_MS
from tests.app.sessions.states import MANY, shown
from tests.export import scans
from tests.session.sessions import new_session

KEY = Qt.Key


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where deletions are logged."""
    monkeypatch.setattr(controller, "log_folder", lambda: tmp_path / "log")
    return tmp_path / "log"


def opened(qtbot: QtBot, window: MainWindow) -> SessionsDialog:
    """The dialog, by its key, when all is read."""
    window.actions_by_name["sessions"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SessionsDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, SessionsDialog)
    qtbot.waitUntil(lambda: not window.dialogs.sessions.snapshot.reading, timeout=WAIT_MS)
    return dialog


def made(window: MainWindow, name: str = "one", patient: str = "") -> Path:
    """A session with two planes of a video, closed."""
    folder = window.choices.output / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with scans.video_session(folder, name=f"{name}.mkv", count=20) as session:
        if patient:
            session.set_examination(Examination(patient_name=patient, patient_id="4711"))
    return folder


def press(dialog: SessionsDialog, key: Qt.Key) -> None:
    QTest.keyClick(dialog.typed, key)


def message(dialog: SessionsDialog) -> str:
    return dialog._message.text()


def states(dialog: SessionsDialog) -> list[str]:
    """How the lines say that their sessions stand."""
    return [state(row) for row in dialog.table.rows]


def asked(dialog: SessionsDialog) -> DeleteQuestion | None:
    """What is asked now."""
    return dialog.asks


def deleted_by_keys(qtbot: QtBot, window: MainWindow, dialog: SessionsDialog) -> None:
    """Del, then what is asked is answered with a click; waits until that is done."""
    press(dialog, KEY.Key_Delete)
    assert dialog.asks is not None
    dialog.asks.delete.click()
    qtbot.waitUntil(lambda: window.dialogs.sessions.snapshot.deleting is None, timeout=WAIT_MS)


def test_a_session_is_found_by_words_and_reviewed_by_enter(
    qtbot: QtBot, window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = made(window, "first", patient="Zweistein^Anna")
    made(window, "second")
    (window.choices.output / "damaged").mkdir()
    (window.choices.output / "damaged" / "session.sqlite").write_bytes(b"?")
    dialog = opened(qtbot, window)
    assert dialog.typed.hasFocus()
    assert len(dialog.table.rows) == 3
    broken = next(row for row in dialog.table.rows if row.fault)
    assert broken.folder.name == "damaged"
    assert broken.planes == 0
    QTest.keyClicks(dialog.typed, "damaged")
    assert broken.fault in message(dialog)
    press(dialog, KEY.Key_Return)
    assert dialog.isVisible(), "what cannot be read is not opened"
    dialog.typed.clear()
    QTest.keyClicks(dialog.typed, "zweiSTEIN 4711 mkv")
    assert [row.folder for row in dialog.table.rows] == [wanted]
    row = dialog.table.rows[0]
    assert (row.planes, row.source, row.patient) == (2, "first.mkv", "Zweistein, Anna · 4711")
    assert row.length_s == pytest.approx(19 / scans.RATE)
    assert row.size > 1000
    assert not row.open
    assert row.closed
    qtbot.waitUntil(lambda: not dialog.picture.image.isNull(), timeout=WAIT_MS)
    QTest.keyClicks(dialog.typed, f" {row.when:%Y-%m} nobody")
    assert dialog.table.rows == []
    assert message(dialog) == ("None of 3 sessions holds what was typed: delete it to see all (Backspace).")
    dialog.typed.setText(f"{row.when:%Y-%m} first")
    press(dialog, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.page_name == REVIEW and window.review.open is not None, timeout=WAIT_MS)
    assert window.review.open is not None
    assert window.review.open.session.folder == wanted
    assert "weistein" not in caplog.text


def test_del_asks_once_says_what_goes_and_the_row_is_gone(
    qtbot: QtBot, window: MainWindow, log: Path
) -> None:
    folder, kept = made(window, "one"), made(window, "kept")
    dialog = opened(qtbot, window)
    QTest.keyClicks(dialog.typed, "one")
    press(dialog, KEY.Key_Delete)
    assert dialog.asks is not None
    question, row = dialog.asks.question.text(), dialog.table.rows[0]
    for words in (f"{row.when:%Y-%m-%d %H:%M}", "2 planes", f"{row.size / 1e6:.1f} MB", "never exported"):
        assert words in question
    QTest.keyClick(dialog.asks.keep, KEY.Key_Return)
    assert asked(dialog) is None
    assert folder.is_dir(), "Enter keeps it"
    deleted_by_keys(qtbot, window, dialog)
    assert not folder.exists()
    assert kept.is_dir()
    assert (log / retention.LOG_NAME).read_text(encoding="utf-8").count("a person chose it") == 1
    assert dialog.table.rows == []
    assert message(dialog).startswith("The session is deleted")
    dialog.typed.clear()
    assert [row.folder for row in dialog.table.rows] == [kept]
    press(dialog, KEY.Key_Escape)
    qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)


def test_del_takes_letters_away_where_there_are_some(qtbot: QtBot, window: MainWindow) -> None:
    made(window)
    dialog = opened(qtbot, window)
    QTest.keyClicks(dialog.typed, "xone")
    press(dialog, KEY.Key_Home)
    press(dialog, KEY.Key_Delete)
    assert dialog.typed.text() == "one"
    assert asked(dialog) is None


def test_what_is_open_when_it_is_listed_or_later_stays(qtbot: QtBot, window: MainWindow) -> None:
    folder = made(window)
    with Session.open(folder):
        dialog = opened(qtbot, window)
        assert states(dialog) == [OPEN]
        press(dialog, KEY.Key_Delete)
        assert asked(dialog) is None
        assert "it is open" in message(dialog)
    press(dialog, KEY.Key_F5)
    qtbot.waitUntil(lambda: not window.dialogs.sessions.snapshot.reading, timeout=WAIT_MS)
    assert states(dialog) == ["not exported"]
    press(dialog, KEY.Key_Delete)
    assert dialog.asks is not None
    with Session.open(folder):
        dialog.asks.delete.click()
        qtbot.waitUntil(lambda: window.dialogs.sessions.snapshot.deleting is None, timeout=WAIT_MS)
    assert "stays" in message(dialog)
    assert [row.folder for row in dialog.table.rows] == [folder]
    assert (folder / "session.sqlite").is_file()


def test_one_that_is_only_looked_at_in_review_stays(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(window)
    dialog = opened(qtbot, window)
    with Session.open(folder, read_only=True) as session:
        press(dialog, KEY.Key_Delete)
        assert dialog.asks is not None
        monkeypatch.setattr(window.dialogs.sessions, "_reviewed", lambda: session)
        dialog.asks.delete.click()
        qtbot.waitUntil(lambda: window.dialogs.sessions.snapshot.deleting is None, timeout=WAIT_MS)
        assert "open in review" in message(dialog)
        window.dialogs.sessions.say("")
        press(dialog, KEY.Key_Delete)
        assert asked(dialog) is None, "it is known before it is asked"
    assert "open in review" in message(dialog)
    assert folder.is_dir()


def test_the_session_of_the_scan_on_the_live_page_stays_while_it_runs_and_after_its_end(
    qtbot: QtBot, window: MainWindow, long_loop: Path, log: Path
) -> None:
    def refused() -> str:
        window.show_sources()
        dialog = opened(qtbot, window)
        press(dialog, KEY.Key_Delete)
        assert asked(dialog) is None
        said = message(dialog)
        dialog.done(0)
        qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
        return said

    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: window.live_page.session_folder is not None, timeout=WAIT_MS)
    folder = window.live_page.session_folder
    assert folder is not None
    why = "its scan is still shown in this window. Begin another scan first."
    assert why in refused(), "it runs"
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert why in refused(), "it is over"
    control, row = window.dialogs.sessions, SessionRow(folder, None, "loop")
    control.delete(row)
    qtbot.waitUntil(lambda: control.snapshot.deleting is None, timeout=WAIT_MS)
    assert why in control.snapshot.message, "however it was asked"
    # Another program is told by a lock.
    qtbot.waitUntil(lambda: is_held(folder, SHOWN_NAME), timeout=WAIT_MS)
    with pytest.raises(SessionError, match="another window still shows its scan"):
        retention.delete_one(folder, log)
    with Session.open(folder, read_only=True) as session:
        assert session.verify().ok, "the lock's file is known"
    assert folder.is_dir()
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: not is_held(folder, SHOWN_NAME), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.live_page.session_folder not in (None, folder), timeout=WAIT_MS)
    control.delete(row)
    qtbot.waitUntil(lambda: control.snapshot.deleting is None, timeout=WAIT_MS)
    assert not folder.exists()


def test_one_that_waits_to_be_sent_stays(qtbot: QtBot, window: MainWindow) -> None:
    folder = made(window)
    store = QueueStore(window.choices.data / FOLDER_NAME)
    one = DicomObject("1.2", "1.2.3", "1", "2", "1.2.840.10008.1.2.1", "ab" * 32, 3)
    SendQueue(store).add("archive", [one], lambda _: b"abc", manifest="cd" * 32, session=folder)
    store.close()
    dialog = opened(qtbot, window)
    deleted_by_keys(qtbot, window, dialog)
    assert "waits to be sent" in message(dialog)
    assert (folder / "session.sqlite").is_file()
    assert [row.folder for row in dialog.table.rows] == [folder]


def test_one_that_was_never_closed_stays(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.choices.output.mkdir(parents=True, exist_ok=True)
    with new_session(tmp_path / "elsewhere") as session:
        shutil.copytree(session.folder, window.choices.output / "killed")
    dialog = opened(qtbot, window)
    press(dialog, KEY.Key_Delete)
    assert asked(dialog) is None
    assert "never closed" in message(dialog)


def test_a_failure_is_a_sentence_and_the_row_stays(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(window)
    dialog = opened(qtbot, window)

    def refuse(folder: Path) -> None:
        raise SaveError("The disk is full; free some of it.")

    monkeypatch.setattr(retention, "_delete", refuse)
    deleted_by_keys(qtbot, window, dialog)
    assert message(dialog).startswith("The disk is full")
    assert [row.folder for row in dialog.table.rows] == [folder]


def test_300_rows_come_in_pieces_and_the_chosen_one_stays_chosen(window: MainWindow) -> None:
    dialog = shown(SessionsSnapshot(MANY[:20], 300), window)
    control, resets = window.dialogs.sessions, []
    dialog.table.model().modelReset.connect(lambda: resets.append(1))
    press(dialog, KEY.Key_PageDown)
    press(dialog, KEY.Key_Down)
    chosen = dialog.table.chosen
    assert chosen == MANY[11]
    for start in range(20, 300, controller.PIECE):
        control._came(control._number, MANY[start : start + controller.PIECE], 300)
    assert dialog.table.rows == list(MANY)
    assert dialog.table.chosen is chosen
    assert resets == [], "lines that were shown are not made anew"
    assert message(dialog) == "Reading the sessions: 300 of 300 …"
    control._came(control._number - 1, MANY[:1], 300)
    assert len(dialog.table.rows) == 300, "what an earlier look still brings is left out"
    press(dialog, KEY.Key_Up)
    assert dialog.table.chosen == MANY[10]
    dialog.typed.setText(f"{MANY[299].when:%Y-%m-%d %H:%M}")
    assert dialog.table.chosen == MANY[299]
    dialog.done(0)


def test_reading_ends_when_the_dialog_is_left(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    control = window.dialogs.sessions

    def slowly(_: object, folder: Path) -> SessionRow | None:
        read.append(folder)
        control.cancel()
        return None

    monkeypatch.setattr("app.sessions.reading.RowReader.read", slowly)
    monkeypatch.setattr("semc_core.session.listing.folders_by_change", lambda root: [root / "a"] * 2000)
    control.look()
    qtbot.waitUntil(lambda: bool(read), timeout=WAIT_MS)
    control.close()
    assert len(read) == 1


def test_the_start_page_leads_there_and_what_went_is_not_listed(
    qtbot: QtBot, new_window: Callable[[], MainWindow]
) -> None:
    window = new_window()
    made(window)
    window.show_sources()
    qtbot.waitUntil(lambda: any(each.endswith("/one") for each in texts(window.start_page)), timeout=WAIT_MS)
    window.start_page.sessions_wanted.emit()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SessionsDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, SessionsDialog)
    qtbot.waitUntil(lambda: not window.dialogs.sessions.snapshot.reading, timeout=WAIT_MS)
    deleted_by_keys(qtbot, window, dialog)
    qtbot.waitUntil(
        lambda: not any(each.endswith("/one") for each in texts(window.start_page)), timeout=WAIT_MS
    )


def texts(links: QWidget) -> list[str]:
    """The tool tips of what is listed."""
    return [each.toolTip() for each in links.findChildren(QPushButton)]
