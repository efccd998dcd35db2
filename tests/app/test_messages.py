"""What is said belongs to a page and to what happened there: it is over with both."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.commands import REVIEW
from app.main_window import MainWindow
from app.status import TITLE
from tests.app.conftest import WAIT_MS


def test_what_is_said_of_a_review_is_not_said_beside_a_scan(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: window.live_page.session_folder is not None, timeout=WAIT_MS)
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    # As it comes from another thread, after the review was left.
    window.review.on_message("A new session: loop")
    assert "A new session" not in window.status.text
    window.live_page.held.measuring.message.emit("The distance is measured.")
    assert "The distance is measured." in window.status.text


def test_what_was_said_on_a_page_is_over_when_it_is_left(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    window.open_review(cine_loop)
    qtbot.waitUntil(lambda: "A new session" in window.status.text, timeout=WAIT_MS)
    assert window.windowTitle() == f"{cine_loop.name} · Review · {TITLE}"
    window.show_sources()
    assert window.windowTitle() == TITLE
    assert "OpenVINO" not in window.status.text, "nothing runs a model on this page"
    window.go_back()
    assert window.page_name == REVIEW
    assert "A new session" not in window.status.text
