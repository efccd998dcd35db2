"""Widgets in a row that goes on below."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.theme import apply_theme
from app.widgets.wrapping import WrapRow
from tests.app.looks import settled


@pytest.fixture
def parts(qapp: QApplication) -> tuple[QWidget, ...]:
    apply_theme(qapp)
    return (QLineEdit(), *(QPushButton(text) for text in ("Start", "Picture …", "Look again")))


def shown(qtbot: QtBot, row: WrapRow, width: int) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(row)
    column.addStretch(1)
    qtbot.addWidget(holder)
    holder.resize(width, 300)
    holder.show()
    settled()
    return holder


@pytest.mark.parametrize(("width", "lines"), [(700, 1), (330, 2), (200, 3)])
def test_it_has_as_many_lines_as_it_needs_and_the_field_takes_the_rest(
    qtbot: QtBot, parts: tuple[QWidget, ...], width: int, lines: int
) -> None:
    row = WrapRow(*parts, stretch=0)
    holder = shown(qtbot, row, width)
    assert holder.width() == width
    assert len({part.y() for part in parts}) == lines
    assert all(row.rect().contains(part.geometry()) for part in parts)
    first = [part for part in parts if part.y() == parts[0].y()]
    assert first[-1].geometry().right() == row.rect().right()
    assert row.height() == row.heightForWidth(width)


def test_one_that_goes_leaves_no_room_and_one_that_comes_gets_it(
    qtbot: QtBot, parts: tuple[QWidget, ...]
) -> None:
    parts[2].hide()
    row = WrapRow(*parts)
    holder = shown(qtbot, row, 330)
    assert not parts[2].isVisible()
    assert len({part.y() for part in parts if part.isVisible()}) == 1
    parts[2].show()
    settled()
    assert {part.y() for part in parts} == {0, parts[3].y()} != {0}
    assert row.height() == row.heightForWidth(holder.width())
