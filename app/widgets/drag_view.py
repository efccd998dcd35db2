"""A picture over which a box can be dragged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets.colours import ON_PICTURE
from app.widgets.drawing import image_of, whole_rect
from app.widgets.levels import NEUTRAL, Levels
from app.widgets.placed import Placed, Point, place


class DragView(QWidget):
    """Holds a picture and follows the left button; a subclass paints and says what a drag means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QImage | None = None
        self._levels = NEUTRAL
        self._draggable = False
        self._drag: tuple[Point, Point] | None = None

    @property
    def placed(self) -> Placed | None:
        """Where the picture lies in the widget; None without one."""
        if self._pixels is None:
            return None
        height, width = self._pixels.shape[:2]
        return place(width, height, self.width(), self.height())

    @property
    def image(self) -> QImage | None:
        """The picture as it is painted; None without one."""
        return self._image

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        if self._draggable and event.button() is Qt.MouseButton.LeftButton and self._pixels is not None:
            self._drag = (place_of(event), place_of(event))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        if self._drag is not None:
            self._drag = (self._drag[0], place_of(event))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        placed, drag = self.placed, self._drag
        if drag is None or placed is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        self._drag = None
        self.update()
        self._dragged(placed, drag[0], place_of(event))

    def _dragged(self, placed: Placed, first: Point, last: Point) -> None:
        """The button was let go. A subclass says what becomes of it."""
        raise NotImplementedError

    def _set_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Take uint8 (H, W) or (H, W, 3), or nothing, to be painted; the same array is converted once."""
        if pixels is not self._pixels:
            self._pixels = pixels
            self._image = None if pixels is None else image_of(self._levels.applied(pixels))

    @property
    def levels(self) -> Levels:
        """How bright, and with how much contrast, the picture is painted."""
        return self._levels

    def show_levels(self, levels: Levels) -> None:
        """Paint the picture so from now on; its pixels stay as they are."""
        if levels != self._levels:
            self._levels = levels
            pixels, self._pixels = self._pixels, None
            self._set_pixels(pixels)
            self.update()

    def _set_draggable(self, on: bool) -> None:
        """Whether a drag begins when the button is pressed; a cross says so. Off ends one."""
        self._draggable = on
        if on:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self._drag = None
            self.unsetCursor()
        self.update()

    def _paint_picture(self, painter: QPainter, placed: Placed, image: QImage) -> QRectF:
        """Paint the picture; returns where it lies."""
        whole = whole_rect(placed)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, placed.scale != 1.0)
        painter.drawImage(whole, image)
        return whole

    def _paint_drag(self, painter: QPainter, whole: QRectF, opacity: int) -> None:
        """Paint what is being dragged, filled with `opacity` of 255, within `whole`."""
        if self._drag is None:
            return
        (x0, y0), (x1, y1) = self._drag
        fill = QColor(ON_PICTURE.accent)
        fill.setAlpha(opacity)
        painter.setPen(QPen(QColor(ON_PICTURE.accent), 2.0, Qt.PenStyle.DashLine))
        painter.setBrush(fill)
        painter.drawRect(QRectF(QPointF(x0, y0), QPointF(x1, y1)).normalized() & whole)


def place_of(event: QMouseEvent) -> Point:
    """Where the mouse is in the widget."""
    return event.position().x(), event.position().y()
