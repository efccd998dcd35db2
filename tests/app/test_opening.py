"""The window opens with its start page; the rest follows when that was painted."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import run_window
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings
from tests.app.conftest import WAIT_MS


class Opened:
    """A window that is not made as a whole at once, and how often the rest of it was begun."""

    def __init__(self, folder: Path) -> None:
        self.begun = 0
        settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        settings.remember_source("simulated:7")
        overrides = Overrides(output=folder / "planes", data=folder / "data", device="cpu")
        self.window = MainWindow(settings, overrides, first=self._begin)

    def _begin(self) -> None:
        self.begun += 1


def test_the_rest_of_the_window_is_made_once_when_its_start_page_was_painted(
    qtbot: QtBot, tmp_path: Path
) -> None:
    opened = Opened(tmp_path)
    window = opened.window
    assert opened.begun == 0
    assert not hasattr(window, "live_page")
    assert window.start_page.last_opened == "simulated:7"
    assert window.actions_by_name["start_stop"].isEnabled()
    with qtbot.waitSignal(window.whole, timeout=WAIT_MS):
        window.show()
    window.complete()
    assert opened.begun == 1
    assert window.page_name == "start"
    window.close()


def test_a_key_that_is_pressed_before_makes_the_rest_and_does_what_it_does(
    qtbot: QtBot, tmp_path: Path
) -> None:
    opened = Opened(tmp_path)
    opened.window.actions_by_name["train"].trigger()
    assert opened.window.page_name == "train"
    opened.window.close()
    assert opened.begun == 1


def test_what_keeps_the_rest_from_being_made_ends_the_program(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))

    def fail() -> None:
        raise ModuleNotFoundError("openvino is not there")

    window = MainWindow(settings, Overrides(output=tmp_path, data=tmp_path / "data"), first=fail)
    with pytest.raises(ModuleNotFoundError, match="openvino is not there"):
        run_window(qapp, window, 60)
    assert not window.isVisible()
