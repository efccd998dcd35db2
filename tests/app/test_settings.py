"""What the program remembers, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.settings import Settings
from semc_core.types import Crop


@pytest.mark.parametrize(
    "address", ["rtsp://anna:pass/word@probe.local/scan", "http://probe.local/scan.ts?key=password"]
)
def test_an_address_with_a_password_is_neither_written_nor_shown(
    qtbot: QtBot, window: MainWindow, settings_file: Path, address: str
) -> None:
    window.settings.remember_source("rtsp://probe.local/scan")
    window.settings.remember_source(address)
    window.settings.write()
    assert "word" not in settings_file.read_text(encoding="utf-8")
    assert window.settings.recent_sources == ["rtsp://probe.local/scan"]
    window.show_sources()
    buttons = window.start_page.findChildren(QPushButton)
    assert not [b for b in buttons if "word" in b.toolTip()]
    buttons = window.start_page.findChildren(QPushButton, "line")
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
    assert "password" not in settings_file.read_text(encoding="utf-8")


def test_each_capture_device_has_its_own_region_and_at_first_the_one_of_an_older_version(
    settings_file: Path,
) -> None:
    settings = Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))
    left, right = "usb-534d:2109@0000:00:14.0-usb2-2-1.0", "usb-534d:2109@0000:00:14.0-usb2-3-1.0"
    old, own = Crop(10, 20, 300, 200), Crop(1, 2, 3, 4)
    settings.remember_crop("camera", 640, 480, old)
    assert settings.crop("camera", 640, 480, left) == old
    settings.remember_crop("camera", 640, 480, own, left)
    assert settings.crop("camera", 640, 480, left) == own
    assert settings.crop("camera", 640, 480, right) == old
    settings.remember_crop("camera", 640, 480, None, right)
    assert settings.crop("camera", 640, 480, right) is None
    settings.write()
    again = Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))
    assert again.crop("camera", 640, 480, left) == own


def test_what_a_newer_program_remembers_is_there_after_this_one_has_run(
    settings_file: Path, new_window: Callable[[], MainWindow]
) -> None:
    newer = {
        "hologram/depth": "7",
        "record/quality": "perfect",
        "model/device": "npu",
        "view/heat_map": "only-in-scans",
        "sessions/keep_days": "as-long-as-needed",
    }
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    for name, value in newer.items():
        store.setValue(name, value)
    store.sync()
    window = new_window()
    assert window.choices.device == "cpu"
    window.close()
    after = QSettings(str(settings_file), QSettings.Format.IniFormat)
    assert {name: after.value(name) for name in newer} == newer
    assert after.contains("window/geometry")  # it was written
