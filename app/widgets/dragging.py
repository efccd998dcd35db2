"""Dragging the card of a saved plane: what goes with it, and how it begins."""

from __future__ import annotations

import os
from typing import Final

from PySide6.QtCore import QMimeData, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDrag, QPixmap
from PySide6.QtWidgets import QWidget

from app.view_data import DraggedPlane

FORMAT: Final = f"application/x-semc-live-plane-{os.getpid()}"
"""Only of this process: a number means another plane in another one."""
_SMALL_PX: Final = 160


def mime_of(plane: DraggedPlane | None) -> QMimeData:
    """What is dragged; with None nothing, which nobody takes."""
    mime = QMimeData()
    if plane is not None:
        mime.setData(FORMAT, f"{plane.plane_id} {plane.plane}".encode())
    return mime


def dragged(mime: QMimeData) -> DraggedPlane | None:
    """The plane that is dragged, or None."""
    number, _gap, name = bytes(mime.data(FORMAT).data()).decode("utf-8", "replace").partition(" ")
    return DraggedPlane(int(number), name) if number.isdecimal() and name else None


def _run(drag: QDrag) -> None:
    """Until the card is dropped."""
    drag.exec(Qt.DropAction.MoveAction)


class CardDrag(QObject):
    """Drags the cards of one strip.

    Signals:
        dragging: A plane that can be dropped somewhere is dragged, or no longer.
    """

    dragging = Signal(bool)

    def __init__(self, strip: QWidget) -> None:
        super().__init__(strip)
        self._strip = strip
        self._next: tuple[DraggedPlane | None, QPixmap] | None = None
        # Not amid the events of a card: it may be taken away while it is dragged, and the program with it.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._begin)

    def begin(self, card: QWidget, plane: DraggedPlane | None) -> None:
        """Drag this card; with None its plane can be dropped nowhere, and the cursor says so."""
        small = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        self._next = plane, card.grab().scaled(_SMALL_PX, _SMALL_PX, *small)
        self._soon.start()

    def _begin(self) -> None:
        (plane, seen), self._next = self._next or (None, QPixmap()), None
        drag = QDrag(self._strip)
        drag.setMimeData(mime_of(plane))
        drag.setPixmap(seen)
        drag.setHotSpot(QPoint(seen.width() // 2, seen.height() // 2))
        self.dragging.emit(plane is not None)
        try:
            _run(drag)
        finally:
            self.dragging.emit(False)
