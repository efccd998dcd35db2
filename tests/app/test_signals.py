"""A signal that ends programs closes the window, also one that comes before its events are listened to."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import ClosingSignals, run_window
from app.main_window import MainWindow
from app.settings import Overrides, Settings

_STUCK_MS = 20_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["early", "shown"])
def test_a_signal_before_the_events_closes_the_window_when_they_come(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    show, stuck = MainWindow.show, []

    def show_and_signal(self: MainWindow) -> None:
        show(self)
        if moment == "shown":
            signal.raise_signal(number)

    monkeypatch.setattr(MainWindow, "show", show_and_signal)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    watcher = QTimer()
    watcher.setSingleShot(True)
    watcher.timeout.connect(lambda: stuck.append(True))
    watcher.timeout.connect(application.quit)
    watcher.start(_STUCK_MS)
    with ClosingSignals() as signals:
        if moment == "early":
            signal.raise_signal(number)
        settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
        window = MainWindow(settings, Overrides(data=tmp_path / "data"))
        qtbot.addWidget(window)
        signals.close(window)
        run_window(application, window)
    watcher.stop()
    assert not stuck
    assert not window.isVisible()
