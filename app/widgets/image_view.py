"""The picture, painted by hand: no pixmap, no signal with pixels, one copy per frame; seen larger, too."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.colours import ON_PICTURE
from app.widgets.depth_scale import paint_depth
from app.widgets.drag_view import DragView, place_of
from app.widgets.drawing import image_of
from app.widgets.magnified import WHOLE, Magnified
from app.widgets.placed import LEAST_REGION_PX, Placed, Point, badge_places
from app.widgets.region_grip import Grip, grip_at, pulled
from semc_core.imaging.heatmap import TINT, HeatMap
from semc_core.language import _
from semc_core.measure.calibration import Calibration
from semc_core.text import scan_time
from semc_core.types import Crop, FramePacket, FrameResult

_DRAG_OPACITY: Final = 40
_NOTCH: Final = 120
"""What Qt calls a step of the wheel."""
_OUTLINE_S: Final = 1.0
"""So long the whole outline of the region of interest is shown when it has changed."""
_GRIP_EM: Final = 0.5


@told_as(Role.Graphic)
class LiveView(DragView):
    """Paints one frame with its shape kept, the heat map, the region of interest, and short texts over it.

    Signals:
        region_chosen: A `Crop` in frame pixels was dragged.
        region_refused: What was dragged was too small.
        wheeled: The wheel was turned by so many steps, on if positive; it does not zoom.
        automatic_region: A double click asks for the region to be found automatically.
        seen: Another part of the picture is seen, a `Magnified`.
    """

    region_chosen = Signal(object)
    region_refused = Signal()
    wheeled = Signal(int)
    automatic_region = Signal()
    seen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(_("Live picture"))
        self.painted: list[tuple[FrameResult, float]] = []
        """Each result when it was first painted, `time.monotonic()`; the window empties it."""
        self._packet: FramePacket | None = None
        self._heat: HeatMap | None = None
        self._heat_image: QImage | None = None
        self._result: FrameResult | None = None
        self._measured: FrameResult | None = None
        self._crop: Crop | None = None
        self._accent: str | None = None
        self._badges: tuple[tuple[str, str], ...] = ()
        self._hint = ""
        self._depth: Calibration | None = None
        self._outline_until_s = 0.0
        self._movable = False
        self._over: Grip | None = None
        self._pulled: Crop | None = None
        self._seen = WHOLE
        self._turned = 0
        self._panned_from: Point | None = None
        self._corner: QWidget | None = None

    def sizeHint(self) -> QSize:
        """A quarter of a usual screen; the layout gives more."""
        return QSize(640, 480)

    def put_in_corner(self, control: QWidget) -> None:
        """Show a small control over the picture, at its upper right. Called once."""
        self._corner = control
        control.setParent(self)
        control.show()
        self.place_corner()

    def place_corner(self) -> None:
        """The small control, or the picture, has another size."""
        if (control := self._corner) is not None:
            gap = round(0.4 * theme.em(self))
            wide = min(control.sizeHint().width(), self.width() - 2 * gap)
            control.setGeometry(self.width() - gap - wide, gap, wide, control.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The small control stays in its corner."""
        self.place_corner()

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
        if crop is not None and crop != self._crop:
            self._outline_until_s = time.monotonic() + _OUTLINE_S
        self._result, self._crop = result, crop
        self.update()

    @property
    def placed(self) -> Placed | None:
        """Where the picture lies in the widget, which may see a part of it only; None without one."""
        if self._pixels is None:
            return None
        height, width = self._pixels.shape[:2]
        return self._seen.placed(width, height, self.width(), self.height())

    @property
    def magnified(self) -> bool:
        """Whether only a part of the picture is seen."""
        return not self._seen.whole

    def fit(self) -> None:
        """See the whole picture."""
        self.show_seen(WHOLE)

    def zoom(self, steps: float, at: QPointF) -> None:
        """See it larger by so many steps, or smaller, about this place of the widget."""
        if (placed := self.placed) is not None:
            room = float(self.width()), float(self.height())
            self.show_seen(self._seen.zoomed(steps, (at.x(), at.y()), placed, room))

    def pan(self, at: QPointF | None) -> None:
        """Drag what is seen larger: from the first place to the next; None ends it."""
        before, placed = self._panned_from, self.placed
        self._panned_from = None if at is None else (at.x(), at.y())
        if at is not None and before is not None and placed is not None:
            room = float(self.width()), float(self.height())
            self.show_seen(self._seen.moved((at.x() - before[0], at.y() - before[1]), placed, room))

    @property
    def panning(self) -> bool:
        """Whether it is being dragged."""
        return self._panned_from is not None

    @property
    def magnified_to(self) -> Magnified:
        """Which part of the picture is seen."""
        return self._seen

    def show_seen(self, seen: Magnified) -> None:
        """See this part of the picture."""
        if seen != self._seen:
            self._seen = seen
            self.seen.emit(seen)
            self.update()
            for layer in self.findChildren(QWidget):
                layer.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl it zooms; else whoever listens goes through the frames."""
        turn = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(turn / _NOTCH, event.position())
        else:
            # Fine wheels and touch pads turn by parts of a step.
            steps = int((self._turned - turn) / _NOTCH)
            self._turned -= turn + steps * _NOTCH
            if steps:
                self.wheeled.emit(steps)
        event.accept()

    def show_depth(self, calibration: Calibration | None) -> None:
        """Show a ruler where millimetres are known; None shows none."""
        if calibration != self._depth:
            self._depth = calibration
            self.update()

    @property
    def ruler(self) -> Calibration | None:
        """What the ruler is made from."""
        return self._depth

    @property
    def outlined(self) -> bool:
        """Whether the whole outline of the region is shown, not its corners only."""
        taken = self._over is not None or self._pulled is not None
        return taken or time.monotonic() < self._outline_until_s

    @property
    def region_movable(self) -> bool:
        """Whether the region of interest can be taken by its corners and edges."""
        return self._movable

    @region_movable.setter
    def region_movable(self, on: bool) -> None:
        self._movable = on
        self.setMouseTracking(on)

    def show_texts(self, badges: tuple[tuple[str, str], ...], hint: str, accent: str | None) -> None:
        """Short texts with a colour each, a sentence at the bottom, and a frame in the plane's colour."""
        if (badges, hint, accent) != (self._badges, self._hint, self._accent):
            self._badges, self._hint, self._accent = badges, hint, accent
            self.update()

    @property
    def texts(self) -> tuple[tuple[tuple[str, str], ...], str, str | None]:
        """What `show_texts` was told last."""
        return self._badges, self._hint, self._accent

    def spoken(self) -> str:
        """Which frame it is, and what is written over it."""
        packet, frame = self._packet, _("No picture")
        if packet is not None:
            frame = _("Frame {frame} at {time}", frame=packet.index, time=scan_time(packet.pts_s))
        return ". ".join(filter(None, (frame, *(badge[0] for badge in self._badges), self._hint)))

    @property
    def choosing_region(self) -> bool:
        """Whether dragging sets the region of interest."""
        return self._draggable

    @choosing_region.setter
    def choosing_region(self, on: bool) -> None:
        self._set_draggable(on)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the region by what is under the mouse; or begin to drag another, or what is seen larger."""
        middle = event.button() is Qt.MouseButton.MiddleButton
        left = event.button() is Qt.MouseButton.LeftButton and not self._draggable
        if self.magnified and (middle or (left and self._grip_under(event) is None)):
            self.pan(event.position())
            return
        if self._draggable or event.button() is not Qt.MouseButton.LeftButton or self._crop is None:
            super().mousePressEvent(event)
            return
        self._over = self._grip_under(event)
        self._pulled = None if self._over is None else self._crop

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull what was taken; else say by the cursor what could be."""
        placed = self.placed
        if self.panning:
            self.pan(event.position())
        elif self._draggable or placed is None:
            super().mouseMoveEvent(event)
        elif self._pulled is not None and self._over is not None:
            x, y = placed.to_frame(*place_of(event))
            self._pulled = pulled(self._pulled, self._over, x, y, LEAST_REGION_PX)
            self.update()
        else:
            self._hover(self._grip_under(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The region stays as it was pulled."""
        region, self._pulled = self._pulled, None
        if self.panning:
            self.pan(None)
        elif region is None:
            super().mouseReleaseEvent(event)
        elif region != self._crop:
            self.region_chosen.emit(region)

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse is elsewhere."""
        if not self._draggable:
            self._hover(None)

    def _grip_under(self, event: QMouseEvent) -> Grip | None:
        placed = self.placed
        if not self._movable or placed is None or self._crop is None:
            return None
        x, y = place_of(event)
        at = (x - placed.left) / placed.scale, (y - placed.top) / placed.scale
        return grip_at(self._crop, *at, _GRIP_EM * theme.em(self) / placed.scale)

    def _hover(self, grip: Grip | None) -> None:
        if grip != self._over:
            self._over = grip
            self.setCursor(Qt.CursorShape.ArrowCursor if grip is None else _CURSORS[grip.across, grip.down])
            self.update()

    def _dragged(self, placed: Placed, first: Point, last: Point) -> None:
        """The region is chosen, unless it is too small."""
        region = placed.region(first, last)
        if region is None:
            self.region_refused.emit()
        else:
            self.region_chosen.emit(region)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the whole picture again; where it is seen, ask for the automatic region."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = None
            if self.magnified:
                self.fit()
            else:
                self.automatic_region.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        placed = self.placed
        if placed is not None and self._image is not None:
            self._paint_frame(painter, placed, self._image)
        else:
            painter.setPen(QColor(ON_PICTURE.dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, _("No picture"))
        self._paint_badges(painter)
        if self._hint:
            self._paint_hint(painter)
        painter.end()
        if self._result is not None and self._result is not self._measured:
            self._measured = self._result
            self.painted.append((self._result, time.monotonic()))

    def _paint_frame(self, painter: QPainter, placed: Placed, image: QImage) -> None:
        whole = self._paint_picture(painter, placed, image)
        if self._heat is not None and self._heat_image is not None:
            heat = self._heat
            painter.save()
            painter.setClipRect(QRectF(*placed.to_widget(heat.crop)))
            if heat.outline:
                sector = QPainterPath()
                sector.addPolygon(_polygon(placed, heat.outline))
                painter.setClipPath(sector, Qt.ClipOperation.IntersectClip)
            left, top = placed.left + heat.left * placed.scale, placed.top + heat.top * placed.scale
            over = QRectF(left, top, heat.width * placed.scale, heat.height * placed.scale)
            painter.drawImage(over, self._heat_image)
            _paint_lines(painter, placed, heat)
            painter.restore()
        region = self._pulled or self._crop
        if region is not None and self._drag is None:
            self._paint_region(painter, QRectF(*placed.to_widget(region)))
        if self._depth is not None:
            begins = 0.0 if region is None else float(region.top)
            paint_depth(painter, self._depth, whole, placed.scale, begins, theme.em(self))
        self._paint_drag(painter, whole, _DRAG_OPACITY)

    def _paint_region(self, painter: QPainter, region: QRectF) -> None:
        """Corners only, but when it changes: a full frame would hide the edge of the sector."""
        found = self._accent is not None
        width = 4.0 if found else 2.0
        pen = QPen(QColor(theme.over_picture(self._accent) or ON_PICTURE.dim), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        if self.outlined:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(region)
        box = region.adjusted(width / 2, width / 2, -width / 2, -width / 2)
        arm = min(2.0 * theme.em(self), box.width() / 4, box.height() / 4)
        for x, towards_x in ((box.left(), arm), (box.right(), -arm)):
            for y, towards_y in ((box.top(), arm), (box.bottom(), -arm)):
                painter.drawPolyline([QPointF(x + towards_x, y), QPointF(x, y), QPointF(x, y + towards_y)])

    def _paint_badges(self, painter: QPainter) -> None:
        """Dark on their colour; see `badge_places`."""
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), 1.5, bold=True))
        metrics = painter.fontMetrics()
        right = self.width() if self._corner is None else self._corner.x()
        wide = [metrics.horizontalAdvance(text) + em * 1.2 for text, _colour in self._badges]
        high = metrics.height() + em * 0.4
        places = badge_places(wide, high, self.placed, right, em)
        for (text, colour), width, (x, y) in zip(self._badges, wide, places, strict=True):
            box = QRectF(x, y, width, high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(box, 5, 5)
            painter.setPen(QColor(ON_PICTURE.ground))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_hint(self, painter: QPainter) -> None:
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), 1.05))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = QRectF(self.rect()).adjusted(em, em, -em, -em)
        text = painter.boundingRect(room, flags, self._hint)
        text.moveBottom(room.bottom() - em * 0.4)
        ground = QColor(ON_PICTURE.ground)
        ground.setAlpha(225)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(text.adjusted(-em * 0.8, -em * 0.4, em * 0.8, em * 0.4), 5, 5)
        painter.setPen(QColor(ON_PICTURE.text))
        painter.drawText(text, flags, self._hint)


def _polygon(placed: Placed, corners: Iterable[Iterable[float]]) -> QPolygonF:
    """Places in the frame, (x, y) each, as a polygon in the widget."""
    return QPolygonF([QPointF(*placed.to_widget_point(float(x), float(y))) for x, y in corners])


def _paint_lines(painter: QPainter, placed: Placed, heat: HeatMap) -> None:
    """A bright line on a dark one: it is seen on bright tissue, too."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = [_polygon(placed, line) for line in heat.lines]
    for pen in (QPen(QColor(0, 0, 0, 150), 3.5), QPen(QColor(*TINT), 1.6)):
        painter.setPen(pen)
        for line in lines:
            painter.drawPolygon(line)


_FALLING, _RISING = Qt.CursorShape.SizeFDiagCursor, Qt.CursorShape.SizeBDiagCursor
_LYING, _STANDING = Qt.CursorShape.SizeHorCursor, Qt.CursorShape.SizeVerCursor
_CURSORS: Final = {
    **{(-1, -1): _FALLING, (1, 1): _FALLING, (-1, 1): _RISING, (1, -1): _RISING},
    **{(-1, 0): _LYING, (1, 0): _LYING, (0, -1): _STANDING, (0, 1): _STANDING},
}
