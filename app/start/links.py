"""A list of what can be opened, on a card of the start page."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtWidgets import QVBoxLayout

from app.widgets.fitted import FittedButton
from app.widgets.forms import empty_out
from app.widgets.plain import PlainLabel, plain_tip


class LinkList(QVBoxLayout):
    """A button for each; a sentence where there is none."""

    def __init__(self, empty: str) -> None:
        """Nothing is listed yet, as `empty` says."""
        super().__init__()
        self.setSpacing(0)
        self._empty = PlainLabel(empty)
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)

    def show_links(self, links: Iterable[tuple[str, str, Callable[[], object]]]) -> None:
        """List these: (text, tool tip, what a click does)."""
        empty_out(self, self._empty)
        rows = list(links)
        if not rows:
            self.addWidget(self._empty)  # first: a label without a parent would be shown as a window
        self._empty.setVisible(not rows)
        for text, tip, do in rows:
            button = FittedButton(text)
            button.setToolTip(plain_tip(tip))
            button.clicked.connect(lambda _=False, do=do: do())
            self.addWidget(button)
