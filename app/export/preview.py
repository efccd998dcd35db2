"""The picture in the export dialog: what leaves the machine, with masks to draw and text that was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.export.presenter import LEAST_MASK_PX, mask_at
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.colours import ON_PICTURE
from app.widgets.drag_view import DragView
from app.widgets.placed import Placed, Point
from semc_core.language import _, plural
from semc_core.types import Crop

_SHADE: Final = 205
_DRAG_OPACITY: Final = 60


@told_as(Role.Graphic)
class ExportPicture(DragView):
    """Paints one picture; what is blanked in the export is dark.

    Signals:
        mask_drawn: A `Crop` in frame pixels.
        mask_clicked: The number of the mask that was clicked.
    """

    mask_drawn = Signal(object)
    mask_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(_("Picture as it is exported"))
        self._region: Crop | None = None
        self._masks: tuple[Crop, ...] = ()
        self._boxes: tuple[Crop, ...] = ()
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
    def pixels(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 (H, W) or (H, W, 3)."""
        return self._pixels

    def show_picture(self, pixels: NDArray[np.uint8] | None, region: Crop | None, empty: str = "") -> None:
        """Show `pixels`, uint8 (H, W) or (H, W, 3): all outside `region` is dark; or say `empty`."""
        self._set_pixels(pixels)
        self._region, self._empty = region, empty
        self.update()

    def show_masks(self, masks: Sequence[Crop], *, drawing: bool) -> None:
        """Black boxes; whether they can be drawn and taken away."""
        self._masks = tuple(masks)
        self._set_draggable(drawing)

    def show_boxes(self, boxes: Sequence[Crop]) -> None:
        """Frames round text that was found."""
        self._boxes = tuple(boxes)
        self.update()

    def spoken(self) -> str:
        """How much of it is blanked, and how much text was found on it."""
        if self._image is None:
            return self._empty
        masks = plural("{count} mask", "{count} masks", len(self._masks)) if self._masks else ""
        found = _("text was found on it") if self._boxes else ""
        return ", ".join(filter(None, (masks, found)))

    def _dragged(self, placed: Placed, first: Point, last: Point) -> None:
        """A drag is a mask; a click on one takes it away."""
        mask = placed.region(first, last, LEAST_MASK_PX)
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
            painter.setPen(QColor(ON_PICTURE.dim))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self._empty)
            painter.end()
            return
        whole = self._paint_picture(painter, placed, self._image)
        self._shade(painter, placed, whole)
        for mask in self._masks:
            painter.setPen(QPen(QColor(ON_PICTURE.accent), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(QColor("#000000"))
            painter.drawRect(QRectF(*placed.to_widget(mask)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ON_PICTURE.warning), 2.0))
        painter.drawPath(self._round_text(placed))
        self._paint_drag(painter, whole, _DRAG_OPACITY)
        painter.end()

    def _round_text(self, placed: Placed) -> QPainterPath:
        """One line round all boxes that touch: those of single ones would cross the text in question."""
        path = QPainterPath()
        path.setFillRule(Qt.FillRule.WindingFill)
        for box in self._boxes:
            path.addRect(QRectF(*placed.to_widget(box)).adjusted(-2, -2, 2, 2))
        return path.simplified()

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
        painter.setPen(QPen(QColor(ON_PICTURE.dim), 1.0, Qt.PenStyle.DotLine))
        painter.drawRect(kept)
