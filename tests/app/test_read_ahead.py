"""Pictures are read for text while nothing else goes on, so that an export has nothing left to read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.export.presenter import Phase
from app.main_window import MainWindow
from app.read_ahead import ReadAhead, to_read
from semc_core.export.found_text import FoundText
from semc_core.export.kept_readings import FOLDER
from semc_core.review.analysis import ReviewPhase
from tests.app.export.test_dialog import dialog_of, no_finder, wait_for
from tests.app.main_thread import PostedWork
from tests.export.scans import video_session

WAIT_MS = 60_000


class Reader:
    """Reads nothing. It can be held back, and knows how often it was asked and by which threads."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.asked: list[str] = []

    def find(self, pixels: NDArray[np.uint8]) -> tuple[FoundText, ...]:
        self.asked.append(threading.current_thread().name)
        assert self.go_on.wait(60)
        return ()

    glance = find


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    made = Reader()
    monkeypatch.setattr("semc_core.export.ahead.RapidTextFinder", lambda: made)
    monkeypatch.setattr("app.read_ahead.installed", lambda package: True)
    return made


@pytest.fixture
def posted() -> PostedWork:
    return PostedWork()


@pytest.fixture
def ahead(tmp_path: Path, posted: PostedWork) -> Iterator[ReadAhead]:
    made = ReadAhead(tmp_path / "data", posted.post)
    made.quiet_s = 2.0
    yield made
    made.close()


def reading(ahead: ReadAhead) -> bool:
    return ahead._running


def test_it_begins_when_nothing_has_changed_for_a_while_and_reads_once(
    ahead: ReadAhead, reader: Reader, posted: PostedWork, tmp_path: Path
) -> None:
    video_session(tmp_path / "session").close()
    wanted = (tmp_path / "session", 1)
    ahead.tick(10.0, wanted, idle=True)
    ahead.tick(11.9, wanted, idle=True)
    assert not reading(ahead)
    ahead.tick(12.0, wanted, idle=True)
    assert reading(ahead)
    posted.run_until(lambda: not ahead._running)
    count = len(reader.asked)
    assert count > 0
    assert all(name.startswith("read-ahead") for name in reader.asked)
    (kept,) = (tmp_path / "data" / FOLDER).iterdir()
    ahead.tick(20.0, wanted, idle=True)
    assert not reading(ahead)
    ahead.tick(21.0, (tmp_path / "session", 2), idle=True)
    ahead.tick(23.0, (tmp_path / "session", 2), idle=True)
    posted.run_until(lambda: not ahead._running)
    assert len(reader.asked) == count, "nothing new is in it"
    assert kept.is_file()


def test_it_leaves_off_when_something_goes_on_and_begins_anew_when_that_is_over(
    ahead: ReadAhead, reader: Reader, posted: PostedWork, tmp_path: Path
) -> None:
    video_session(tmp_path / "session").close()
    wanted = (tmp_path / "session", 1)
    reader.go_on.clear()
    ahead.tick(0.0, wanted, idle=True)
    ahead.tick(2.0, wanted, idle=True)
    posted.run_until(lambda: bool(reader.asked))
    ahead.tick(2.1, wanted, idle=False)
    reader.go_on.set()
    posted.run_until(lambda: not ahead._running)
    assert len(reader.asked) == 1
    ahead.tick(2.2, wanted, idle=True)
    ahead.tick(4.1, wanted, idle=True)
    assert not reading(ahead), "not yet"
    ahead.tick(4.2, wanted, idle=True)
    posted.run_until(lambda: not ahead._running)
    assert len(reader.asked) > 1


def test_a_session_that_is_gone_is_nobodys_fault(
    ahead: ReadAhead, reader: Reader, posted: PostedWork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ahead.tick(0.0, (tmp_path / "none", 1), idle=True)
    ahead.tick(2.0, (tmp_path / "none", 1), idle=True)
    posted.run_until(lambda: not ahead._running)
    assert caplog.text == ""
    assert reader.asked == []


def test_nothing_is_read_while_a_scan_runs_an_analysis_goes_on_or_an_export_is_made() -> None:
    def asked(
        running: bool = False,
        stopping: bool = False,
        over: bool = True,
        phase: ReviewPhase | None = None,
        exporting: bool = False,
        loops: bool = False,
    ) -> Any:
        scan: Any = SimpleNamespace(running=running, stopping=stopping, over=over)
        opened = SimpleNamespace(session=SimpleNamespace(folder=Path("reviewed")))
        review: Any = SimpleNamespace(
            open=None if phase is None else opened,
            progress=SimpleNamespace(phase=phase),
            snapshot=SimpleNamespace(planes=(1, 2)),
        )
        live: Any = SimpleNamespace(session_folder=Path("scanned"), saved=(3,))
        dialogs: Any = SimpleNamespace(
            exporting=SimpleNamespace(running=exporting),
            loops=SimpleNamespace(snapshot=SimpleNamespace(going_on=loops)),
        )
        return to_read(scan, review, live, dialogs)

    assert asked() == ((Path("scanned"), (3,)), True)
    assert asked(phase=ReviewPhase.DONE) == ((Path("reviewed"), (1, 2)), True)
    assert asked(over=False) == (None, True)
    for busy in (
        asked(running=True), asked(stopping=True), asked(exporting=True), asked(loops=True),
        asked(phase=ReviewPhase.ANALYSING), asked(phase=ReviewPhase.LOADING),
        asked(running=True, phase=ReviewPhase.DONE),
    ):  # fmt: skip
        assert not busy[1]


def test_an_export_reads_nothing_that_was_read_while_the_session_was_in_review(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.complete()
    window.reading.quiet_s = 0.0
    video_session(tmp_path / "session").close()
    window.open_review(tmp_path / "session")
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(reader.asked) and not window.reading._running, timeout=WAIT_MS)
    no_finder(monkeypatch, finder := Reader())
    QTest.keyClick(window, Qt.Key.Key_E)
    dialog = dialog_of(qtbot, window)
    dialog.page.parts["dicom"].setChecked(False)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    wait_for(qtbot, window, Phase.DONE)
    assert finder.asked == []
    control = window.dialogs.exporting
    assert control is not None
    assert control.state.result is not None
    assert control.state.result.planes == 2
