"""A scan in the window tells a server in another process that it began and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from semc_core.pacs.destinations import DestinationBook
from tests.app.worklist.test_dialog import FIRST, WAIT_MS
from tests.pacs.mpps_server import mpps_server, said


def states(file: Path) -> list[str]:
    """What the server was told of each step, in order."""
    return [str(each[2].PerformedProcedureStepStatus) for each in said(file)]


def test_a_scan_of_an_examination_is_told_and_one_without_is_not(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    file = tmp_path / "told"
    with mpps_server(file) as ris:
        DestinationBook(window.choices.data).put(ris)
        window.open_source(str(long_loop))
        qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
        window.start_stop()
        qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
        window.dialogs.worklist.choose(FIRST)
        window.start_stop()
        qtbot.waitUntil(lambda: states(file) == ["IN PROGRESS"], timeout=WAIT_MS)
        qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
        window.start_stop()
        qtbot.waitUntil(lambda: len(states(file)) == 2, timeout=WAIT_MS)
    assert states(file) == ["IN PROGRESS", "COMPLETED"]
    assert said(file)[0][2].PatientID == "4711"


def test_a_server_that_takes_none_is_not_asked(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    file = tmp_path / "told"
    with mpps_server(file) as ris:
        DestinationBook(window.choices.data).put(replace(ris, mpps=False))
        window.dialogs.worklist.choose(FIRST)
        window.open_source(str(long_loop))
        qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)
        window.start_stop()
        qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
        window.tick()
        window.dialogs.worklist.steps._work.close()
    assert not file.exists()
    assert not (window.choices.data / "mpps").exists()
