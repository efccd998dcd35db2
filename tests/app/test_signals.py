"""A signal that ends programs closes the window, also one that comes before its events are listened to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: Qt runs no other loop of events after the application's has ended.
_PROGRAM = """
import signal, sys
from pathlib import Path
from PySide6.QtCore import QSettings, QTimer
from app.application import ClosingSignals, new_application, run_window
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings

application, show, place = new_application(), MainWindow.show, Path(sys.argv[1])
for number in (signal.SIGINT, signal.SIGTERM):
    for moment in ("early", "shown"):
        def show_and_signal(self):
            show(self)
            if moment == "shown":
                signal.raise_signal(number)

        MainWindow.show = show_and_signal
        QTimer.singleShot(30_000, lambda: sys.exit("the window stays"))
        with ClosingSignals() as signals:
            if moment == "early":
                signal.raise_signal(number)
            settings = Settings(QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat))
            window = MainWindow(settings, Overrides(data=place / "data"))
            signals.close(window)
            run_window(application, window)
        print(moment, window.isVisible(), flush=True)
"""

_BESIDE_ANOTHER = """
import sys
from pathlib import Path
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QWidget
from app.application import new_application, run_window
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings

application, place, other = new_application(), Path(sys.argv[1]), QWidget()
other.show()
QTimer.singleShot(30_000, lambda: sys.exit("the program stays"))
settings = Settings(QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat))
run_window(application, MainWindow(settings, Overrides(data=place / "data")), seconds=0.2)
print(other.isVisible(), flush=True)
"""


_TWO_RUNS = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from app.application import new_application, run_window
from app.main_window import MainWindow
from app.scan_options import Overrides
from app.settings import Settings

application, place = new_application(), Path(sys.argv[1])
settings = Settings(QSettings(str(place / "settings.ini"), QSettings.Format.IniFormat))
for early in (True, False):
    window = MainWindow(settings, Overrides(data=place / "data"))
    if early:
        QTimer.singleShot(100, window.close)
    else:
        window.open_source(str(place / "missing.mp4"))
    run_window(application, window, seconds=1.0, until_over=True)
    for _ in range(2):
        loop = QEventLoop()
        QTimer.singleShot(1000, lambda: loop.exit(5))
        print(loop.exec(), flush=True)
"""


def run_of(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=Path(__file__).parents[2], capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip


def test_a_run_is_over_when_its_window_is_closed_whatever_else_is_shown(tmp_path: Path) -> None:
    done = run_of(_BESIDE_ANOTHER, tmp_path)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.long
def test_the_end_of_a_run_ends_nothing_later(tmp_path: Path) -> None:
    done = run_of(_TWO_RUNS, tmp_path)
    assert done.stdout.split() == ["5"] * 4, done.stderr


def test_a_signal_before_the_events_closes_the_window_when_they_come(tmp_path: Path) -> None:
    done = run_of(_PROGRAM, tmp_path)
    assert done.stdout.splitlines() == ["early False", "shown False"] * 2, done.stderr
