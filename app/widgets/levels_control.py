"""A small control over the picture: drag it for brightness and contrast of the display."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.colours import ON_PICTURE
from app.widgets.drag_view import place_of
from app.widgets.levels import NEUTRAL, STEP, Levels
from app.widgets.placed import Point
from semc_core.language import N_, _

_PX_PER_UNIT: Final = 2
_SIDE_EM: Final = 1.7
_TIP: Final = N_(
    "Brightness and contrast on the screen only: what the model sees, what is saved and what is exported "
    "stay as they are. Drag up or down: brightness; right or left: contrast. Double-click: neutral."
)


@told_as(Role.Slider)
class LevelsControl(QWidget):
    """A sign while the display is neutral; else what was changed, in words.

    Signals:
        wanted: The `Levels` that it was dragged, turned or reset to.
    """

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels = NEUTRAL
        self._drag: tuple[Point, Levels] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        self._say()

    @property
    def text(self) -> str:
        """What it says; "" while the display is neutral."""
        return self._levels.text

    def spoken(self) -> str:
        """What was changed."""
        return self.text or _("Neutral")

    def show_levels(self, levels: Levels) -> None:
        """The picture is painted so."""
        if levels != self._levels:
            self._levels = levels
            self._say()
            self.update()

    def _say(self) -> None:
        tip = _(_TIP)
        self.setToolTip(f"{self.text}\n{tip}" if self.text else tip)
        self.setAccessibleName(self.text or _("Display: brightness and contrast"))

    def sizeHint(self) -> QSize:
        """The sign, and the words behind it."""
        em = theme.em(self)
        wide = self.fontMetrics().horizontalAdvance(self.text) + 0.8 * em if self.text else 0
        return QSize(round(_SIDE_EM * em + wide), round(_SIDE_EM * em))

    def minimumSizeHint(self) -> QSize:
        """The words are cut where there is no room; the tool tip has them."""
        side = round(_SIDE_EM * theme.em(self))
        return QSize(side, side)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = place_of(event), self._levels

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Up is brighter, right is more contrast."""
        if self._drag is None:
            return
        (x0, y0), before = self._drag
        x, y = place_of(event)
        self.wanted.emit(before.changed(round((y0 - y) / _PX_PER_UNIT), round((x - x0) / _PX_PER_UNIT)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """It stays as it was dragged."""
        self._drag = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Neutral again."""
        self._drag = None
        self.wanted.emit(NEUTRAL)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A step brighter or darker; the picture below is not zoomed."""
        turned = event.angleDelta().y()
        if turned:
            self.wanted.emit(self._levels.changed(STEP if turned > 0 else -STEP))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A disc, half of it filled."""
        painter, em = QPainter(self), theme.em(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(ON_PICTURE.ground)
        ground.setAlpha(225)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        ink = QColor(ON_PICTURE.warning if self.text else ON_PICTURE.dim)
        side = _SIDE_EM * em
        disc = QRectF(0, 0, 0.95 * em, 0.95 * em)
        disc.moveCenter(QPointF(side / 2, self.height() / 2))
        painter.setBrush(ink)
        painter.drawPie(disc, 90 * 16, 180 * 16)
        painter.setPen(QPen(ink, 1.3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc)
        if self.text:
            room = QRectF(self.rect()).adjusted(side, 0, -0.4 * em, 0)
            fitted = self.fontMetrics().elidedText(
                self.text, Qt.TextElideMode.ElideRight, round(room.width())
            )
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitted)
        painter.end()
