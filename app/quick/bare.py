"""The least that a window with a model costs: numpy, OpenVINO, and a window with one line of text.

Run as a program of its own: on its first paint it prints the processor time until then, seconds.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import openvino
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel


class BareWindow(QLabel):
    """Says what it is made with, and when it is seen."""

    def __init__(self) -> None:
        super().__init__(f"numpy {np.__version__}, OpenVINO {openvino.__version__}")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.resize(1280, 800)

    def paintEvent(self, event: QPaintEvent) -> None:
        """What comes after it is the first thing that follows the paint."""
        super().paintEvent(event)
        QTimer.singleShot(0, lambda: print(time.process_time(), flush=True))


def main() -> int:
    """Show it until the program is ended."""
    application = QApplication(["bare"])
    window = BareWindow()
    window.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
