"""Texts that are cut to the room there is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.fitted import FittedBox, FittedButton, FittedLabel, fitted_lines, tell_whole
from app.widgets.theme import apply_theme
from tests.app.looks import painted_texts

LONG = "A name that is longer than anybody would have thought of"


@pytest.fixture(autouse=True)
def themed(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.mark.parametrize("width", [60, 150, 290, 1000])
def test_lines_end_between_words_and_the_last_says_that_more_follows(qapp: QApplication, width: int) -> None:
    metrics = QFontMetrics(qapp.font())
    for most in (1, 2, 3, 20):
        lines = fitted_lines(metrics, LONG, width, most).split("\n")
        assert len(lines) <= most
        assert all(metrics.horizontalAdvance(line) <= width for line in lines)
        whole = " ".join(lines) == LONG
        assert whole or "…" in lines[-1] or "…" in "".join(lines)
    assert fitted_lines(metrics, LONG, 1000, 1) == LONG
    assert fitted_lines(metrics, "", 100, 2) == ""


def test_a_button_shows_as_much_as_there_is_room_for_and_is_called_by_the_whole(qtbot: QtBot) -> None:
    button = FittedButton(LONG)
    qtbot.addWidget(button)
    button.resize(160, 25)
    button.show()
    assert "…" in button.text()
    assert button.fontMetrics().horizontalAdvance(button.text()) < 160
    button.resize(900, 25)
    assert button.text() == button.accessibleName() == LONG


def test_a_label_and_a_list_paint_an_ellipsis_and_keep_the_whole(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, box = FittedLabel(), FittedBox()
    tell_whole(label, LONG)
    box.addItem(LONG)
    for widget in (label, box):
        qtbot.addWidget(widget)
        widget.resize(120, 25)
        widget.show()
    with painted_texts(monkeypatch) as texts:
        label.grab()
        box.grab()
    # The list has no tool tip here, so that it is told; the label has one.
    assert [each.split()[0] for each in texts.untold] == ["FittedBox"]
    assert label.text() == label.toolTip() == box.currentText() == LONG
