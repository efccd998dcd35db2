"""What the start page lists as opened lately: what could be opened; and what stays there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
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


def lines(window: MainWindow) -> list[str]:
    """What is listed, from above."""
    recent = window.start_page._recent
    items = [recent.itemAt(at) for at in range(recent.count())]
    rows = [None if item is None else item.widget() for item in items]
    found = [row.findChildren(QPushButton, "line") for row in rows if row is not None]
    return [each.accessibleName() for row in found for each in row]


def star(window: MainWindow, name: str) -> QPushButton:
    """What keeps that line, or lets it go."""
    found = window.start_page.findChildren(QPushButton, "flat")
    return next(
        each
        for each in reversed(found)
        if f"{name} " in f"{each.accessibleName()} " and "listed" in each.accessibleName()
    )


def test_a_favourite_stays_whatever_is_opened_until_it_is_let_go_or_forgotten(
    qtbot: QtBot, new_window: Callable[[], MainWindow]
) -> None:
    window = new_window()
    for number in range(4):
        window.settings.remember_source(f"simulated:{number}")
    window.show_sources()
    assert lines(window) == [f"simulated:{number}" for number in (3, 2, 1, 0)]
    kept = star(window, "simulated:0")
    assert (kept.text(), kept.accessibleName()) == ("☆", "Keep simulated:0 listed")
    QTest.mouseClick(kept, Qt.MouseButton.LeftButton)
    assert lines(window) == [f"simulated:{number}" for number in (0, 3, 2, 1)]
    for number in range(4, 12):
        window.settings.remember_source(f"simulated:{number}")
    window.show_sources()
    assert lines(window) == [f"simulated:{number}" for number in (0, 11, 10, 9, 8)]
    assert window.start_page.last_opened == "simulated:11", "S starts what was opened last"
    window.settings.write()
    again = new_window()
    again.show_sources()
    assert lines(again)[0] == "simulated:0"
    let_go = next(each for each in again.start_page.findChildren(QPushButton, "flat") if each.text() == "★")
    assert let_go.accessibleName() == "simulated:0 stays listed; let it go"
    QTest.mouseClick(let_go, Qt.MouseButton.LeftButton)
    assert lines(again) == [f"simulated:{number}" for number in (11, 10, 9, 8)]
    again.settings.keep_at_hand("simulated:9", True)
    again.settings.forget_sources()
    assert again.settings.favourites == []


def test_an_address_with_a_password_is_no_favourite(window: MainWindow, settings_file: Path) -> None:
    window.settings.keep_at_hand("rtsp://user:hidden@probe.local/scan", True)
    window.settings.write()
    assert "hidden" not in settings_file.read_text(encoding="utf-8")
    assert window.settings.favourites == []
    for number in range(9):
        window.settings.keep_at_hand(f"simulated:{number}", True)
    assert window.settings.favourites == [f"simulated:{number}" for number in range(3, 9)]
