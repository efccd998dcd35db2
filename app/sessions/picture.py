"""The small picture beside the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.drawing import draw_in, image_of
from semc_core.language import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@told_as(Role.Graphic)
class SmallPicture(QWidget):
    """Shows a picture as large as it fits, or nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        em = theme.em(self)
        self.setMinimumSize(round(13 * em), round(10 * em))
        self.setAccessibleName(_("A plane of the chosen session"))

    def show_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Show uint8 (h, w) or (h, w, 3); None shows nothing."""
        self.image = QImage() if pixels is None else image_of(pixels)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, in the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        draw_in(painter, self.image, QRectF(self.rect()))
        painter.end()
