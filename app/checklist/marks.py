"""The marks of the checklist: each status has a shape of its own."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets import theme
from app.widgets.accessible import Role, told_as
from semc_core.language import _
from semc_core.protocols.checklist import Status


def status_colour(status: Status) -> str:
    """Of its mark, "#rrggbb"."""
    if status is Status.FOUND:
        return theme.GOOD
    return {Status.WEAK: theme.WARNING, Status.NOT_POSSIBLE: theme.ACCENT}.get(status, theme.DIM)


def paint_mark(painter: QPainter, box: QRectF, status: Status) -> None:
    """A mark of its own shape for each status: told apart without its colour.

    Found is a full disc with a tick, weak a triangle with a stroke, missing an empty ring, not possible a
    ring with a bar across, unknown to the model a dotted ring with a question mark.
    """
    colour, width = QColor(status_colour(status)), max(1.4, box.height() * 0.11)
    pen = QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = box.adjusted(width / 2, width / 2, -width / 2, -width / 2)

    def at(x: float, y: float) -> QPointF:
        return QPointF(box.left() + x * box.width(), box.top() + y * box.height())

    if status is Status.FOUND:
        painter.setBrush(colour)
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(theme.GROUND), width * 1.3, c=Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(QPolygonF([at(0.27, 0.52), at(0.44, 0.69), at(0.74, 0.34)]))
    elif status is Status.WEAK:
        painter.drawPolygon(QPolygonF([at(0.5, 0.08), at(0.95, 0.9), at(0.05, 0.9)]))
        painter.drawLine(at(0.5, 0.4), at(0.5, 0.6))
        painter.drawPoint(at(0.5, 0.75))
    elif status is Status.NOT_POSSIBLE:
        painter.drawEllipse(ring)
        painter.drawLine(at(0.25, 0.5), at(0.75, 0.5))
    else:
        if status is Status.UNKNOWN:
            painter.setPen(QPen(colour, width, Qt.PenStyle.DotLine))
        painter.drawEllipse(ring)
        if status is Status.UNKNOWN:
            painter.setPen(colour)
            painter.setFont(theme.fitted_font(painter.font(), "?", box.width() * 0.6, box.height() * 0.8))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "?")


@told_as(Role.Graphic)
class MarksLine(QWidget):
    """All marks in one line, for where there is no room for more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._statuses: tuple[Status, ...] = ()
        self.setAccessibleName(_("Marks of the checklist"))

    def show_statuses(self, statuses: tuple[Status, ...]) -> None:
        """Show these, from left to right."""
        if statuses != self._statuses:
            self._statuses = statuses
            self.update()

    def sizeHint(self) -> QSize:
        """A line."""
        em = theme.em(self)
        return QSize(round(8 * em), round(1.1 * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Closer together where there are many."""
        painter, em = QPainter(self), theme.em(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = min(1.25 * em, self.width() / max(1, len(self._statuses)))
        side = min(0.9 * em, 0.85 * step)
        for i, status in enumerate(self._statuses):
            box = QRectF(i * step, (self.height() - side) / 2, side, side)
            paint_mark(painter, box, status)
        painter.end()
