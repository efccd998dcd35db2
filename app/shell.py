"""The frame of the window: buttons, banner, pages, status line, and what lies over them. Knows no feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QByteArray, QEvent, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from app.commands import LIVE, REVIEW, START
from app.file_dialogs import dropped
from app.key_sequences import use_stored
from app.widgets import theme
from app.widgets.accessible import install
from app.widgets.panels import BannerBar, HelpOverlay, StatusLine
from app.widgets.plain import PlainLabel
from app.widgets.tool_bars import ToolBars, make_actions, show_keys
from semc_core.language import N_

_BANNER_TITLES: Final = {
    "source": N_("Choose another source"),
    "start_stop": N_("Try again"),
    "change_folder": N_("Choose another folder"),
    "model": N_("Choose another model"),
    "sending": N_("Look"),
}


Do = Callable[[], object]
"""What a key does."""

_FIRST_SIZE: Final = QSize(1280, 800)


def in_the_middle(size: QSize, room: QRect) -> QRect:
    """A window of this size, or what there is room for with its frame, in the middle of `room`."""
    place = QRect(room.topLeft(), size.boundedTo(room.size() * theme.FRAME))
    place.moveCenter(room.center())
    return place


class WindowShell(QWidget):
    """Shows one page at a time. It opens with its first page; the others follow when that is painted.

    Signals:
        dropped: The paths and addresses (a list of texts) of what was dropped.
        keys_changed: Commands have other keys now.
        came_back: Keys are for this window again; the user may have been in another one.
        seen: The first page was painted, and the rest of the window is about to be made.
        whole: It is made.

    Attributes:
        actions_by_name: One for each key binding.
        help: The list of keys.
        unmade: Why the rest could not be made after the first page was painted; None: it could.
        viewer: A saved plane as large as the window.
        examination: Whose scan it is; the one place outside of its dialogs where a name is shown.
    """

    dropped = Signal(object)
    came_back = Signal()
    seen = Signal()
    whole = Signal()
    keys_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        install()
        self._whole = False
        self.unmade: Exception | None = None
        self.setWindowTitle("SEMC Live")
        self.setAcceptDrops(True)
        # Keys are for the window where nothing else has them. Tab passes it by: that is not seen.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.banner = BannerBar(_BANNER_TITLES)
        self.status = StatusLine()
        self.examination = PlainLabel()
        self.examination.setObjectName("heading")
        self.examination.setWordWrap(True)
        self.examination.hide()
        self.pages = QStackedWidget()
        self._examination = ""

    def build(self, name: str, page: QWidget, do: Callable[[str], object]) -> None:
        """Put the window together, with its first page.

        Args:
            name: Of the page in `app.commands`.
            page: It is shown.
            do: Does what the key binding of that name does; only called when the window is whole.
        """

        def do_in_whole(binding: str) -> None:
            self.complete()
            do(binding)

        self._pages = {name: page}
        self.actions_by_name = make_actions(self, do_in_whole)
        self._tool_bars = ToolBars(self.actions_by_name)
        self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        gap = round(0.5 * theme.em(self))
        layout.setContentsMargins(gap, gap, gap, gap)
        layout.setSpacing(gap)
        layout.addWidget(self._tool_bars)
        layout.addWidget(self.banner)
        layout.addWidget(self.examination)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.status)
        self.help = HelpOverlay(self)
        self._tool_bars.show_page(name)

    def complete(self) -> None:
        """Load and make what is not on the first page; nothing where that is done.

        Also called when the first page has been painted.
        """
        if not self._whole:
            self._whole = True
            self.make_rest()
            self.whole.emit()

    def _follow_up(self) -> None:
        self.seen.emit()
        try:
            self.complete()
        except Exception as error:  # noqa: BLE001 - raised again where the program waits for the window
            self.unmade = error
            self.hide()
            QApplication.exit()

    def make_rest(self) -> None:
        """See `complete`."""
        raise NotImplementedError

    def add(self, pages: Mapping[str, QWidget]) -> None:
        """Add the other pages, by their names, and the large view of a plane, which lies over them."""
        from app.widgets.saved_strip import PlaneViewer

        self._pages |= pages
        for page in pages.values():
            self.pages.addWidget(page)
        self.viewer = PlaneViewer(self)

    def use_keys(self, stored: Mapping[str, str]) -> tuple[str, ...]:
        """Let commands have the keys that are stored, by their names; says what cannot be, in sentences."""
        wrong = use_stored(stored)
        show_keys(self.actions_by_name)
        self.keys_changed.emit()
        return wrong

    def on_its_page(self, does: Mapping[str, Mapping[str, Do]]) -> dict[str, Do]:
        """What the keys do of which several pages have their own; by the pages' names, then the keys'."""

        def on_page(name: str) -> None:
            if (do := does[self.page_name].get(name)) is not None:
                do()

        return {name: partial(on_page, name) for of_page in does.values() for name in of_page}

    def restore(self, geometry: QByteArray) -> None:
        """Where and how large the window was, as `saveGeometry` gives it."""
        least = QSize(*(round(lines * theme.em(self)) for lines in theme.LEAST_EM))
        self.setMinimumSize(least)
        self.setGeometry(in_the_middle(_FIRST_SIZE, self.screen().availableGeometry()))
        # Qt itself brings back what does not lie on a screen any more, and makes it as small as that.
        self.restoreGeometry(geometry)

    @property
    def tool_bars(self) -> ToolBars:
        """The buttons of each page."""
        return self._tool_bars

    @property
    def page_name(self) -> str:
        """Which page is shown."""
        shown = self.pages.currentWidget()
        return next(name for name, page in self._pages.items() if page is shown)

    def show_page(self, name: str) -> None:
        """Show this page with its buttons; keys are for the window."""
        self.pages.setCurrentWidget(self._pages[name])
        self._tool_bars.show_page(name)
        self.setFocus()

    def show_examination(self, text: str) -> None:
        """Say above the page which examination a scan or session belongs to; "" says nothing."""
        here = text if self.page_name in (START, LIVE, REVIEW) else ""
        if here != self._examination:
            self._examination = here
            self.examination.setText(here)
            self.examination.setVisible(bool(here))

    def close_overlay(self) -> bool:
        """Hide what lies over the page. Returns whether anything did."""
        for overlay in (self.help, self.viewer):
            if overlay.isVisible():
                overlay.hide()
                return True
        return False

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to what it was before: maximised, or of its own size and place."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def changeEvent(self, event: QEvent) -> None:
        """Tell that the user is here again."""
        if self._whole and event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.came_back.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and addresses can be dropped."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell what was dropped."""
        if texts := dropped(event):
            self.dropped.emit(texts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The list of keys and the large view lie over the window."""
        if self._whole and self.viewer.isVisible():
            self.viewer.setGeometry(self.rect())
        self.help.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """When the first page is seen, the rest follows."""
        super().paintEvent(event)
        if not self._whole:
            QTimer.singleShot(0, self._follow_up)
