"""Nothing moves by itself: bars, and what Qt animates."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QProgressBar, QPushButton, QScrollBar, QStyle, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.still_bar import StillBar
from app.widgets.theme import apply_theme

APP = Path(__file__).resolve().parents[3] / "app"


def moves(qtbot: QtBot, widget: QWidget) -> bool:
    """Whether it looks otherwise some time later, though nothing was done to it."""
    qtbot.addWidget(widget)
    widget.resize(200, 30)
    widget.show()
    qtbot.waitExposed(widget)
    first = widget.grab().toImage()
    for _ in range(10):
        qtbot.wait(40)
        if widget.grab().toImage() != first:
            return True
    return False


def test_a_bar_of_which_nobody_knows_how_far_it_is_stands_still(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp)
    usual, still = QProgressBar(), StillBar()
    for bar in (usual, still):
        bar.setTextVisible(False)
        bar.setRange(0, 0)
    assert moves(qtbot, usual), "the test would not see it"
    assert not moves(qtbot, still)
    still.setRange(0, 1000)
    still.setValue(400)
    assert (still.minimum(), still.maximum(), still.value()) == (0, 1000, 400)
    still.setRange(0, 0)
    assert still.value() < 0, "it is empty again"


@pytest.mark.parametrize("kind", [QPushButton, QScrollBar, StillBar])
def test_nothing_of_qts_own_is_animated(qtbot: QtBot, qapp: QApplication, kind: type[QWidget]) -> None:
    apply_theme(qapp)
    widget = kind()
    qtbot.addWidget(widget)
    widget.ensurePolished()
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    assert widget.style().styleHint(hint, None, widget) == 0


def test_the_window_has_no_other_bars_and_no_animation() -> None:
    moving = {"QProgressBar", "QPropertyAnimation", "QVariantAnimation", "QTimeLine", "QMovie"}
    for path in APP.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {
            each.func.id
            for each in ast.walk(tree)
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
        }
        assert not called & moving, path
