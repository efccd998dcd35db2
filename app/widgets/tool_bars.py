"""The buttons above each page."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QWidget

from app.commands import BINDINGS, TOOL_BARS
from app.widgets.panels import KeyButton


class ToolBars(QStackedWidget):
    """One row of buttons for each page; they follow the window's actions."""

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keys = {binding.name: binding.keys[0] for binding in BINDINGS}
        self._bars: dict[str, QWidget] = {}
        for page, names in TOOL_BARS.items():
            bar = QWidget()
            row = QHBoxLayout(bar)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(4)
            for name in names:
                row.addWidget(KeyButton(actions[name], keys[name]))
            self._bars[page] = bar
            self.addWidget(bar)

    def show_page(self, page: str) -> None:
        """Show the buttons of this page."""
        self.setCurrentWidget(self._bars[page])
