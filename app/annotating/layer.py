"""The annotations over the picture: painted here, and the mouse is followed."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.annotating.pencil import Pencil, text_height
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.image_view import LiveView
from app.widgets.placed import Placed
from semc_core.imaging.figures import COLOUR
from semc_core.language import _
from semc_core.session.annotations import Annotation, Place

_HALO: Final = QColor(0, 0, 0, 190)
_LINE, _AROUND = 1.6, 4.0
_REACH_EM: Final = 0.75


@told_as(Role.Graphic)
class AnnotationLayer(QWidget):
    """Lies over what is measured; the mouse is handed on to that, but for what is annotated.

    Signals:
        touched: The mouse did something.
        text_wanted: A text was double clicked, its number.
    """

    touched = Signal()
    text_wanted = Signal(int)

    def __init__(self, view: LiveView, over: QWidget, pencil: Pencil) -> None:
        """Lie over a widget.

        Args:
            view: The picture.
            over: What is as large, and gets the mouse where nothing is annotated.
            pencil: What the mouse does.
        """
        super().__init__(over)
        self._view, self._pencil = view, pencil
        self._drawn: tuple[Annotation, ...] = ()
        self._chosen: tuple[int | None, int] = (None, 0)
        self.setMouseTracking(True)
        self.setAccessibleName(_("Annotations on the picture"))
        layout = QVBoxLayout(over)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self)

    def show_all(self) -> None:
        """Draw what the pencil says now."""
        drawn, chosen = self._pencil.shown, (self._pencil.chosen, self._pencil.handle)
        if (drawn, chosen) != (self._drawn, self._chosen):
            self._drawn, self._chosen = drawn, chosen
            self.update()
        if self._pencil.tool is not None:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()

    def spoken(self) -> str:
        """What is drawn."""
        kinds = {"text": _("Text"), "arrow": _("Arrow"), "mark": _("Body mark")}
        chosen = self._chosen[0]
        return "; ".join(
            " ".join(
                filter(None, (kinds[each.kind], each.text, _("chosen") if each.number == chosen else ""))
            )
            for each in self._drawn
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Place one, or take one; else it is for what lies below."""
        placed = self._view.placed
        mine = placed is not None and event.button() is Qt.MouseButton.LeftButton
        if mine and placed is not None and self._pencil.press(*self._where(placed, event)):
            self.touched.emit()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow what is drawn or moved."""
        placed = self._view.placed
        if placed is not None and self._pencil.move(self._where(placed, event)[0]):
            self.touched.emit()
        elif self._pencil.tool is None:
            event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        placed = self._view.placed
        if placed is not None and self._pencil.active:
            self._pencil.release(*self._where(placed, event))
            self.touched.emit()
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A text is typed anew."""
        placed = self._view.placed
        found = None if placed is None else self._pencil.under(*self._where(placed, event))
        if found is None:
            event.ignore()
        else:
            self.text_wanted.emit(found[0])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines and words, each on a dark rim; the chosen one with its points."""
        placed = self._view.placed
        if placed is None or not self._drawn:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for each in self._drawn:
            _paint(painter, each, placed, theme.em(self), *self._chosen)
        painter.end()

    def _where(self, placed: Placed, event: QMouseEvent) -> tuple[Place, float]:
        at = event.position()
        return placed.to_frame(at.x(), at.y()), _REACH_EM * theme.em(self) / placed.scale


def _paint(
    painter: QPainter, one: Annotation, placed: Placed, em: float, chosen: int | None, handle: int
) -> None:
    colour = QColor(theme.ACCENT) if one.number == chosen else QColor(*COLOUR)
    path = QPainterPath()
    for line in one.lines:
        corners = np.asarray(line) * placed.scale + (placed.left, placed.top)
        path.addPolygon(QPolygonF([QPointF(float(x), float(y)) for x, y in corners]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_HALO, _AROUND), QPen(colour, _LINE)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)
    if one.kind == "text":
        font = QFont(painter.font())
        font.setBold(True)
        font.setPixelSize(max(1, round(text_height(one) * placed.scale)))
        words = QPainterPath()
        words.addText(QPointF(*placed.to_widget_point(*one.points[0])), font, one.text)
        painter.strokePath(words, QPen(_HALO, _AROUND))
        painter.fillPath(words, colour)
    if one.number == chosen:
        for number, point in enumerate(one.points):
            at = QPointF(*placed.to_widget_point(*point))
            painter.setPen(QPen(colour, _AROUND if number == handle else _LINE))
            painter.drawEllipse(at, 0.32 * em, 0.32 * em)
