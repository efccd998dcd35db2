"""Widgets in a row that goes on below where the room is too narrow for all of them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets import theme

_GAP_EM: Final = 0.43


class WrapRow(QWidget):
    """From left to right, in as many lines as are needed; all in a line are of one height.

    No layout of its own making: its items would outlive what they place.
    """

    def __init__(self, *widgets: QWidget, stretch: int | None = None) -> None:
        """Hold `widgets`.

        Args:
            widgets: From left to right.
            stretch: Which of them takes what is left of its line; without it the line's end does.
        """
        super().__init__()
        self._widgets = widgets
        self._stretch = None if stretch is None else widgets[stretch]
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for widget in widgets:
            shut = widget.isHidden() and widget.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)
            widget.setParent(self)
            widget.setVisible(not shut)

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        """What it holds, from left to right."""
        return self._widgets

    def heightForWidth(self, width: int) -> int:
        """With all lines."""
        lines = self._lines(width)
        return sum(map(_height, lines)) + max(0, len(lines) - 1) * self._gap

    def sizeHint(self) -> QSize:
        """In one line."""
        seen = self._seen
        return QSize(sum(map(_width, seen)) + max(0, len(seen) - 1) * self._gap, _height(seen))

    def minimumSizeHint(self) -> QSize:
        """As wide as the widest of them."""
        seen = self._seen
        return QSize(max(map(_least, seen), default=0), _height(seen))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place them anew."""
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Some may have been hidden or changed meanwhile."""
        self.updateGeometry()
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """One of them needs more room or less, comes or goes."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        top = 0
        for line in self._lines(self.width()):
            high, left = _height(line), 0
            spare = self.width() - sum(map(_width, line)) - self._gap * (len(line) - 1)
            for widget in line:
                takes = widget is self._stretch or spare < 0
                wide = max(_width(widget) + (spare if takes else 0), _least(widget))
                widget.setGeometry(QRect(0, 0, wide, high).translated(left, top))
                left += wide + self._gap
            top += high + self._gap

    def _lines(self, width: int) -> list[list[QWidget]]:
        lines: list[list[QWidget]] = []
        left = 0
        for widget in self._seen:
            if lines and left + _width(widget) <= width:
                lines[-1].append(widget)
            else:
                lines.append([widget])
                left = 0
            left += _width(widget) + self._gap
        return lines

    @property
    def _seen(self) -> list[QWidget]:
        return [widget for widget in self._widgets if not widget.isHidden()]

    @property
    def _gap(self) -> int:
        """Between two of a line, and of lines. Not asked of the style: Python would hold it too long."""
        return round(_GAP_EM * theme.em(self))


def _least(widget: QWidget) -> int:
    return max(widget.minimumSizeHint().width(), widget.minimumWidth())


def _width(widget: QWidget) -> int:
    return min(max(widget.sizeHint().width(), _least(widget)), widget.maximumWidth())


def _height(line: list[QWidget]) -> int:
    return max((max(widget.sizeHint().height(), widget.minimumHeight()) for widget in line), default=0)
