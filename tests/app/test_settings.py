"""What the program remembers, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.settings import Settings


@pytest.mark.parametrize(
    "address", ["rtsp://anna:pass/word@probe.local/scan", "http://probe.local/scan.ts?key=password"]
)
def test_an_address_with_a_password_is_neither_written_nor_shown(
    qtbot: QtBot, window: MainWindow, settings_file: Path, address: str
) -> None:
    window.settings.remember_source("rtsp://probe.local/scan")
    window.settings.remember_source(address)
    window.settings.write()
    assert "word" not in settings_file.read_text()
    assert window.settings.recent_sources == ["rtsp://probe.local/scan"]
    window.show_sources()
    buttons = window.start_page.findChildren(QPushButton)
    assert [b.toolTip() for b in buttons if "probe.local" in b.toolTip()] == ["rtsp://probe.local/scan"]


def test_a_password_that_was_written_before_is_not_shown_and_goes_with_the_next_source(
    settings_file: Path,
) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("sources/recent0", "rtsp://anna:password@probe.local/scan")
    store.setValue("sources/recent1", "simulated:7")
    settings = Settings(store)
    assert settings.recent_sources == ["simulated:7"]
    settings.remember_source("camera:0")
    settings.write()
    assert settings.recent_sources == ["camera:0", "simulated:7"]
    assert "password" not in settings_file.read_text()
