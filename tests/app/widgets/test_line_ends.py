"""The two ends of a card's line never stand on each other."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.widgets.cards import paint_ends


def test_a_long_name_is_cut_where_the_percentage_begins(qapp: QApplication) -> None:
    font = qapp.font()

    def painted(name: str) -> QImage:
        image = QImage(120, 24, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        paint_ends(painter, QRectF(0, 0, 120, 24), (name, font, "#ffffff"), ("62%", font, "#ffffff"))
        painter.end()
        return image

    def right_end(image: QImage) -> bytes:
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(24, image.bytesPerLine())
        return pixels[:, 92:120].tobytes()

    assert right_end(painted("Trans-cerebellum of the fetal head")) == right_end(painted(""))
    assert painted("Trans-cerebellum of the fetal head") != painted("")
