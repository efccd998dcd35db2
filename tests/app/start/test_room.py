"""The start page in a small window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.language import speak
from app.start.models import ModelChoice
from app.start.page import StartPage
from app.widgets.plain import PlainLabel
from app.widgets.theme import apply_theme
from semc_core import language


def test_a_model_with_much_to_say_needs_no_scrolling(qapp: QApplication, qtbot: QtBot) -> None:
    apply_theme(qapp)
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(1010, 602)  # what a window of 1024 x 700 leaves
    page.show_back("")
    page.show()
    line = (
        "15 planes; real planes of Spain, Netherlands, Algeria, Egypt, Ghana and Uganda; 85% to 97% of four "
        "planes right in a country never seen."
    )
    model = Path("fetal.safetensors")
    page.show_models([ModelChoice(model, "Fetal mid-trimester · fetal", line)])
    page.show_model(model, "fetal", "cpu")
    page.show_protocol_note(
        "This model does not know 1 of the 13 items of 20-week screening scan (NHS FASP) (Heart, 3 vessels, "
        "trachea); save those planes by hand.",
        warning=True,
    )
    (scroll,) = page.findChildren(QScrollArea)
    for _ in range(3):  # what wraps is as high as it needs only when it is as wide as it gets
        page.grab()
        QCoreApplication.processEvents()
    assert scroll.verticalScrollBar().maximum() == 0
    assert page.model_line == line


def test_the_promise_beside_the_title_is_in_one_line_in_spanish(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Title and promise are longer there, and the way back stands beside them."""
    apply_theme(qapp)
    monkeypatch.setenv("SEMC_LANGUAGE", "es")
    speak(qapp, "es")
    try:
        page = StartPage()
    finally:
        language.use(language.ENGLISH)
    qtbot.addWidget(page)
    page.show_back("review")
    page.show()
    (promise,) = (each for each in page.findChildren(PlainLabel) if each.text().startswith("Nada sale"))
    line = promise.fontMetrics()
    for wide in (620, 780, 946):
        page.resize(wide, 502)
        page.grab()
        QCoreApplication.processEvents()
        assert promise.width() >= line.horizontalAdvance(promise.text())
        assert line.height() <= promise.height() < 4 * line.height()
