"""Texts cut to the room there is, with an ellipsis; what cuts them has the whole on its tool tip."""

from __future__ import annotations

import sys
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from app.widgets import theme
from app.widgets.plain import PlainLabel, plain_tip

_PADDING_EM: Final = 0.43
"""Beside the text of a flat button, as `theme` has it."""

_BESIDE_EM: Final = 2.6
"""Of a list: its padding and its arrow."""


class FittedLabel(PlainLabel):
    """One line, as wide as what holds it."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        """Show `text`."""
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As much of it as there is room for."""
        if self.textFormat() is Qt.TextFormat.RichText:
            super().paintEvent(event)
            return
        painter, room = QPainter(self), self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, self.alignment(), shown)
        painter.end()


class FittedButton(QPushButton):
    """A line that can be clicked, as wide as what holds it; a text that is too long is cut in the middle."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        """Say `words`."""
        super().__init__(parent)
        self._words = words
        self.setObjectName("line")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words)
        self.setText(words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As much of it as there is room for."""
        room = self.width() - round(2 * _PADDING_EM * theme.em(self)) - 1
        self.setText(self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideMiddle, room))


class FittedBox(QComboBox):
    """A list of which what is chosen may be longer than the list is wide."""

    def setAccessibleName(self, name: str) -> None:  # noqa: N802 - Qt's name
        """Where Qt tells what is chosen in place of a list's name, that is its description, too."""
        super().setAccessibleName(name)
        if sys.platform not in ("win32", "darwin"):
            self.setAccessibleDescription(name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As Qt does, but for the ellipsis."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.setPen(self.palette().text().color())
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room = self.width() - round(_BESIDE_EM * theme.em(self))
        text = option.currentText
        option.currentText = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()


def fitted_lines(metrics: QFontMetrics, text: str, width: int, lines: int) -> str:
    """`text` in at most so many lines; the last ends with an ellipsis where more follows.

    Args:
        metrics: Of the font that it is painted with.
        text: What there is to say.
        width: Of a line, pixels.
        lines: At least 1.
    """
    done: list[str] = []
    words = text.split()
    while words and len(done) < lines - 1:
        taken = 1
        while taken < len(words) and metrics.horizontalAdvance(" ".join(words[: taken + 1])) <= width:
            taken += 1
        done.append(metrics.elidedText(" ".join(words[:taken]), Qt.TextElideMode.ElideRight, width))
        words = words[taken:]
    if words:
        done.append(metrics.elidedText(" ".join(words), Qt.TextElideMode.ElideRight, width))
    return "\n".join(done)


def tell_whole(label: FittedLabel, text: str) -> None:
    """Show `text`, and have it on the tool tip."""
    if text != label.text():
        label.setText(text)
        label.setToolTip(plain_tip(text))
