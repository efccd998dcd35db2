"""Widgets side by side, and cards with a heading: what the pages are put together from."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.widgets import theme


def side_by_side(*widgets: QWidget, stretch: int | None = None) -> QHBoxLayout:
    """Widgets in a row; the one at `stretch` takes what is left, or the end does."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    if stretch is None:
        row.addStretch(1)
    else:
        row.setStretch(stretch, 1)
    return row


def panel(owner: QWidget, title: str, text: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A card of the page `owner`, to be filled: its heading and a sentence below it; "" leaves either out."""
    card = QFrame()
    card.setObjectName("panel")
    layout = QVBoxLayout(card)
    if title:
        heading = QLabel(title)
        heading.setFont(theme.scaled_font(owner.font(), 1.2, bold=True))
        layout.addWidget(heading)
    if text:
        about = QLabel(text)
        about.setObjectName("dim")
        about.setWordWrap(True)
        layout.addWidget(about)
    return card, layout


def empty_out(layout: QVBoxLayout, keep: QWidget | None = None) -> None:
    """Take all widgets out of a layout and delete them, but not `keep`."""
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None and old is not keep:
            old.deleteLater()
