"""A person closes the window while something goes on: it is said and asked, and nothing is lost unasked."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.closing import ClosingQuestion
from app.export.dialog import ExportDialog
from app.export.presenter import Phase
from app.main_window import MainWindow
from semc_core.export.manifest import check_bundle
from tests.app.conftest import WAIT_MS
from tests.app.export.test_dialog import OneName, opened, wait_for


def closed_by_a_person(widget: QWidget) -> None:
    """As the button of the window's frame does it; `close` is how the program itself does."""
    handle = widget.windowHandle()
    assert handle is not None
    QApplication.sendEvent(handle, QCloseEvent())


def asked(window: MainWindow) -> ClosingQuestion:
    question = window.closing.question
    assert question is not None
    assert question.isVisible()
    assert window.isVisible()
    return question


class Held:
    """Holds an export where it loads what finds text."""

    def __init__(self, finder: OneName | None = None) -> None:
        self.there, self.go_on, self._finder = threading.Event(), threading.Event(), finder

    def load(self) -> OneName | None:
        self.there.set()
        assert self.go_on.wait(60)
        return self._finder


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    holds = Held()
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", holds.load)
    return holds


@pytest.fixture
def exporting(qtbot: QtBot, window: MainWindow, tmp_path: Path, held: Held) -> ExportDialog:
    """The dialog of an export that is being made."""
    dialog = opened(qtbot, window, tmp_path)
    for part in ("dicom", "clips", "report"):
        dialog.page.parts[part].setChecked(False)
    dialog.export()
    assert held.there.wait(60)
    return dialog


def test_an_export_is_waited_for_before_the_window_closes(
    qtbot: QtBot, window: MainWindow, exporting: ExportDialog, held: Held
) -> None:
    closed_by_a_person(window)
    question = asked(window)
    assert question.words.text().startswith("The export still goes on.\n")
    closed_by_a_person(window)
    assert asked(window) is question, "asked once"
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert window.closing.question is None
    assert window.isVisible()

    closed_by_a_person(window)
    QTest.keyClick(asked(window), Qt.Key.Key_Return)
    assert asked(window).words.text().startswith("This closes when the export is over.\n")
    assert not asked(window).go_on.isVisible()
    held.go_on.set()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)
    assert check_bundle(window.choices.output / "Exports" / "export-lp2025-liver-001").ok


def test_an_export_is_stopped_where_that_is_wanted_and_leaves_nothing(
    qtbot: QtBot, window: MainWindow, exporting: ExportDialog, held: Held
) -> None:
    closed_by_a_person(window)
    asked(window).stop.click()
    assert asked(window).words.text().endswith("Cancelling")
    assert not asked(window).stop.isVisible()
    held.go_on.set()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)
    assert not list((window.choices.output / "Exports").glob("*"))


def test_the_window_stays_where_the_export_that_it_waits_for_asks_something(
    qtbot: QtBot, window: MainWindow, exporting: ExportDialog, held: Held
) -> None:
    held._finder = OneName(score=0.6)
    closed_by_a_person(window)
    asked(window).go_on.click()
    held.go_on.set()
    qtbot.waitUntil(lambda: window.closing.question is None, timeout=WAIT_MS)
    assert window.isVisible()
    wait_for(qtbot, window, Phase.DONE)
    words = "The export waits for an answer, so the window stayed open."

    def said() -> bool:
        shown = window.banner.shown
        return shown is not None and words in (shown.text, *shown.more)

    qtbot.waitUntil(said, timeout=WAIT_MS)


def test_the_frame_of_the_export_dialog_asks_too_and_closes_that_alone(
    qtbot: QtBot, window: MainWindow, exporting: ExportDialog, held: Held
) -> None:
    closed_by_a_person(exporting)
    assert exporting.isVisible()
    asked(window).go_on.click()
    held.go_on.set()
    qtbot.waitUntil(lambda: window.dialogs.dialog is None, timeout=WAIT_MS)
    assert window.isVisible()
    assert check_bundle(window.choices.output / "Exports" / "export-lp2025-liver-001").ok


def test_the_program_closes_the_window_whatever_is_asked(
    window: MainWindow, exporting: ExportDialog, held: Held
) -> None:
    closed_by_a_person(window)
    asked(window)
    held.go_on.set()
    window.close()
    assert not window.isVisible()
    assert window.closing.question is None


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """The folder of a training that is under way: for its process stands that of the tests."""
    folder = tmp_path / "data" / "training" / "20261130-100000"
    (folder / "model.run").mkdir(parents=True)
    step = {"event": "step", "step": 43, "progress": 0.43, "loss": 1.0, "eta_s": 720}
    (folder / "model.run" / "progress.jsonl").write_text(f"{json.dumps(step)}\n", encoding="utf-8")
    facts = {"arguments": ["--data", "x"], "pid": os.getpid(), "created_s": psutil.Process().create_time()}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def test_a_training_goes_on_without_the_window_where_that_is_wanted(
    training: Path, new_window: Callable[[], MainWindow]
) -> None:
    window = new_window()
    window.actions_by_name["quit"].trigger()
    question = asked(window)
    assert question.words.text() == "The training still goes on.\nTraining: 43% done, 12 min left"
    assert question.go_on.text() == "&Let it go on, and close"
    question.keep.click()
    assert window.isVisible()
    closed_by_a_person(window)
    asked(window).go_on.click()
    assert not window.isVisible()
    assert not (training / "model.run" / "control" / "stop").exists()


def test_a_training_that_is_stopped_has_stopped_before_the_window_closes(
    training: Path, new_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    window = new_window()
    closed_by_a_person(window)
    asked(window).stop.click()
    # One that only begins clears wishes from before, so the window asks until it has stopped.
    stop = training / "model.run" / "control" / "stop"
    stop.unlink()
    qtbot.waitUntil(stop.exists, timeout=WAIT_MS)
    assert asked(window).words.text() == "This closes when the training is over.\nStopping after this step …"
    window.train.process._facts = type(window.train.process._facts)(("--data", "x"))
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)


def test_an_installation_is_said_and_stopped_where_that_is_wanted(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    sleeps = [sys.executable, "-S", "-c", "import time; print('Fetching', flush=True); time.sleep(600)"]
    monkeypatch.setattr("app.train.installation._command", lambda *_: sleeps)
    monkeypatch.setattr("app.train.installation.why_not_here", lambda: "")
    window.train.installation.start()
    qtbot.waitUntil(lambda: window.train.installation.poll().lines == ("Fetching",), timeout=WAIT_MS)
    closed_by_a_person(window)
    question = asked(window)
    assert question.words.text() == "The installation of what training needs still goes on.\nFetching"
    question.stop.click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)
    assert not window.train.installation.alive


def test_a_window_in_which_nothing_goes_on_closes_at_once(window: MainWindow) -> None:
    closed_by_a_person(window)
    assert not window.isVisible()
