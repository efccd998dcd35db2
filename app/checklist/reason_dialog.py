"""Asking why an item of the checklist is not possible; the scan goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.forms import button, side_by_side
from app.widgets.plain import PlainLabel
from semc_core.language import _

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
        self.setWindowTitle(_("Not possible"))
        title = PlainLabel(_("Why is it not possible: {item}?", item=item))
        title.setObjectName("heading")
        title.setWordWrap(True)
        grid = QGridLayout()
        for i, reason in enumerate(reasons):
            grid.addWidget(button(_(reason), partial(self._answer, reason)), i // _COLUMNS, i % _COLUMNS)
        self.field = QLineEdit()
        self.field.setPlaceholderText(_("Or in your own words; no names"))
        self.field.setMaxLength(200)
        self.field.setAccessibleName(title.text())
        self.field.returnPressed.connect(self._answer_field)
        keep = button(_("Keep"), self._answer_field)
        cancel = button(_("Cancel (Esc)"), self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(title)
        layout.addLayout(grid)
        layout.addLayout(side_by_side(self.field, keep, cancel, stretch=0))
        self.setMinimumWidth(round(30 * theme.em(self)))
        self.field.setFocus()

    def _answer_field(self) -> None:
        self._answer(self.field.text().strip())

    def _answer(self, words: str) -> None:
        if words:
            self.answered.emit(words)
            self.accept()
        else:
            self.field.setFocus()
