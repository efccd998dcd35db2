"""The large view shows the plane that its caption names."""

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.widgets.saved_strip import PlaneViewer
from semc_core.types import SavedPlane


class Watched(PlaneViewer):
    """Notes what is painted anew."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.painted: list[QRect] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painted.append(event.rect())
        super().paintEvent(event)


def plane(number: int) -> SavedPlane:
    picture = np.full((60, 80), 40 * number, np.uint8)
    return SavedPlane(number, "HRP", 0.9, number, 1.0, 0.5, 1.5, True, False, None, picture)


def test_another_plane_in_the_open_view_is_painted_over_the_whole_view(qtbot: QtBot) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    room.resize(400, 300)
    view = Watched(room)
    room.show()
    view.show_plane(plane(1))
    qtbot.waitUntil(lambda: bool(view.painted))
    view.painted.clear()
    view.show_plane(plane(2))
    qtbot.waitUntil(lambda: view.rect() in view.painted)
