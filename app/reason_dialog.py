"""Asking why an item of the checklist is not possible; the scan goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import theme

_COLUMNS = 2


class ReasonDialog(QDialog):
    """One click on a usual reason, or words and Enter.

    Signals:
        answered: The reason.
    """

    answered = Signal(str)

    def __init__(self, item: str, reasons: Sequence[str], parent: QWidget) -> None:
        """Ask about the item with this title; `open` shows it."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Not possible")
        title = QLabel(f"Why is it not possible: {item}?")
        title.setObjectName("heading")
        title.setWordWrap(True)
        grid = QGridLayout()
        for i, reason in enumerate(reasons):
            button = QPushButton(reason)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, words=reason: self._answer(words))
            grid.addWidget(button, i // _COLUMNS, i % _COLUMNS)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Or in your own words; no names")
        self.field.setMaxLength(200)
        self.field.returnPressed.connect(lambda: self._answer(self.field.text().strip()))
        keep = QPushButton("Keep")
        keep.setAutoDefault(False)
        keep.clicked.connect(lambda: self._answer(self.field.text().strip()))
        cancel = QPushButton("Cancel (Esc)")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.field, 1)
        row.addWidget(keep)
        row.addWidget(cancel)
        layout = QVBoxLayout(self)
        layout.addWidget(title)
        layout.addLayout(grid)
        layout.addLayout(row)
        self.setMinimumWidth(round(30 * theme.em(self)))
        self.field.setFocus()

    def _answer(self, words: str) -> None:
        if words:
            self.answered.emit(words)
            self.accept()
        else:
            self.field.setFocus()
