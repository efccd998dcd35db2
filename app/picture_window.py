"""The picture alone, as large as a screen: the second one, where there is one; with large words beside it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.checklist.panel import ChecklistPanel
from app.formatting import Tone, percent
from app.live.page import LivePage
from app.review.page import ReviewPage
from app.settings import Settings
from app.widgets import theme
from app.widgets.colours import ON_PICTURE
from app.widgets.image_view import LiveView
from app.widgets.large_words import LargeWords, Words, room_beside
from semc_core.language import _
from semc_core.protocols.checklist import Status

_LINES: Final = 54
"""Of text that a screen is high, at most: a large one is looked at from further away."""


class PictureWindow(QWidget):
    """Shows what the view of a page shows. The window's keys work here, too.

    Attributes:
        view: Where the picture is.
        words: Beside it, where they are wanted: the plane, and what is open, large.
    """

    def __init__(self, window: QWidget, settings: Settings) -> None:
        """Not shown yet; it leaves with `window`. Whether words are wanted is remembered."""
        super().__init__(window, Qt.WindowType.Window)
        self._window, self._settings = window, settings
        self._size: tuple[int, int] | None = None
        self.setWindowTitle(_("SEMC Live: picture"))
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.view = LiveView(self)
        self.view.setAccessibleName(_("Picture alone"))
        self.words = LargeWords(self)
        self.words.setVisible(settings.large_words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is written over the picture grows with it."""
        factor = max(1.0, self.height() / (_LINES * theme.em(self)))
        self.view.setFont(theme.scaled_font(self.font(), factor))
        self._share()

    def _share(self) -> None:
        """The words get what is black beside the picture first: nothing is ever written over it."""
        whole, words = self.rect(), self.rect()
        if self._settings.large_words:
            beside, room = room_beside(self.width(), self.height(), self._size)
            if beside:
                whole.setWidth(self.width() - room)
                words.setLeft(whole.right() + 1)
            else:
                whole.setHeight(self.height() - room)
                words.setTop(whole.bottom() + 1)
            self.words.setGeometry(words)
        self.view.setGeometry(whole)

    def toggle_words(self) -> None:
        """Show large words beside the picture, or no longer; with them, where it was not shown at all."""
        on = not (self.isVisible() and self._settings.large_words)
        self._settings.large_words = on
        self.words.setVisible(on)
        self._share()
        if not self.isVisible():
            self.toggle()

    def toggle(self) -> None:
        """Show it on the screen on which the window is not, or hide it."""
        if self.isVisible():
            self.hide()
            return
        own = self._window.screen()
        others = [screen for screen in QGuiApplication.screens() if screen is not own]
        self.setGeometry((others or [own])[0].geometry())
        self.showFullScreen()

    def follow(self, page: LivePage | ReviewPage | None) -> None:
        """Show what the view of this page shows; None: there is no picture any more, so that it leaves."""
        if not self.isVisible():
            return
        if page is None:
            self.hide()
            return
        shown = page.view
        if self._settings.large_words:
            self.words.say(words_of(page))
        picture = None if shown.packet is None else shown.packet.picture
        size = None if picture is None else (picture.width, picture.height)
        if size != self._size:
            self._size = size
            self._share()
        view, now = self.view, (shown.packet, shown.result, shown.heat, shown.crop)
        if now != (view.packet, view.result, view.heat, view.crop):
            view.show_picture(*now)
        badges, hint, accent = shown.texts
        view.show_levels(shown.levels)
        if said := shown.levels.text:
            badges += ((said, ON_PICTURE.warning),)
        view.show_texts(badges, hint, accent)
        view.painted.clear()


def words_of(page: LivePage | ReviewPage) -> Words:
    """What the page says in small, to be said in large."""
    view = page.checklist.view if isinstance(page.checklist, ChecklistPanel) else None
    rows = () if view is None else view.rows
    missing = tuple(row.title for row in rows if row.status not in _SETTLED and not row.optional)
    progress, listed = ("", "") if view is None else (view.progress, view.fetus)
    plane = theme.over_picture(page.view.texts[2]) or ON_PICTURE.text
    if isinstance(page, LivePage):
        shown = page.readout.shown
        colour = ON_PICTURE.dim if shown.stale else _on_black(shown.tone, plane)
        fetus = page.kept.fetuses.newest
        return Words(
            shown.title, colour, shown.confidence, shown.number, shown.saved, progress, missing, fetus, listed
        )
    fetus = "" if page.commands is None else page.commands.fetus
    frame = page.panel.shown
    if frame is None:
        return Words(progress=progress, missing=missing, fetus=fetus, listed=listed)
    share = next((row.share for row in frame.rows if row.name == frame.title), None)
    number = "" if share is None else percent(share)
    colour = _on_black(frame.tone, plane)
    return Words(frame.title, colour, share, number, False, progress, missing, fetus, listed)


_SETTLED: Final = (Status.FOUND, Status.NOT_POSSIBLE)


def _on_black(tone: Tone, plane: str) -> str:
    """As `theme.tone_colour`, whatever the theme."""
    good, fault, warning = ON_PICTURE.good, ON_PICTURE.fault, ON_PICTURE.warning
    told = {"good": good, "neutral": ON_PICTURE.dim, "warning": warning, "fault": fault}
    return told.get(tone.value, plane)
