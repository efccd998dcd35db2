"""The picture in the export dialog: what leaves the machine, with masks to draw and text that was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.export_state import mask_at, mask_between
from app.geometry import Placed, place
from app.picture import image_of
from semc_core.frames import Crop

_SHADE = 205


class ExportPicture(QWidget):
    """Paints one picture; what is blanked in the export is dark.

    Signals:
        mask_drawn: A `Crop` in frame pixels.
        mask_clicked: The number of the mask that was clicked.
    """

    mask_drawn = Signal(object)
    mask_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Picture as it is exported")
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QImage | None = None
        self._region: Crop | None = None
        self._masks: tuple[Crop, ...] = ()
        self._boxes: tuple[Crop, ...] = ()
        self._drawing = False
        self._drag: tuple[tuple[float, float], tuple[float, float]] | None = None
        self._empty = ""

    def sizeHint(self) -> QSize:
        """Small enough for a small window; the layout gives more."""
        em = theme.em(self)
        return QSize(round(22 * em), round(15 * em))

    def minimumSizeHint(self) -> QSize:
        """Large enough to draw on."""
        em = theme.em(self)
        return QSize(round(14 * em), round(9 * em))

    @property
    def placed(self) -> Placed | None:
        """Where the picture lies in the widget; None without one."""
        if self._pixels is None:
            return None
        height, width = self._pixels.shape[:2]
        return place(width, height, self.width(), self.height())

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 (H, W) or (H, W, 3)."""
        return self._pixels

    def show_picture(self, pixels: NDArray[np.uint8] | None, region: Crop | None, empty: str = "") -> None:
        """Show `pixels`, uint8 (H, W) or (H, W, 3): all outside `region` is dark; or say `empty`."""
        if pixels is not self._pixels:
            self._pixels = pixels
            self._image = None if pixels is None else image_of(pixels)
        self._region, self._empty = region, empty
        self.update()

    def show_masks(self, masks: Sequence[Crop], *, drawing: bool) -> None:
        """Black boxes; whether they can be drawn and taken away."""
        self._masks, self._drawing = tuple(masks), drawing
        if drawing:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self._drag = None
            self.unsetCursor()
        self.update()

    def show_boxes(self, boxes: Sequence[Crop]) -> None:
        """Frames round text that was found."""
        self._boxes = tuple(boxes)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a mask."""
        if self._drawing and event.button() is Qt.MouseButton.LeftButton and self._pixels is not None:
            at = (event.position().x(), event.position().y())
            self._drag = (at, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        if self._drag is not None:
            self._drag = (self._drag[0], (event.position().x(), event.position().y()))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A drag is a mask; a click on one takes it away."""
        placed, drag = self.placed, self._drag
        if drag is None or placed is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        self._drag = None
        self.update()
        last = (event.position().x(), event.position().y())
        mask = mask_between(placed.to_frame(*drag[0]), placed.to_frame(*last))
        if mask is not None:
            self.mask_drawn.emit(mask)
        elif (number := mask_at(self._masks, *placed.to_frame(*last))) is not None:
            self.mask_clicked.emit(number)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        placed = self.placed
        if placed is None or self._image is None:
            painter.setPen(QColor(theme.DIM))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self._empty)
            painter.end()
            return
        whole = QRectF(placed.left, placed.top, placed.width * placed.scale, placed.height * placed.scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, placed.scale != 1.0)
        painter.drawImage(whole, self._image)
        self._shade(painter, placed, whole)
        for mask in self._masks:
            painter.setPen(QPen(QColor(theme.ACCENT), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(QColor("#000000"))
            painter.drawRect(QRectF(*placed.to_widget(mask)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.WARNING), 2.0))
        for box in self._boxes:
            painter.drawRect(QRectF(*placed.to_widget(box)))
        if self._drag is not None:
            (x0, y0), (x1, y1) = self._drag
            fill = QColor(theme.ACCENT)
            fill.setAlpha(60)
            painter.setPen(QPen(QColor(theme.ACCENT), 2.0, Qt.PenStyle.DashLine))
            painter.setBrush(fill)
            painter.drawRect(QRectF(QPointF(x0, y0), QPointF(x1, y1)).normalized() & whole)
        painter.end()

    def _shade(self, painter: QPainter, placed: Placed, whole: QRectF) -> None:
        """Darken what lies outside the region: it is black in the export."""
        if self._region is None:
            return
        kept = QRectF(*placed.to_widget(self._region)) & whole
        dark = QColor(0, 0, 0, _SHADE)
        painter.fillRect(QRectF(whole.topLeft(), QPointF(whole.right(), kept.top())), dark)
        painter.fillRect(QRectF(QPointF(whole.left(), kept.bottom()), whole.bottomRight()), dark)
        painter.fillRect(QRectF(whole.left(), kept.top(), kept.left() - whole.left(), kept.height()), dark)
        painter.fillRect(QRectF(kept.right(), kept.top(), whole.right() - kept.right(), kept.height()), dark)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.DIM), 1.0, Qt.PenStyle.DotLine))
        painter.drawRect(kept)
