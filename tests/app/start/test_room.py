"""The start page in a small window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.start.models import ModelChoice
from app.start.page import StartPage
from app.widgets.theme import apply_theme


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
