"""Buttons and headings of dialogs and pages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.widgets import theme


def button(title: str, do: Callable[[], object]) -> QPushButton:
    """A button that Enter does not press by accident."""
    made = QPushButton(title)
    made.setAutoDefault(False)
    made.clicked.connect(lambda _=False: do())
    return made


def page_title(text: str, owner: QWidget) -> QLabel:
    """The heading of a page."""
    label = QLabel(text)
    label.setFont(theme.scaled_font(owner.font(), 1.5, bold=True))
    return label
