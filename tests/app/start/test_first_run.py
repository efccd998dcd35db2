"""What is to be tried at the first start: one click each, until something was opened, then never again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.commands import LIVE, REVIEW
from app.main_window import MainWindow
from app.review.session import ReviewRequest
from app.settings import Settings
from app.start.first_run import TEST_PATIENT
from app.start.page import StartPage
from semc_core.paths import DEMONSTRATION, FETAL_MODEL
from tests.app.conftest import WAIT_MS


def buttons(page: StartPage) -> list[QPushButton]:
    return page.first_run.findChildren(QPushButton)


def by_name(page: StartPage, begins: str) -> QPushButton:
    (found,) = [each for each in buttons(page) if each.text().startswith(begins)]
    return found


def test_each_button_asks_for_its_thing_and_says_what_is_seen_then(qtbot: QtBot) -> None:
    page = StartPage()
    qtbot.addWidget(page)
    told: list[object] = []
    page.demonstration_wanted.connect(lambda: told.append("demonstration"))
    page.chosen.connect(told.append)
    page.file_wanted.connect(lambda: told.append("file"))
    for begins in ("Review real planes", "Watch a simulated scan", "Open a file"):
        by_name(page, begins).click()
    assert told == ["demonstration", f"simulated:{TEST_PATIENT}", "file"]
    assert TEST_PATIENT == 2007
    assert by_name(page, "Open a file").text() == "Open a file …  (O)"
    assert all(each.accessibleDescription() for each in buttons(page))


def test_the_tab_key_comes_to_them_first_and_space_presses_them(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(window.choose, "loop_to_play", lambda use: told.append(True))
    reached: list[str] = []
    for _ in range(3):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        at = window.focusWidget()
        reached.append(at.text() if isinstance(at, QPushButton) else type(at).__name__)
    assert reached == ["Review real planes", "Watch a simulated scan", "Open a file …  (O)"]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
    assert told == [True]


def shows(window: MainWindow) -> bool:
    return window.start_page.first_run.isVisibleTo(window)


def test_they_are_there_until_a_source_was_opened_and_never_again(
    qtbot: QtBot, new_window: Callable[[], MainWindow], long_loop: Path
) -> None:
    first = new_window()
    assert shows(first)
    first.show_sources()
    assert shows(first), "nothing was opened yet"
    first.open_source(str(long_loop))
    assert first.page_name == LIVE
    qtbot.waitUntil(lambda: first.settings.opened_once, timeout=WAIT_MS)
    first.show_sources()
    assert not shows(first)
    first.settings.forget_sources()
    first.close()
    again = new_window()
    assert again.settings.recent_sources == []
    assert not shows(again), "forgetting what was opened does not make a beginner"


def test_a_review_counts_as_well(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ReviewRequest] = []
    monkeypatch.setattr(window.review, "begin", asked.append)
    by_name(window.start_page, "Review real planes").click()
    assert [(each.path, each.model) for each in asked] == [(DEMONSTRATION, FETAL_MODEL)]
    assert window.page_name == REVIEW
    window.show_sources()
    assert not shows(window)


@pytest.mark.parametrize("forgets", [False, True])
def test_who_used_an_earlier_version_is_no_beginner(settings_file: Path, forgets: bool) -> None:
    store = QSettings(str(settings_file), QSettings.Format.IniFormat)
    store.setValue("sources/recent0", "simulated:7")
    settings = Settings(store)
    if forgets:
        settings.forget_sources()
    assert settings.opened_once


def test_forgetting_nothing_is_not_opening_something(settings_file: Path) -> None:
    settings = Settings(QSettings(str(settings_file), QSettings.Format.IniFormat))
    settings.forget_sources()
    assert not settings.opened_once
