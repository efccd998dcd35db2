"""The tabs above a checklist where there are several fetuses: one for each, with how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.checklist.presenter import FetusTab
from app.widgets.plain import plain_tip
from semc_core.session.fetuses import LETTERS


class FetusTabs(QWidget):
    """A button for each fetus.

    Signals:
        chosen: The letter of the fetus whose list is wanted.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[tuple[FetusTab, ...], str] = ((), "")
        # Made once: what is taken away amid its own events takes the program with it.
        self.buttons = {letter: self._button(letter) for letter in LETTERS}
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        for button in self.buttons.values():
            line.addWidget(button)
        line.addStretch(1)
        self.hide()

    def show_tabs(self, tabs: tuple[FetusTab, ...], shown: str) -> None:
        """Show these, the list of the fetus `shown` being open."""
        if (tabs, shown) == self._shown:
            return
        self._shown = tabs, shown
        known = {tab.letter: tab for tab in tabs}
        for letter, button in self.buttons.items():
            tab = known.get(letter)
            button.setVisible(tab is not None)
            if tab is not None:
                button.setText(tab.text)
                button.setToolTip(plain_tip(tab.tip))
                button.setAccessibleName(tab.tip)
                button.setChecked(letter == shown)

    def _button(self, letter: str) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setAccessibleName(letter)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._choose(letter))
        button.hide()
        return button

    def _choose(self, letter: str) -> None:
        # It stays as it is until the list of this one is shown.
        for other, button in self.buttons.items():
            button.setChecked(other == self._shown[1])
        self.chosen.emit(letter)
