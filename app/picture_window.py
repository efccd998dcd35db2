"""The picture alone, as large as a screen: the second one, where there is one."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.colours import ON_PICTURE
from app.widgets.image_view import LiveView

_LINES: Final = 54
"""Of text that a screen is high, at most: a large one is looked at from further away."""


class PictureWindow(QWidget):
    """Shows what the view of a page shows. The window's keys work here, too.

    Attributes:
        view: Where the picture is.
    """

    def __init__(self, window: QWidget) -> None:
        """Not shown yet; it leaves with `window`."""
        super().__init__(window, Qt.WindowType.Window)
        self._window = window
        self.setWindowTitle("SEMC Live: picture")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.view = LiveView()
        self.view.setAccessibleName("Picture alone")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is written over the picture grows with it."""
        factor = max(1.0, self.height() / (_LINES * theme.em(self)))
        self.view.setFont(theme.scaled_font(self.font(), factor))

    def toggle(self) -> None:
        """Show it on the screen on which the window is not, or hide it."""
        if self.isVisible():
            self.hide()
            return
        own = self._window.screen()
        others = [screen for screen in QGuiApplication.screens() if screen is not own]
        self.setGeometry((others or [own])[0].geometry())
        self.showFullScreen()

    def follow(self, shown: LiveView | None) -> None:
        """Show what this view shows; None: there is no picture any more, so that it leaves."""
        if not self.isVisible():
            return
        if shown is None:
            self.hide()
            return
        view, now = self.view, (shown.packet, shown.result, shown.heat, shown.crop)
        if now != (view.packet, view.result, view.heat, view.crop):
            view.show_picture(*now)
        badges, hint, accent = shown.texts
        view.show_levels(shown.levels)
        if said := shown.levels.text:
            badges += ((said, ON_PICTURE.warning),)
        view.show_texts(badges, hint, accent)
        view.painted.clear()
