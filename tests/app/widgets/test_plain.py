"""Words of strangers in the window: never HTML, and what cannot be seen is spelt out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.widgets.plain import PlainLabel, plain_tip
from tests.test_names_from_strangers import SHOWN, SPELT


def test_a_label_takes_no_html_and_shows_such_a_name_spelt_out(qtbot: QtBot) -> None:
    label = PlainLabel(SHOWN)
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text().endswith(SPELT)
    assert "<img" not in plain_tip(SHOWN)
    assert plain_tip(SHOWN).startswith("<qt>&lt;img")
    assert plain_tip("scan.mp4") == "scan.mp4"


def test_every_label_of_the_window_says_whether_it_is_html(window: MainWindow) -> None:
    labels = window.findChildren(QLabel)
    assert len(labels) > 20
    assert [each.text() for each in labels if each.textFormat() == Qt.TextFormat.AutoText] == []
