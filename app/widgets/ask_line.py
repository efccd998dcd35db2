"""The line of the review page into which words are typed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QWidget

from app.review.commands import Asking


class AskLine(QFrame):
    """A line to type words into; hidden while nothing is asked.

    Signals:
        answered: What was typed, when Enter was pressed.
        refused: Esc was pressed.
    """

    answered = Signal(str)
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._title = QLabel()
        self._title.setObjectName("heading")
        self.field = QLineEdit()
        self.field.setAccessibleName("Answer")
        self.field.returnPressed.connect(lambda: self.answered.emit(self.field.text()))
        keys = QLabel("Enter: keep   Esc: as it was")
        keys.setObjectName("dim")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self._title)
        row.addWidget(self.field, 1)
        row.addWidget(keys)
        self._asked: Asking | None = None
        self.hide()

    def ask(self, asking: Asking | None) -> None:
        """Ask this; None hides the line."""
        if asking is self._asked:
            return
        self._asked = asking
        self.setVisible(asking is not None)
        if asking is not None:
            self._title.setText(asking.title)
            self.field.setAccessibleName(asking.title)
            self.field.setText(asking.text)
            self.field.selectAll()
            self.field.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves the words as they were."""
        if event.key() == Qt.Key.Key_Escape:
            self.refused.emit()
        else:
            super().keyPressEvent(event)
