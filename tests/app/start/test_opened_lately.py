"""What the start page lists as opened lately: what could be opened, and nothing else."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from semc_core.pipeline.state import Phase
from tests.app.conftest import WAIT_MS


def phase(window: MainWindow) -> Phase | None:
    return None if window.scan.pipeline is None else window.scan.pipeline.state.phase


def test_only_what_could_be_opened_is_listed(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, tmp_path: Path
) -> None:
    window.open_source(str(tmp_path / "mistyped.mp4"))
    qtbot.waitUntil(lambda: phase(window) is Phase.FAULT, timeout=WAIT_MS)
    window.tick()
    assert window.settings.recent_sources == []
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: window.settings.recent_sources == [str(cine_loop)], timeout=WAIT_MS)
    window.show_sources()
    assert window.start_page.last_opened == str(cine_loop)
