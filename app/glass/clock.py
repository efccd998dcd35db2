"""The clock of bars in a window of its own, drawn anew for every picture of the screen."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent, QScreen
from PySide6.QtWidgets import QWidget

from app.widgets.drawing import image_of
from semc_core.imaging import bar_clock

_DRAWN: Final = (640, 360)
"""It is drawn so large and painted to fill the window: its bars stay sharp."""
_USUAL_RATE: Final = 60.0


class ClockWindow(QWidget):
    """Shows the time in bars; Esc, or closing it, ends the measurement.

    Signals:
        closed: The user wants to end it.
    """

    closed = Signal()

    def __init__(self, screen: QScreen) -> None:
        super().__init__()
        self.setWindowTitle("Clock · SEMC Live")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.setGeometry(screen.geometry())
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.update)
        self._timer.start(max(1, round(1000 / (screen.refreshRate() or _USUAL_RATE))))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The moment of painting."""
        image = image_of(bar_clock.draw(time.monotonic(), *_DRAWN))
        painter = QPainter(self)
        painter.drawImage(QRect(0, 0, self.width(), self.height()), image)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc ends it."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell it."""
        self._timer.stop()
        self.closed.emit()
