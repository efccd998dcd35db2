"""The ruler at the picture's side where its millimetres are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.widgets import theme
from app.widgets.colours import ON_PICTURE
from semc_core.measure.calibration import Calibration

_LEAST_GAP_PX: Final = 5.0
_STEPS_MM: Final = (1, 5, 10, 50)
_LONG_MM: Final = 50
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the ruler.

    Attributes:
        y: Pixels of the frame.
        mm: From its first line.
    """

    y: float
    mm: int

    @property
    def size(self) -> int:
        """How long it is: 0 of a millimetre or five, 1 of every ten, 2 of every fifty."""
        return 2 if self.mm % _LONG_MM == 0 else 1 if self.mm % 10 == 0 else 0


def depth_ticks(mm_y: float, top: float, bottom: float, scale: float) -> tuple[Tick, ...]:
    """Lines from `top` to `bottom` (pixels of the frame), as close as can be told apart.

    Args:
        mm_y: Millimetres per pixel along a column.
        top: Where the ruler begins.
        bottom: Where it ends.
        scale: Pixels of the screen per pixel of the frame.
    """
    step = next((each for each in _STEPS_MM if each / mm_y * scale >= _LEAST_GAP_PX), _STEPS_MM[-1])
    count = int((bottom - top) * mm_y / step + 1e-9)
    return tuple(Tick(top + i * step / mm_y, i * step) for i in range(count + 1))


def paint_depth(
    painter: QPainter, calibration: Calibration, picture: QRectF, scale: float, begins: float, em: float
) -> None:
    """Paint it at the right side of a picture.

    Args:
        painter: On the view.
        calibration: Of the picture; its region is where the ruler stands, if it has one.
        picture: Where the picture lies.
        scale: Pixels of the screen per pixel of the frame.
        begins: Where the ruler of a picture without regions begins, pixels of the frame.
        em: Height of a line of text.
    """
    region = calibration.region
    top = begins if region is None else float(region.top)
    bottom = picture.height() / scale if region is None else float(region.top + region.height)
    right = picture.right() if region is None else picture.left() + (region.left + region.width) * scale
    painter.setFont(theme.scaled_font(painter.font(), 0.8))
    for tick in depth_ticks(calibration.mm_y, top, bottom, scale):
        y, long = picture.top() + tick.y * scale, (0.3, 0.6, 1.0)[tick.size] * em
        for colour, width in ((QColor(0, 0, 0, 170), 3.0), (QColor(ON_PICTURE.text), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(right - long, y), QPointF(right, y))
        if tick.size == 2 and tick.mm:
            box = QRectF(right - 6 * em, y - em, 4.8 * em, 2 * em)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick.mm} mm"
            )
