"""The live picture, painted by hand: no pixmap, no signal with pixels, one copy per frame."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.widgets import theme
from app.widgets.drag_view import DragView
from app.widgets.geometry import Placed, Point
from app.widgets.picture import image_of
from semc_core.imaging.heatmap import HeatMap
from semc_core.types import Crop, FramePacket, FrameResult

_DRAG_OPACITY: Final = 40


class LiveView(DragView):
    """Paints one frame with its shape kept, the heat map, the region of interest, and short texts over it.

    Signals:
        region_chosen: A `Crop` in frame pixels was dragged.
        region_refused: What was dragged was too small.
        automatic_region: A double click asks for the region to be found automatically.
    """

    region_chosen = Signal(object)
    region_refused = Signal()
    automatic_region = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Live picture")
        self.latencies_ms: list[float] = []
        """Capture to overlay of each result when it was first painted; the window empties it."""
        self._packet: FramePacket | None = None
        self._heat: HeatMap | None = None
        self._heat_image: QImage | None = None
        self._result: FrameResult | None = None
        self._measured: FrameResult | None = None
        self._crop: Crop | None = None
        self._accent: str | None = None
        self._badges: tuple[tuple[str, str], ...] = ()
        self._hint = ""

    def sizeHint(self) -> QSize:
        """A quarter of a usual screen; the layout gives more."""
        return QSize(640, 480)

    @property
    def packet(self) -> FramePacket | None:
        """The frame that is shown."""
        return self._packet

    @property
    def result(self) -> FrameResult | None:
        """What was concluded last, as shown."""
        return self._result

    @property
    def heat(self) -> HeatMap | None:
        """The heat map that is laid over the frame."""
        return self._heat

    @property
    def crop(self) -> Crop | None:
        """The region of interest that is marked."""
        return self._crop

    def show_picture(
        self, packet: FramePacket | None, result: FrameResult | None, heat: HeatMap | None, crop: Crop | None
    ) -> None:
        """Paint `packet`, with what was concluded last; `heat` must be of this very frame."""
        self._packet = packet
        self._set_pixels(None if packet is None else packet.pixels)
        if heat is not self._heat:
            self._heat = heat
            self._heat_image = None if heat is None else image_of(heat.rgba)
        self._result, self._crop = result, crop
        self.update()

    def show_texts(self, badges: tuple[tuple[str, str], ...], hint: str, accent: str | None) -> None:
        """Short texts with a colour each, a sentence at the bottom, and a frame in the plane's colour."""
        if (badges, hint, accent) != (self._badges, self._hint, self._accent):
            self._badges, self._hint, self._accent = badges, hint, accent
            self.update()

    @property
    def choosing_region(self) -> bool:
        """Whether dragging sets the region of interest."""
        return self._draggable

    @choosing_region.setter
    def choosing_region(self, on: bool) -> None:
        self._set_draggable(on)

    def _dragged(self, placed: Placed, first: Point, last: Point) -> None:
        """The region is chosen, unless it is too small."""
        region = placed.region(first, last)
        if region is None:
            self.region_refused.emit()
        else:
            self.region_chosen.emit(region)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the automatic region."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = None
            self.automatic_region.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        placed = self.placed
        if placed is not None and self._image is not None:
            self._paint_frame(painter, placed, self._image)
        else:
            painter.setPen(QColor(theme.DIM))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No picture")
        self._paint_badges(painter)
        if self._hint:
            self._paint_hint(painter)
        painter.end()
        if self._result is not None and self._result is not self._measured:
            self._measured = self._result
            self.latencies_ms.append((time.monotonic() - self._result.packet.captured_s) * 1000)

    def _paint_frame(self, painter: QPainter, placed: Placed, image: QImage) -> None:
        whole = self._paint_picture(painter, placed, image)
        if self._heat is not None and self._heat_image is not None:
            heat = self._heat
            painter.save()
            painter.setClipRect(QRectF(*placed.to_widget(heat.crop)))
            left, top = placed.left + heat.left * placed.scale, placed.top + heat.top * placed.scale
            over = QRectF(left, top, heat.width * placed.scale, heat.height * placed.scale)
            painter.drawImage(over, self._heat_image)
            painter.restore()
        if self._crop is not None and self._drag is None:
            self._paint_region(painter, QRectF(*placed.to_widget(self._crop)))
        self._paint_drag(painter, whole, _DRAG_OPACITY)

    def _paint_region(self, painter: QPainter, region: QRectF) -> None:
        """Corners only: a full frame would hide the edge of the sector."""
        found = self._accent is not None
        width = 4.0 if found else 2.0
        pen = QPen(QColor(self._accent or theme.DIM), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        box = region.adjusted(width / 2, width / 2, -width / 2, -width / 2)
        arm = min(2.0 * theme.em(self), box.width() / 4, box.height() / 4)
        for x, towards_x in ((box.left(), arm), (box.right(), -arm)):
            for y, towards_y in ((box.top(), arm), (box.bottom(), -arm)):
                painter.drawPolyline([QPointF(x + towards_x, y), QPointF(x, y), QPointF(x, y + towards_y)])

    def _paint_badges(self, painter: QPainter) -> None:
        """Texts in the top left corner, side by side, dark on their colour."""
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), 1.5, bold=True))
        metrics = painter.fontMetrics()
        x, y = em * 0.6, em * 0.6
        for text, colour in self._badges:
            box = QRectF(x, y, metrics.horizontalAdvance(text) + em * 1.2, metrics.height() + em * 0.4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(box, 5, 5)
            painter.setPen(QColor(theme.GROUND))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            x = box.right() + em * 0.5

    def _paint_hint(self, painter: QPainter) -> None:
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), 1.05))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = QRectF(self.rect()).adjusted(em, em, -em, -em)
        text = painter.boundingRect(room, flags, self._hint)
        text.moveBottom(room.bottom() - em * 0.4)
        ground = QColor(theme.GROUND)
        ground.setAlpha(225)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(text.adjusted(-em * 0.8, -em * 0.4, em * 0.8, em * 0.4), 5, 5)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(text, flags, self._hint)
