"""How long sessions are kept: the choice on the start page, and what goes when the window starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.settings import Settings
from app.start.keep_settings import sentence, title
from semc_core.session.erasing.retention import LOG_NAME
from semc_core.session.erasing.rule import Retention
from semc_core.session.session import Session
from tests.app.conftest import WAIT_MS
from tests.session.sessions import write_kept_sessions


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_file: Path) -> Path:
    """The user's sessions: two exported, one not, one killed; and where it is logged what went."""
    root = tmp_path / "sessions"
    write_kept_sessions(root, ("first", "last"), "unexported", tmp_path / "open")
    monkeypatch.setattr("app.start.controller.log_folder", lambda: tmp_path / "log")
    settings_of(settings_file).output_folder = root
    return root


def settings_of(file: Path) -> Settings:
    return Settings(QSettings(str(file), QSettings.Format.IniFormat))


def names(root: Path) -> list[str]:
    return sorted(each.name for each in root.iterdir())


def test_sessions_are_kept_for_ever_until_the_user_chooses_otherwise_and_then_from_the_next_start(
    qtbot: QtBot, new_window: Callable[[], MainWindow], root: Path, settings_file: Path, tmp_path: Path
) -> None:
    first = new_window()
    keeping = first.start_page.keeping
    assert (keeping.choice.currentText(), keeping.text) == ("for ever", "")
    at = keeping.choice.findText("up to 50 GB")
    keeping.choice.setCurrentIndex(at)
    keeping.choice.activated.emit(at)
    assert "was never exported" in keeping.text
    first.close()
    assert len(names(root)) == 4
    assert settings_of(settings_file).retention == Retention(most_bytes=50 * 10**9)
    # As if these few were so many.
    settings_of(settings_file).keep_sessions(Retention(most_bytes=1))
    with Session.open(root / "last"):
        second = new_window()
        qtbot.waitUntil(lambda: "1 old session went" in second.start_page.keeping.text, timeout=WAIT_MS)
    assert names(root) == ["killed", "last", "unexported"]
    assert second.start_page.keeping.choice.currentText() == title(Retention(most_bytes=1))
    (line,) = (tmp_path / "log" / LOG_NAME).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["why"].startswith("the sessions are larger than")


@pytest.mark.parametrize("stored", ["-3", "many", "0", "9" * 40, "1.5"])
def test_a_setting_that_makes_no_sense_keeps_all(settings_file: Path, stored: str) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("sessions/keep_days", stored)
    assert Settings(store).retention == Retention()


def test_what_a_choice_means_is_said_in_words() -> None:
    assert sentence(Retention(days=90)).startswith(
        "Each time the program starts it deletes sessions that nobody changed for 90 days"
    )
    assert title(Retention(days=90)) == "90 days"
    assert sentence(Retention()) == ""
