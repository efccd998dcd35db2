"""Sending from the window to a real server: from the export, after a restart, and what is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from app.send.controller import SendController
from app.send.dialog import SendDialog
from app.send.presenter import (
    JobRow,
    SendSnapshot,
    destination_line,
    job_row,
    sending_fault,
    sending_now,
    service_words,
)
from app.send.server_form import ServerForm
from app.send.web_form import WebForm
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.pacs.bundle import exported_objects
from semc_core.pacs.destinations import Destination, DestinationBook, WebDestination
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import FOLDER_NAME, QUEUE_NAME, Job, QueueStore
from semc_core.pacs.service import SendState
from semc_core.session.session import Session
from tests.app.main_thread import PostedWork
from tests.export.scans import video_session
from tests.pacs.servers import HOST, destination, free_port, needs_storescp, storescp

WAIT_MS = 60_000


def job(message: str = "", **counts: int) -> Job:
    return Job(7, "uid", "2026-11-21T15:00:00+00:00", "archive", None, "ab", counts, message, False)


def send_dialog(qtbot: QtBot, window: MainWindow) -> SendDialog:
    """The dialog, once the queue is open."""
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, SendDialog), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.dialogs.sending.snapshot.ready, timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, SendDialog)
    return dialog


def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path) -> Path:
    """An export of two stills and a report."""
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    target = tmp_path / "export"
    options = ExportOptions(dicom=True, clips=False, report=False, frames=False)
    with video_session(tmp_path / "session", count=20) as session:
        export_session(session, target, options, data=data)
    return target


def state_of_first(dialog: SendDialog) -> str:
    """What the queue says of the newest job."""
    item = dialog.table.item(0, 3)
    return "" if item is None else item.text()


def type_server(dialog: SendDialog, port: int) -> None:
    """Type a server on this machine into the form."""
    type_into(dialog.form, port)


def type_into(form: ServerForm, port: int) -> None:
    """Type a server on this machine."""
    form.name.setText("archive")
    form.host.setText(HOST)
    form.port.setValue(port)
    form.title.setText("STORESCP")


def test_jobs_and_faults_are_said_in_words() -> None:
    row = job_row(job(sent=12, waiting=18))
    assert (row.what, row.state, row.tone) == ("30 objects", "12 sent, 18 waiting", "wait")
    assert row.cancel
    done = job_row(job(sent=1))
    assert (done.what, done.state, done.tone) == ("1 object", "sent", "good")
    assert not done.retry
    assert not done.cancel
    broken = job("The connection broke off.", sent=1, waiting=2)
    assert job_row(broken, SendState("waiting")).message == "The connection broke off."
    assert job_row(broken, SendState("sending", "another", 1, 3)).message == "The connection broke off."
    assert job_row(broken, SendState("sending", "archive", 1, 3)).message == "", "it goes on"
    lost = job("archive does not take it.", refused=1, waiting=2)
    assert job_row(lost, SendState("sending", "archive", 1, 3)).message == "archive does not take it."
    refused = job("archive does not take it.", refused=2, sent=1)
    assert job_row(refused).tone == "fault"
    snapshot = SendSnapshot(True, (), (refused,), SendState())
    assert sending_fault(snapshot) == "2 of 3 objects were not sent to archive. archive does not take it."
    waiting = SendSnapshot(True, (), (), SendState("waiting", message="archive cannot be reached."))
    assert sending_fault(waiting) == "archive cannot be reached. Sending is tried again by itself."
    sending = SendSnapshot(True, (), (), SendState("sending", "archive", 3, 9))
    assert service_words(sending) == sending_now(sending) == "Sending to archive: 3 of 9."
    idle = SendSnapshot(True, (), (), SendState())
    assert service_words(idle).startswith("Nothing was sent yet. Export a session (E)")
    assert service_words(idle, queueing=True) == "Reading the export …"
    assert sending_now(waiting) == sending_now(SendSnapshot()) == ""
    assert sending_fault(SendSnapshot()) == ""
    assert destination_line(Destination("A", "h", 104, "T")) == "A   T at h:104"


def test_what_a_server_says_to_keep_is_told_from_what_it_was_sent() -> None:
    def row(commitment: dict[str, int], message: str = "", sent: int = 3) -> JobRow:
        return job_row(replace(job(message, sent=sent), commitment=commitment))

    safe = row({"committed": 3})
    assert (safe.state, safe.tone, safe.retry, safe.cancel) == ("sent, safe at archive", "good", False, False)
    open_ = row({"asked": 2, "committed": 1})
    assert (open_.state, open_.tone) == ("1 sent, safe at archive; 2 sent, not yet confirmed", "wait")
    assert open_.retry
    lost = row({"refused": 3}, "archive does not keep it.")
    assert (lost.state, lost.tone, lost.retry) == ("sent, but refused", "fault", True)
    gone = replace(job("archive does not keep it.", sent=3), commitment={"refused": 1, "committed": 2})
    assert sending_fault(SendSnapshot(True, (), (gone,), SendState())) == (
        "1 of 3 objects sent to archive may not be kept there. archive does not keep it."
    )
    waits = SendSnapshot(True, (), (replace(job(sent=3), commitment={"due": 3}),), SendState())
    assert service_words(waits) == "All is sent; 3 objects not yet confirmed."


def test_a_server_that_shall_confirm_is_typed_in_and_stays_so(qtbot: QtBot) -> None:
    form = ServerForm()
    qtbot.addWidget(form)
    kept: list[Destination] = []
    form.kept.connect(kept.append)
    type_into(form, 104)
    assert not form.answers.isEnabled()
    form.commitment.setChecked(True)
    form.answers.setValue(11113)
    QTest.keyClick(form.title, Qt.Key.Key_Return)
    form.edit(kept[0])
    assert (form.commitment.isChecked(), form.answers.value()) == (True, 11113)
    form.commitment.setChecked(False)
    form._keep()
    assert [(each.commitment, each.commitment_port) for each in kept] == [(True, 11113), (False, None)]


@pytest.mark.parametrize("web", [False, True])
def test_a_server_is_replaced_by_one_of_its_name_only_after_a_question(
    qtbot: QtBot, window: MainWindow, web: bool
) -> None:
    data, sending = window.choices.data, window.dialogs.sending
    first = Destination("archive", "old.example", 104, "OLD")
    sending.put(first)
    qtbot.waitUntil(lambda: sending.snapshot.destinations == (first,), timeout=WAIT_MS)
    window.dialogs.show_sending(None, None)
    dialog = send_dialog(qtbot, window)
    dialog._add()
    form: ServerForm | WebForm = dialog.form
    if web:
        dialog.form._web.click()
        form = dialog.web_form
        form.name.setText("archive")
        dialog.web_form.url.setText("https://new.example/dicom-web")
    else:
        type_into(dialog.form, 105)
    qtbot.waitUntil(form.isVisible, timeout=WAIT_MS)
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert (form.asking, form.yes.isVisible()) == (True, True)
    assert "archive OLD at old.example:104" in form._message.text()
    form.say("archive answers.")
    assert "old.example" in form._message.text(), "what becomes of a test hides no question"
    # Neither a second Enter nor Esc replaces anything, and what was typed stays.
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        QTest.keyClick(form.focusWidget() or form, key)
        assert (form.asking, form.isVisible(), form.name.text()) == (False, True, "archive")
        form._keep()
        assert form.asking
    assert DestinationBook(data).every() == (first,)
    form.yes.click()
    qtbot.waitUntil(lambda: sending.snapshot.destinations != (first,), timeout=WAIT_MS)
    (now,) = DestinationBook(data).every()
    assert (now.name, isinstance(now, WebDestination)) == ("archive", web)
    # To change it is no replacement, and is not asked for.
    qtbot.waitUntil(lambda: dialog._server() == now, timeout=WAIT_MS)
    dialog._edit()
    form._keep()
    assert not form.asking


@needs_storescp
def test_an_export_is_sent_to_a_server_that_was_just_typed_in(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    video_session(tmp_path / "session", count=20).close()
    window.open_review(tmp_path / "session")
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    window.export()
    qtbot.waitUntil(lambda: isinstance(window.dialogs.dialog, ExportDialog), timeout=WAIT_MS)
    dialog = window.dialogs.dialog
    assert isinstance(dialog, ExportDialog)
    for part in ("clips", "report"):
        dialog.page.parts[part].setChecked(False)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=WAIT_MS)
    dialog.export()
    control = window.dialogs.exporting
    assert control is not None
    qtbot.waitUntil(lambda: control.state.phase is Phase.DONE, timeout=WAIT_MS)
    with storescp(tmp_path / "server") as server:
        dialog.done_page.send.click()
        sending = send_dialog(qtbot, window)
        type_server(sending, server.port)
        sending.form.port.setFocus()
        (test,) = (part for part in sending.form.findChildren(QPushButton) if part.text() == "Test")
        QTest.mouseClick(test, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "archive answers." in sending.form._message.text(), timeout=WAIT_MS)
        assert sending.form.focusWidget() is not test, "Enter keeps it, after a test too"
        QTest.keyClick(sending.form.port, Qt.Key.Key_Return)
        qtbot.waitUntil(sending.go.isEnabled, timeout=WAIT_MS)
        sending.send()
        assert "Nothing" not in sending._service.text()

        def sent() -> bool:
            jobs = window.dialogs.sending.snapshot.jobs
            return bool(jobs) and set(jobs[0].counts) == {"sent"} and jobs[0].told

        qtbot.waitUntil(sent, timeout=WAIT_MS)
        assert len(server.kept()) == 3
    assert window.review.open is not None
    assert [entry.kind for entry in window.review.open.session.exports()] == ["folder", "dicom send"]
    assert state_of_first(sending) == "sent"


@needs_storescp
def test_the_windows_own_button_leaves_the_form_and_the_dialog(qtbot: QtBot, window: MainWindow) -> None:
    DestinationBook(window.choices.data).put(Destination("archive", HOST, 104, "ARCHIVE"))
    window.show()
    window.actions_by_name["sending"].trigger()
    dialog = send_dialog(qtbot, window)
    qtbot.waitUntil(lambda: dialog.servers.count() > 0, timeout=WAIT_MS)
    dialog._show_form(dialog.form)
    dialog.close()
    assert not dialog.isVisible()


def test_what_waits_is_told_without_a_dialog_and_goes_on_at_the_next_start(
    qtbot: QtBot, new_window: Callable[[], MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_window()
    data = first.choices.data
    port = free_port()
    DestinationBook(data).put(destination(port))
    export = bundle(tmp_path, monkeypatch, data)
    first.dialogs.sending.send(export, "archive", tmp_path / "session")
    qtbot.waitUntil(first.banner.isVisible, timeout=WAIT_MS)
    assert first.banner.shown is not None
    assert "archive cannot be reached" in first.banner.shown.text
    assert first.dialogs.dialog is None
    first.close()
    with storescp(tmp_path / "server", port=port) as server:
        second = new_window()
        qtbot.waitUntil(lambda: bool(second.dialogs.sending.snapshot.jobs), timeout=WAIT_MS)
        second.dialogs.sending.retry(second.dialogs.sending.snapshot.jobs[0].job_id)
        qtbot.waitUntil(lambda: second.dialogs.sending.snapshot.jobs[0].told, timeout=WAIT_MS)
        assert len(server.kept()) == 3
    with Session.open(tmp_path / "session", read_only=True) as session:
        assert session.exports()[-1].kind == "dicom send"


def test_a_queue_that_does_not_answer_holds_nothing_up_at_the_start(
    qtbot: QtBot, new_window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    folder = tmp_path / "data" / FOLDER_NAME
    QueueStore(folder).close()
    DestinationBook(tmp_path / "data").put(destination(free_port()))
    with closing(sqlite3.connect(folder / QUEUE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        window = new_window()
        ticks: list[bool] = []
        window.display.gaps.tick = lambda now_s: ticks.append(window.dialogs.sending.snapshot.ready)  # type: ignore[method-assign]
        qtbot.waitUntil(lambda: len(ticks) > 20, timeout=WAIT_MS)
        assert not any(ticks), "the window lives while the queue is waited for"
        assert not window.dialogs.sending.fault
        other.execute("ROLLBACK")
    qtbot.waitUntil(lambda: window.dialogs.sending.snapshot.ready, timeout=WAIT_MS)


def test_a_job_is_cancelled_and_a_server_is_changed_and_removed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = bundle(tmp_path, monkeypatch, window.choices.data)
    window.dialogs.show_sending(export, None)
    dialog = send_dialog(qtbot, window)
    qtbot.waitUntil(dialog.form.isVisible, timeout=WAIT_MS)
    type_server(dialog, free_port())
    dialog.form.title.setText("far too long for a title")
    dialog.form._keep()
    assert "AE title" in dialog.form._message.text()
    dialog.form.title.setText("STORESCP")
    QTest.keyClick(dialog.form.title, Qt.Key.Key_Return)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=WAIT_MS)
    dialog.send()
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 1, timeout=WAIT_MS)
    dialog._remove()
    qtbot.waitUntil(lambda: "cancel that first" in dialog._message.text(), timeout=WAIT_MS)
    dialog.table.selectRow(0)
    dialog._cancel()
    qtbot.waitUntil(lambda: state_of_first(dialog) == "cancelled", timeout=WAIT_MS)
    dialog._edit()
    assert not dialog.form.name.isEnabled()
    dialog.form.own_title.setText("ULTRASOUND")
    dialog.form._keep()
    snapshot = window.dialogs.sending

    def is_changed() -> bool:
        (server,) = snapshot.snapshot.destinations
        return isinstance(server, Destination) and server.own_title == "ULTRASOUND"

    qtbot.waitUntil(is_changed, timeout=WAIT_MS)
    dialog._remove()
    qtbot.waitUntil(lambda: not snapshot.snapshot.destinations, timeout=WAIT_MS)


def test_a_result_of_a_session_that_is_only_looked_at_waits_and_sending_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = PostedWork()
    found = exported_objects(bundle(tmp_path, monkeypatch, tmp_path))
    with closing(QueueStore(tmp_path / FOLDER_NAME)) as file:
        queue = SendQueue(file)
        queued = queue.add(
            "archive", found.objects, found.read, manifest=found.manifest, session=tmp_path / "session"
        )
        assert queued.job_id is not None
        queue.cancel(queued.job_id)
    with Session.open(tmp_path / "session") as holder:
        with (
            Session.open(tmp_path / "session", read_only=True) as looked_at,
            closing(SendController(tmp_path, thread.post, lambda: looked_at)) as control,
        ):
            control.open()
            thread.run_until(lambda: control.snapshot.ready or control.fault != "")
            assert control.fault == ""
            assert not control.snapshot.jobs[0].told
        assert holder.exports()[-1].kind == "folder"
