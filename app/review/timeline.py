"""The time line of a loop: one lane for each plane, what was saved, what is marked, and the playhead."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from app.review.lanes import Lanes, ShareReader, named_lanes, paint_planes
from app.review.presenter import shown_words
from app.review.time_scale import TimeScale, TimeSpan, following, panned, ticks, whole_span, zoomed
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.drawing import image_of
from app.widgets.plain import plain_tip
from semc_core.labels import full_name
from semc_core.language import _, plural
from semc_core.session.records import PlaneEntry, RegionEntry
from semc_core.text import scan_time

_ZOOM: Final = 1.25
_PAN: Final = 0.15
_NEAR_PX: Final = 7
_NAME_EM: Final = 0.72
"""A lane that is less high cannot be named as the others are."""
_THIN_EM: Final = 0.42
"""The least height of a lane where there are many: of some the names are left out then."""
_MANY: Final = 10
_LEAST_EM: Final = 5
_MANY_SPOKEN: Final = 20
"""So many planes are read aloud one by one."""


def lane_picture(shares: NDArray[np.float32], colours: list[str]) -> NDArray[np.uint8]:
    """Colour shares: the surer, the closer to the plane's colour; not analysed is see-through.

    Args:
        shares: float32 (lanes, bins), 0-1 or NaN.
        colours: "#rrggbb" of each lane.

    Returns:
        uint8 (lanes, bins, 4), RGBA.
    """
    full = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours], np.float32)
    ground = np.array([int(theme.RAISED[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    known = np.isfinite(shares)
    mixed = np.where(known, shares, 0)[..., None]
    picture = np.empty((*shares.shape, 4), np.uint8)
    picture[..., :3] = np.round(ground * (1 - mixed) + full.reshape(-1, 1, 3) * mixed)
    picture[..., 3] = np.where(known, 255, 0)
    return picture


@told_as(Role.Slider)
class TimelineView(QWidget):
    """Paints the lanes from binned shares, however long the loop is. Dragging scrubs, the wheel zooms.

    Signals:
        scrubbed: A time in seconds was clicked or dragged to.
        plane_wanted: The mark of this plane was clicked.
    """

    scrubbed = Signal(float)
    plane_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(_("Time line"))
        self._colours: dict[str, str] = {}
        self._whole = whole_span(0.0, 0.0)
        self._span = self._whole
        self._read: ShareReader | None = None
        self._lanes: QImage | None = None
        self._lanes_of: tuple[TimeSpan, int] | None = None
        self._still = QPixmap()
        self._still_of: tuple[object, ...] = ()
        self._planes: tuple[PlaneEntry, ...] = ()
        self._regions: tuple[RegionEntry, ...] = ()
        self._chosen: int | None = None
        self._playhead_s = 0.0
        self._mark_from_s: float | None = None
        self._pan_from: tuple[float, TimeSpan] | None = None
        self._scrubbing = False
        self._pressed_x: float | None = None

    # What is shown.

    def begin(self, colours: dict[str, str], start_s: float, end_s: float) -> None:
        """Begin anew: the planes with their colours, and how long the loop is."""
        self._colours = colours
        self._whole = self._span = whole_span(start_s, end_s)
        self._planes, self._regions, self._chosen, self._mark_from_s = (), (), None, None
        self._playhead_s = start_s
        self.show_shares(None)
        self.updateGeometry()

    def extend(self, start_s: float, end_s: float) -> None:
        """The loop turned out to be as long as this."""
        longer = whole_span(start_s, end_s)
        if longer != self._whole:
            self._span = longer if self._span == self._whole else self._span
            self._whole = longer
            self.update()

    def show_shares(self, read: ShareReader | None) -> None:
        """Draw the lanes from this from now on."""
        self._read, self._lanes, self._lanes_of = read, None, None
        self.update()

    def show_session(
        self, planes: tuple[PlaneEntry, ...], regions: tuple[RegionEntry, ...], chosen: int | None
    ) -> None:
        """Mark these planes and regions of time."""
        if (planes, regions, chosen) != (self._planes, self._regions, self._chosen):
            self._planes, self._regions, self._chosen = planes, regions, chosen
            self.update()

    def show_playhead(self, time_s: float, mark_from_s: float | None) -> None:
        """Where the review is; since when a region is being marked, or None."""
        if (time_s, mark_from_s) == (self._playhead_s, self._mark_from_s):
            return
        self._playhead_s, self._mark_from_s = time_s, mark_from_s
        if not self._scrubbing and self._pan_from is None:
            self._span = following(self._span, time_s, self._whole)
        self.update()

    def spoken(self) -> str:
        """Where the review is, and what was found and marked."""
        if not self._colours:
            return _("No loop")
        end, chosen = scan_time(self._whole.end_s), self._chosen
        parts = [_("{time} of {end}", time=scan_time(self._playhead_s), end=end)]
        for plane in self._planes[:_MANY_SPOKEN]:
            held = _stretch(plane.plane, plane.start_s, plane.end_s)
            words = _("rejected") if plane.rejected else "", _("chosen") if plane.plane_id == chosen else ""
            parts.append(", ".join(filter(None, (held, *words))))
        if more := len(self._planes[_MANY_SPOKEN:]):
            parts.append(plural("{count} more plane", "{count} more planes", more))
        parts += [_stretch(each.label, each.start_s, each.end_s) for each in self._regions[:_MANY_SPOKEN]]
        return "; ".join(parts)

    @property
    def span(self) -> TimeSpan:
        """The stretch of time that is shown."""
        return self._span

    def zoom(self, steps: float) -> None:
        """See less around the playhead (more, if negative)."""
        self._show_span(zoomed(self._span, _ZOOM ** (-steps), self._playhead_s, self._whole))

    def zoom_all(self) -> None:
        """See the whole loop."""
        self._show_span(self._whole)

    def _show_span(self, span: TimeSpan) -> None:
        if span != self._span:
            self._span = span
            self.update()

    # Where things are.

    def sizeHint(self) -> QSize:
        """A line for each lane."""
        em = theme.em(self)
        return QSize(round(40 * em), round((1.15 * max(1, len(self._colours)) + 2.2) * em))

    def minimumSizeHint(self) -> QSize:
        """Where there are many lanes and little room, one can still go from place to place."""
        em = theme.em(self)
        return QSize(round(20 * em), min(self.readable_height, round(_LEAST_EM * em)))

    @property
    def readable_height(self) -> int:
        """At which the names of the lanes can be read; of many lanes, those of some."""
        em, count = theme.em(self), max(1, len(self._colours))
        lane = _NAME_EM if count < _MANY else _THIN_EM
        return round((lane * count + 1.9) * em)

    @property
    def scale(self) -> TimeScale:
        """Where times lie in the widget."""
        em = theme.em(self)
        names = max((self.fontMetrics().horizontalAdvance(name) for name in self._colours), default=0)
        left = names + 1.0 * em
        return TimeScale(self._span, left, max(1.0, self.width() - left - 0.6 * em))

    def _lane_box(self) -> QRectF:
        em, scale = theme.em(self), self.scale
        top = 0.55 * em
        return QRectF(scale.left, top, scale.width, max(1.0, self.height() - top - 1.35 * em))

    def _lane_at(self, y: float) -> int:
        box = self._lane_box()
        return int((y - box.top()) // (box.height() / max(1, len(self._colours))))

    def event(self, event: QEvent) -> bool:
        """The name of the lane under the mouse: not every one is written where there is little room."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            names, lane = list(self._colours), self._lane_at(event.pos().y())
            words = plain_tip(_(full_name(names[lane]))) if 0 <= lane < len(names) else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def _plane_at(self, x: float, y: float) -> PlaneEntry | None:
        """The plane whose mark is under the mouse, the nearest if there are several."""
        scale, names, lane = self.scale, list(self._colours), self._lane_at(y)
        near = [
            (abs(scale.x(plane.time_s) - x), plane)
            for plane in self._planes
            if plane.plane in self._colours and names.index(plane.plane) == lane
        ]
        distance, found = min(near, key=lambda pair: pair[0], default=(_NEAR_PX + 1.0, None))
        return found if distance <= _NEAR_PX else None

    # What the user does.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left: go there, or to the plane whose mark this is, and follow. Right or middle: drag the line."""
        x, y = event.position().x(), event.position().y()
        if event.button() is not Qt.MouseButton.LeftButton:
            self._pan_from = (x, self._span)
            return
        self._scrubbing, self._pressed_x = True, None
        plane = self._plane_at(x, y)
        if plane is None:
            self.scrubbed.emit(self.scale.time_s(x))
        else:
            self._pressed_x = x
            self.plane_wanted.emit(plane.plane_id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        x = event.position().x()
        if self._scrubbing:
            # A hand that trembles on a mark does not leave the frame of its plane.
            if self._pressed_x is not None and abs(x - self._pressed_x) < QApplication.startDragDistance():
                return
            self._pressed_x = None
            self.scrubbed.emit(self.scale.time_s(x))
        elif self._pan_from is not None:
            from_x, span = self._pan_from
            by_s = (from_x - x) / self.scale.width * span.length_s
            self._show_span(panned(span, by_s, self._whole))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        self._scrubbing, self._pan_from = False, None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the mouse; sideways, or with Shift, move along."""
        turn = event.angleDelta()
        sideways = turn.x() or (turn.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self._show_span(panned(self._span, -_PAN * self._span.length_s * sideways / 120, self._whole))
        else:
            at_s = self.scale.time_s(event.position().x())
            self._show_span(zoomed(self._span, _ZOOM ** (-turn.y() / 120), at_s, self._whole))
        event.accept()

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        """What stays, the chosen plane, a region being marked, the playhead, from back to front."""
        painter = QPainter(self)
        if not self._colours:
            painter.fillRect(self.rect(), QColor(theme.PANEL))
            painter.end()
            return
        box, scale = self._lane_box(), self.scale
        if self.devicePixelRatioF().is_integer():
            self._keep_still(box, scale)
            painter.drawPixmap(0, 0, self._still)
        else:
            # A picture would not fall on whole pixels of the screen.
            self._paint_still(painter, box, scale)
        self._begin_lanes(painter, box)
        chosen = [plane for plane in self._planes if plane.plane_id == self._chosen]
        paint_planes(painter, chosen, self._lane_places(box), scale, chosen=True)
        if self._mark_from_s is not None:
            start_s, end_s = sorted((self._mark_from_s, self._playhead_s))
            self._paint_region(painter, box, scale, start_s, end_s)
        self._paint_playhead(painter, box, scale)
        painter.end()

    def _keep_still(self, box: QRectF, scale: TimeScale) -> None:
        """Paint a picture of what stays, once: hundreds of planes take some milliseconds."""
        ratio = self.devicePixelRatioF()
        session = (self._planes, self._regions, self._read)
        key = (*session, self._span, self.size(), ratio, self.font(), tuple(self._colours.items()))
        if key == self._still_of:
            return
        self._still_of = key
        self._still = QPixmap(self.size() * ratio)
        self._still.setDevicePixelRatio(ratio)
        painter = QPainter(self._still)
        self._paint_still(painter, box, scale)
        painter.end()

    def _paint_still(self, painter: QPainter, box: QRectF, scale: TimeScale) -> None:
        """Lanes, axis, regions, holds and marks."""
        painter.fillRect(self.rect(), QColor(theme.PANEL))
        self._paint_lanes(painter, box)
        self._paint_axis(painter, box, scale)
        self._begin_lanes(painter, box)
        for region in self._regions:
            self._paint_region(painter, box, scale, region.start_s, region.end_s, region.label)
        paint_planes(painter, self._planes, self._lane_places(box), scale)

    def _lane_places(self, box: QRectF) -> Lanes:
        return Lanes(box, self._colours, theme.em(self))

    def _begin_lanes(self, painter: QPainter, box: QRectF) -> None:
        """From now on paint on the lanes only, smoothly."""
        painter.setClipRect(QRectF(box.left() - 8, 0, box.width() + 16, self.height()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_lanes(self, painter: QPainter, box: QRectF) -> None:
        key = (self._span, round(box.width()))
        if self._read is not None and key != self._lanes_of:
            shares = self._read(*key)
            self._lanes = image_of(lane_picture(shares, list(self._colours.values())))
            self._lanes_of = key
        high = box.height() / len(self._colours)
        gap = 1.0 if high < 12 else 2.0
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), min(0.95, max(high / em, _NAME_EM) * 1.05)))
        names = list(self._colours)
        found = [names.index(plane.plane) for plane in self._planes if plane.plane in self._colours]
        named = named_lanes(len(names), high / em, found, _NAME_EM)
        for i, (name, colour) in enumerate(self._colours.items()):
            lane = QRectF(box.left(), box.top() + i * high, box.width(), high - gap)
            painter.fillRect(lane, QColor(theme.GROUND))
            if self._lanes is not None:
                painter.drawImage(lane, self._lanes, QRectF(0, i, self._lanes.width(), 1))
            if i in named:
                painter.setPen(QColor(colour))
                place = QRectF(0, 0, box.left() - 0.5 * em, max(high, _NAME_EM * em))
                place.moveTop(lane.top() + (high - place.height()) / 2)
                painter.drawText(place, middle, name)

    def _paint_axis(self, painter: QPainter, box: QRectF, scale: TimeScale) -> None:
        em = theme.em(self)
        painter.setFont(theme.scaled_font(self.font(), 0.85))
        metrics = painter.fontMetrics()
        wide = metrics.horizontalAdvance("00:00.0") + 1.5 * em
        for time_s, text in ticks(self._span, box.width(), wide):
            x = round(scale.x(time_s)) + 0.5
            painter.setPen(QColor(theme.BORDER))
            painter.drawLine(QPointF(x, box.bottom()), QPointF(x, box.bottom() + 0.25 * em))
            painter.setPen(QColor(theme.DIM))
            at = min(x - wide / 2, self.width() - wide)
            line = QRectF(at, box.bottom() + 0.2 * em, wide, 1.1 * em)
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_region(
        self, painter: QPainter, box: QRectF, scale: TimeScale, start_s: float, end_s: float, label: str = ""
    ) -> None:
        """A bar above the lanes and a tint over them."""
        em = theme.em(self)
        left = scale.x(start_s)
        wide = max(2.0, scale.x(end_s) - left)
        tint = QColor(theme.ACCENT)
        tint.setAlpha(45)
        painter.fillRect(QRectF(left, box.top(), wide, box.height()), tint)
        painter.fillRect(QRectF(left, 0.1 * em, wide, 0.3 * em), QColor(theme.ACCENT))
        line = QRectF(left + 0.25 * em, box.top(), wide - 0.5 * em, 0.9 * em)
        if label and line.width() > 2 * em:
            painter.setFont(theme.scaled_font(self.font(), 0.75))
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown_words(label))

    def _paint_playhead(self, painter: QPainter, box: QRectF, scale: TimeScale) -> None:
        x = round(scale.x(self._playhead_s)) + 0.5
        painter.setPen(QPen(QColor(theme.TEXT), 1.5))
        painter.drawLine(QPointF(x, 0), QPointF(x, box.bottom() + 2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.TEXT))
        half = 0.3 * theme.em(self)
        painter.drawPolygon([QPointF(x - half, 0), QPointF(x + half, 0), QPointF(x, 1.6 * half)])


def _stretch(name: str, start_s: float, end_s: float) -> str:
    return _("{name} from {start} to {end}", name=name, start=scan_time(start_s), end=scan_time(end_s))
