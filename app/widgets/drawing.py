"""Pictures as Qt paints them: converted with one copy, and drawn where they fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from app.widgets.placed import Placed, place


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """A `QImage` with its own copy of uint8 (H, W) gray or (H, W, 3) RGB or (H, W, 4) RGBA."""
    formats = {2: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888}
    chosen = (
        formats[pixels.ndim] if pixels.ndim == 2 or pixels.shape[2] == 3 else QImage.Format.Format_RGBA8888
    )
    kept = np.ascontiguousarray(pixels)
    height, width = kept.shape[:2]
    # QImage only borrows the buffer.
    return QImage(kept.data, width, height, kept.strides[0], chosen).copy()


def whole_rect(placed: Placed) -> QRectF:
    """Where all of a placed picture lies."""
    return QRectF(placed.left, placed.top, placed.width * placed.scale, placed.height * placed.scale)


def rect_in(image: QImage, room: QRectF) -> QRectF:
    """Where `image` lies in `room`: in its middle, as large as it fits. `image` has pixels."""
    placed = place(image.width(), image.height(), room.width(), room.height())
    return whole_rect(placed).translated(room.topLeft())


def draw_in(painter: QPainter, image: QImage, room: QRectF) -> None:
    """Draw `image` there; nothing if it has no pixels."""
    if not image.isNull():
        painter.drawImage(rect_in(image, room), image)
