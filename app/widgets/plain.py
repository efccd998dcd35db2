"""Words in widgets, shown as they are: a file, a model or a session may come from a stranger.

Left to itself, Qt takes a text that looks like HTML for HTML, with pictures that it reads from anywhere.
"""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from semc_core.text import readable


class PlainLabel(QLabel):
    """A label whose text is no HTML, and whose invisible characters are seen."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        """Show `text`."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show `text`."""
        super().setText(readable(text))


def plain_tip(text: str) -> str:
    """`text` as a tool tip that shows it as it is."""
    text = readable(text)
    return f"<qt>{html.escape(text, quote=False)}</qt>".replace("\n", "<br>") if "<" in text else text
