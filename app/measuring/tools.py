"""The measuring tools, in a column beside the picture; in two where there is little height."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.measuring.calipers import TOOLS
from app.widgets import theme
from app.widgets.action_button import ActionButton
from semc_core.language import _

_WIDE_EM, _HIGH_EM, _LEAST_EM = 2.7, 2.7, 1.7
_GAP_PX = 3


class ToolButton(ActionButton):
    """A tool: its sign, and below it the key."""

    def __init__(self, name: str, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(action, QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred, parent)
        self._name = name
        self._follow()

    @property
    def _key(self) -> str:
        return self._action.shortcut().toString().replace("Shift+", "⇧")

    def sizeHint(self) -> QSize:
        """A square."""
        em = theme.em(self)
        return QSize(round(_WIDE_EM * em), round(_HIGH_EM * em))

    def minimumSizeHint(self) -> QSize:
        """Lower where there is little room; the key is left out then."""
        em = theme.em(self)
        return QSize(round(_WIDE_EM * em), round(_LEAST_EM * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The sign is painted: it looks alike on every system."""
        painter, em = QPainter(self), theme.em(self)
        box = self.paint_ground(painter)
        high = self.height() >= 2.5 * em
        middle = box.center() - QPointF(0, 0.5 * em if high else 0)
        painter.setPen(QPen(self.ink(theme.TEXT), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _paint_sign(painter, self._name, middle, 0.62 * em)
        if high:
            painter.setFont(theme.scaled_font(self.font(), 0.85))
            painter.setPen(self.ink(theme.DIM))
            lower = QRectF(box.left(), box.bottom() - 1.15 * em, box.width(), 1.05 * em)
            painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, self._key)
        painter.end()


def _paint_sign(painter: QPainter, name: str, at: QPointF, r: float) -> None:
    def spot(x: float, y: float) -> QPointF:
        return at + QPointF(x * r, y * r)

    def cross(x: float, y: float) -> None:
        painter.drawLine(spot(x - 0.35, y), spot(x + 0.35, y))
        painter.drawLine(spot(x, y - 0.35), spot(x, y + 0.35))

    if name == "distance":
        painter.drawLine(spot(-0.8, 0.5), spot(0.8, -0.5))
        cross(-0.8, 0.5)
        cross(0.8, -0.5)
    elif name == "ellipse":
        painter.drawEllipse(at, 1.05 * r, 0.75 * r)
    elif name == "trace":
        painter.drawPolyline(QPolygonF([spot(-1, 0.5), spot(-0.5, -0.4), spot(0.2, 0.3), spot(1, -0.6)]))
    elif name == "area":
        corners = [spot(-0.9, 0.6), spot(-0.6, -0.6), spot(0.4, -0.8), spot(0.9, 0.1), spot(0.2, 0.8)]
        painter.drawPolygon(QPolygonF(corners))
    elif name == "angle":
        painter.drawPolyline(QPolygonF([spot(0.6, -0.9), spot(-0.8, 0.7), spot(1, 0.7)]))
        painter.drawArc(QRectF(spot(-1.5, 0), spot(-0.1, 1.4)), 0, 48 * 16)
    elif name == "scale":
        painter.drawLine(spot(-1, 0.4), spot(1, 0.4))
        for i in range(5):
            painter.drawLine(spot(-1 + i / 2, 0.4), spot(-1 + i / 2, -0.45 if i % 2 == 0 else -0.05))
    elif name == "annotate_text":
        painter.drawLine(spot(-0.7, -0.7), spot(0.7, -0.7))
        painter.drawLine(spot(0, -0.7), spot(0, 0.8))
    elif name == "annotate_arrow":
        painter.drawLine(spot(-0.9, 0.7), spot(0.8, -0.6))
        painter.drawPolyline(QPolygonF([spot(0.1, -0.65), spot(0.8, -0.6), spot(0.6, 0.1)]))
    elif name == "annotate_mark":
        for side in (-1, 1):
            waist = [spot(0.7 * side, -0.9), spot(0.45 * side, 0), spot(0.75 * side, 0.9)]
            painter.drawPolyline(QPolygonF(waist))
        painter.drawRect(QRectF(spot(-0.12, -0.45), spot(0.22, 0.35)))


class ToolColumn(QWidget):
    """The tools, one below the other; side by side in pairs where they would not fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, ToolButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP_PX)
        self._columns = 0
        self.setAccessibleName(_("Measuring tools"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def set_actions(self, actions: dict[str, QAction], prefix: str) -> None:
        """Make the buttons; the actions' names begin with `prefix`. Called once."""
        for name in TOOLS:
            action = actions[f"{prefix}{name}"]
            button = ToolButton(name, action)
            self.buttons[name] = button
        self._place(1)

    def add(self, name: str, action: QAction) -> None:
        """Another button below them, of another feature."""
        self.buttons[name] = ToolButton(name, action)
        self._columns = 0
        self._place(1)

    def minimumSizeHint(self) -> QSize:
        """As high as pairs of them are."""
        return QSize(self.sizeHint().width(), self._least_height(2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In pairs only where they must."""
        self._place(1 if self.height() >= self._least_height(1) else 2)

    def _least_height(self, columns: int) -> int:
        rows = -(-len(self.buttons) // columns)
        return rows * round(_LEAST_EM * theme.em(self)) + max(0, rows - 1) * _GAP_PX

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for i, button in enumerate(self.buttons.values()):
            self._grid.addWidget(button, i // columns, i % columns)
        for row in range(len(self.buttons) + 1):
            self._grid.setRowStretch(row, 1 if row == -(-len(self.buttons) // columns) else 0)
