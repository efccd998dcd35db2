"""The calipers over the picture: what is drawn is painted here, and the mouse is followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.measuring.calipers import Calipers, Shape
from app.measuring.geometry import handles_of
from app.measuring.presenter import TITLES
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.colours import ON_PICTURE
from app.widgets.image_view import LiveView
from app.widgets.placed import Placed
from semc_core.language import _
from semc_core.measure.shapes import Place, ellipse_of

COLOUR: Final = "#ffe26a"
CHOSEN: Final = ON_PICTURE.accent
PROPOSED: Final = ON_PICTURE.good
_HALO: Final = QColor(0, 0, 0, 170)
_LINE, _AROUND = 1.5, 3.5
"""Widths of a line and of the dark line below it, in pixels of the screen's scale."""
_LOUPE_EM, _LOUPE_TIMES = 10.0, 4.0
_BELOW_BADGES_EM: Final = 3.2
_REACH_EM: Final = 0.75


@told_as(Role.Graphic)
class CaliperLayer(QWidget):
    """Lies over a view and sees what it sees.

    Signals:
        touched: The mouse did something.
    """

    touched = Signal()

    def __init__(self, view: LiveView, calipers: Calipers) -> None:
        super().__init__(view)
        self._view, self._calipers = view, calipers
        self._shapes: tuple[Shape, ...] = ()
        self.setMouseTracking(True)
        self.setAccessibleName(_("Measurements on the picture"))
        over = QVBoxLayout(view)
        over.setContentsMargins(0, 0, 0, 0)
        over.addWidget(self)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What is drawn."""
        return self._shapes

    def spoken(self) -> str:
        """What is drawn; the numbers are in the list of measurements."""
        words = []
        for each in self._shapes:
            name = f"{_(TITLES[each.kind])} {each.number or ''}".strip()
            state = _("proposed") if each.proposed else _("chosen") if each.chosen else ""
            words.append(", ".join(filter(None, (name, state))))
        return "; ".join(words)

    def show_shapes(self) -> None:
        """Draw what the calipers say now."""
        shapes = self._calipers.shapes()
        if shapes != self._shapes or self._calipers.busy:
            self._shapes = shapes
            self.update()
        drawing = self._calipers.tool is not None
        self.setCursor(Qt.CursorShape.CrossCursor if drawing else Qt.CursorShape.ArrowCursor)

    # The mouse.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Set a point, or take a handle; beside those, drag what is seen larger."""
        left = event.button() is Qt.MouseButton.LeftButton
        if self._view.magnified and (event.button() is Qt.MouseButton.MiddleButton or self._free(event)):
            self._view.pan(event.position())
        if left:
            self._tell(self._calipers.press, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow; over what can be taken, a hand says so."""
        if self._view.panning:
            self._view.pan(event.position())
            return
        self._tell(self._calipers.move, event)
        placed = self._view.placed
        if placed is not None and self._calipers.tool is None:
            over = self._calipers.under(*self._where(placed, event))
            self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        self._view.pan(None)
        if event.button() is Qt.MouseButton.LeftButton:
            self._tell(self._calipers.release, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of two; it may end a line. Beside what is measured it shows the whole picture."""
        if self._view.magnified and self._free(event):
            self._view.fit()
        elif event.button() is Qt.MouseButton.LeftButton:
            self._tell(self._calipers.press, event)
            self._calipers.double()
            self.touched.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The picture below is zoomed, or another is shown."""
        self._view.wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse is elsewhere."""
        self._calipers.leave()
        self.touched.emit()

    def _tell(self, what: Callable[[Place, float], None], event: QMouseEvent) -> None:
        placed = self._view.placed
        if placed is not None:
            what(*self._where(placed, event))
            self.touched.emit()

    def _free(self, event: QMouseEvent) -> bool:
        """Whether a press here neither draws nor takes anything."""
        placed = self._view.placed
        if placed is None or self._calipers.tool is not None:
            return False
        left = event.button() is Qt.MouseButton.LeftButton
        return left and not self._calipers.under(*self._where(placed, event))

    def _where(self, placed: Placed, event: QMouseEvent) -> tuple[Place, float]:
        at = event.position()
        return placed.to_frame(at.x(), at.y()), _REACH_EM * theme.em(self) / placed.scale

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Shapes, then the magnifier."""
        placed = self._view.placed
        if placed is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shape in self._shapes:
            _paint(painter, shape, placed, theme.em(self))
        if self._calipers.busy and self._calipers.place is not None:
            self._paint_loupe(painter, placed, self._calipers.place)
        painter.end()

    def _paint_loupe(self, painter: QPainter, placed: Placed, place: Place) -> None:
        """What lies under the mouse, larger, in the upper corner that is farther from it."""
        image = self._view.image
        if image is None:
            return
        em = theme.em(self)
        side = min(_LOUPE_EM * em, 0.45 * min(self.width(), self.height()))
        x = placed.to_widget_point(*place)[0]
        left = 0.6 * em if x > self.width() / 2 else self.width() - side - 0.6 * em
        box = QRectF(left, _BELOW_BADGES_EM * em, side, side)
        times = max(_LOUPE_TIMES, 2 * placed.scale)
        inner = Placed(box.center().x() - place[0] * times, box.center().y() - place[1] * times, times, 0, 0)
        clip = QPainterPath()
        clip.addEllipse(box)
        painter.save()
        painter.setClipPath(clip)
        painter.fillRect(box, QColor("#000000"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        seen = QRectF(place[0] - side / 2 / times, place[1] - side / 2 / times, side / times, side / times)
        painter.drawImage(box, image, seen)
        for shape in self._shapes:
            _paint(painter, shape, inner, em, numbered=False)
        painter.setPen(QPen(QColor(ON_PICTURE.text), 1.0))
        middle = box.center()
        for across, down in ((0.9 * em, 0.0), (-0.9 * em, 0.0), (0.0, 0.9 * em), (0.0, -0.9 * em)):
            near = middle + QPointF(across / 4, down / 4)
            painter.drawLine(near, middle + QPointF(across, down))
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ON_PICTURE.dim), 1.5))
        painter.drawEllipse(box)


def _paint(painter: QPainter, shape: Shape, placed: Placed, em: float, numbered: bool = True) -> None:
    colour = QColor(PROPOSED if shape.proposed else CHOSEN if shape.chosen else COLOUR)
    path = _path(shape, placed)
    painter.setBrush(QBrush(Qt.BrushStyle.NoBrush))
    for pen in (QPen(_HALO, _AROUND), QPen(colour, _LINE)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if pen.widthF() == _LINE and (shape.proposed or shape.open):
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawPath(path)
    handles = handles_of(shape.kind, shape.points)
    shown = handles if shape.kind not in ("trace", "area") or shape.chosen else handles[:1]
    for number, handle in enumerate(shown):
        at = QPointF(*placed.to_widget_point(*handle))
        _paint_handle(painter, at, colour, em, number == shape.handle)
    if numbered and shape.number:
        _paint_number(painter, QPointF(*placed.to_widget_point(*handles[0])), str(shape.number), colour, em)


def _path(shape: Shape, placed: Placed) -> QPainterPath:
    points = [QPointF(*placed.to_widget_point(*point)) for point in shape.points]
    path = QPainterPath()
    if shape.kind == "ellipse" and len(points) == 3:
        around = [QPointF(*placed.to_widget_point(x, y)) for x, y in _outline(shape.points)]
        path.addPolygon(QPolygonF(around))
        path.closeSubpath()
        return path
    path.addPolygon(QPolygonF(points))
    if shape.kind == "area" and not shape.open:
        path.closeSubpath()
    return path


def _outline(points: tuple[Place, ...]) -> list[tuple[float, float]]:
    try:
        ellipse = ellipse_of(points)
    except ValueError:  # one axis has no length while it is drawn
        return [*points[:2]]
    return [(float(x), float(y)) for x, y in ellipse.points()]


def _paint_handle(painter: QPainter, at: QPointF, colour: QColor, em: float, chosen: bool) -> None:
    """A cross, as on a scanner: its middle is not covered. A chosen one has a ring."""
    arm = 0.42 * em
    for pen in (QPen(_HALO, _AROUND), QPen(colour, _LINE)):
        painter.setPen(pen)
        painter.drawLine(at - QPointF(arm, 0), at + QPointF(arm, 0))
        painter.drawLine(at - QPointF(0, arm), at + QPointF(0, arm))
        if chosen:
            painter.drawEllipse(at, 1.4 * arm, 1.4 * arm)


def _paint_number(painter: QPainter, at: QPointF, text: str, colour: QColor, em: float) -> None:
    font = theme.scaled_font(painter.font(), 1.0, bold=True)
    path = QPainterPath()
    path.addText(at + QPointF(0.5 * em, -0.4 * em), font, text)
    painter.strokePath(path, QPen(_HALO, _AROUND))
    painter.fillPath(path, colour)
