"""Small parts of the window: the banner, the status line, the list of keys."""

from __future__ import annotations

import html
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.commands import bindings_of, key_name
from app.formatting import RESEARCH_NOTICE, Banner, StatusItem, StatusText
from app.keys import is_usual, keys_of, with_key
from app.widgets import theme
from app.widgets.accessible import announce
from app.widgets.fitted import FittedLabel, tell_whole
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _

_EDGES_PX: Final = 2
"""Both edges of the list of keys, which are seen while it has the focus."""


class BannerBar(QFrame):
    """A sentence with its ways out; hidden while there is nothing to say.

    Signals:
        action_chosen: The name of the key binding whose button was clicked.
        put_away: The user has read it.
    """

    action_chosen = Signal(str)
    put_away = Signal()

    def __init__(self, titles: dict[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._titles = titles
        self._shown: Banner | None = None
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._row = QHBoxLayout()
        self._whole = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._whole.addWidget(self._text, 1)
        self._whole.addLayout(self._row)
        self._buttons: list[QPushButton] = []
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The buttons are beside the sentence, or below it where they would leave it less than half."""
        self._arrange()

    def _arrange(self) -> None:
        way = QBoxLayout.Direction
        below = 2 * self._row.sizeHint().width() > self.width()
        self._whole.setDirection(way.TopToBottom if below else way.LeftToRight)
        self._row.setAlignment(Qt.AlignmentFlag.AlignRight)

    @property
    def shown(self) -> Banner | None:
        """What it says."""
        return self._shown

    def show_banner(self, banner: Banner | None) -> None:
        """Say this; None hides it."""
        if banner == self._shown:
            return
        self._shown = banner
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        if banner is None:
            self.hide()
            return
        self.setProperty("tone", "fault" if banner.fault else "notice")
        self.style().unpolish(self)
        self.style().polish(self)
        self._text.setText(f"{banner.text}  (+{len(banner.more)})" if banner.more else banner.text)
        self._text.setToolTip(plain_tip("\n\n".join(banner.more)))
        announce(self, banner.text, urgent=banner.fault)
        for name in banner.actions:
            self._add_button(with_key(_(self._titles[name]), name)).clicked.connect(
                lambda _on=False, n=name: self.action_chosen.emit(n)
            )
        self._add_button(_("Hide")).clicked.connect(self.put_away)
        self._arrange()
        self.show()

    def _add_button(self, title: str) -> QPushButton:
        button = QPushButton(title)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._row.addWidget(button)
        self._buttons.append(button)
        return button


class StatusLine(QWidget):
    """Numbers on the left, model and device on the right; below, what the program is and is not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = PlainLabel()
        self._numbers.setTextFormat(Qt.TextFormat.RichText)
        self._model = FittedLabel()
        self._model.setObjectName("dim")
        self._notice = PlainLabel()
        self._notice.setObjectName("notice")
        self._notice.setWordWrap(True)
        research = PlainLabel(_(RESEARCH_NOTICE))
        research.setObjectName("heading")
        self._numbers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._model.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(round(0.15 * theme.em(self)))
        layout.addWidget(self._numbers, 0, 0)
        layout.addWidget(self._model, 0, 1)
        layout.addWidget(self._notice, 1, 0)
        layout.addWidget(research, 1, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        layout.setColumnStretch(0, 5)
        layout.setColumnStretch(1, 3)

    @property
    def text(self) -> str:
        """All that it says, without mark-up colours."""
        return " | ".join(label.text() for label in (self._numbers, self._model, self._notice))

    def show_status(self, status: StatusText) -> None:
        """Show what is said here, and on the window's title bar."""
        if status.sentence is None:
            self.show_numbers(status.numbers)
        else:
            self.show_sentence(status.sentence)
        if status.model is not None:
            self.show_model(*status.model)
        if status.title is not None:
            self.window().setWindowTitle(status.title)

    def show_numbers(self, items: tuple[StatusItem, ...]) -> None:
        """Name and value of each; the last ones are left out where there is no room."""
        metrics, room, text = self.fontMetrics(), self._numbers.width(), ""
        for item in items:
            room -= metrics.horizontalAdvance(f"{item.name} {item.value}") + 3 * metrics.averageCharWidth()
            if room < 0:
                break
            colour = theme.WARNING if item.worrying else theme.TEXT
            under = " text-decoration: underline" if item.worrying else ""
            text += (
                f'<span style="color:{theme.DIM}">{item.name}</span>&nbsp;'
                f'<b style="color:{colour};{under}">{html.escape(item.value).replace(" ", "&nbsp;")}</b>'
                "&nbsp;&nbsp; "
            )
        if text != self._numbers.text():
            self._numbers.setText(text)
        about = plain_tip("\n".join(item.about for item in items if item.about))
        if about != self._numbers.toolTip():
            self._numbers.setToolTip(about)

    def show_sentence(self, text: str) -> None:
        """A sentence in the place of the numbers."""
        shown = self._numbers.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, max(1, self._numbers.width())
        )
        if shown != self._numbers.text():
            self._numbers.setText(html.escape(shown))
        self._numbers.setToolTip(plain_tip(text) if shown != text else "")

    def show_model(self, text: str, notice: str) -> None:
        """The model and the device, and what the model says of itself."""
        if (text, notice) != (self._model.text(), self._notice.text()):
            tell_whole(self._model, text)
            self._notice.setText(notice)


class HelpOverlay(QFrame):
    """The keys of a page, over the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self.setObjectName("panel")
        title = PlainLabel(_("Keys"))
        title.setFont(theme.scaled_font(self.font(), 1.5, bold=True))
        note = PlainLabel(
            _(
                "Foot pedals send plain keys: F2 to F8, Page up and Page down are meant for them. "
                "Any command can have another key: see the preferences."
            )
        )
        note.setObjectName("dim")
        note.setWordWrap(True)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setObjectName("keys")
        self._scroll.setAccessibleName(_("Keys of this page"))
        layout = self._layout = QVBoxLayout(self)
        wide, high = round(1.7 * theme.em(self)), round(1.3 * theme.em(self))
        layout.setContentsMargins(wide, high, wide, high)
        layout.addWidget(title)
        layout.addWidget(self._scroll)
        layout.addWidget(note)
        self.hide()

    def toggle(self, page: str) -> None:
        """Show the keys of `page` in the middle of the window, or hide them."""
        if self.isVisible():
            self.hide()
            return
        keys = _list_of_keys(page)
        room, size, margins = self._room.rect(), keys.sizeHint(), self._layout.contentsMargins()
        bar = theme.scroll_bar_px()
        most = room.width() - margins.left() - margins.right() - bar - 2 * self.frameWidth() - _EDGES_PX
        if size.width() > most:
            size = _wrapped(keys, most)
        # Only now: laid out once at its full width it would keep that.
        self._scroll.setWidget(keys)
        keys.setAutoFillBackground(False)  # on the ground of the card
        self._scroll.setFixedWidth(size.width() + bar + _EDGES_PX)
        self._scroll.setMaximumHeight(size.height() + 2 + _EDGES_PX)
        self._layout.activate()
        high = self.sizeHint().height() - self._scroll.sizeHint().height() + size.height() + 2 + _EDGES_PX
        self.resize(QSize(self.sizeHint().width(), high).boundedTo(room.size()))
        self.move((room.width() - self.width()) // 2, (room.height() - self.height()) // 2)
        self.show()
        self.raise_()


def _wrapped(keys: QWidget, wide: int) -> QSize:
    """Break the sentences of the list so that it is as wide as this; how large it is then."""
    for label in keys.findChildren(PlainLabel, "dim"):
        label.setWordWrap(True)
    layout = keys.layout()
    return QSize(wide, layout.heightForWidth(wide) if layout is not None else 0)


def _list_of_keys(page: str) -> QWidget:
    keys = QWidget()
    grid = QGridLayout(keys)
    grid.setColumnStretch(2, 1)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(round(1.7 * theme.em(keys)))
    grid.setVerticalSpacing(round(0.15 * theme.em(keys)))
    for row, binding in enumerate(bindings_of(page)):
        names = [key_name(key) for key in dict.fromkeys(keys_of(binding.name)) if key != "Enter"]
        shown = _(binding.shown) if is_usual(binding.name) else ""
        texts = (shown or "   ".join(names), _(binding.title), _(binding.help))
        for column, text in enumerate(texts):
            label = PlainLabel(text)
            label.setObjectName(("heading", "heading", "dim")[column])
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, row, column)
    return keys
