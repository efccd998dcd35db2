"""A row of cards under a heading: what the strips of a scan and of a review share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.picture import image_of

Item = TypeVar("Item")

_CARDS_AT_ONCE: Final = 6
"""A card takes one to two milliseconds to make."""
_PAUSE_MS: Final = 20
"""Between so many cards and the next: the window does what else there is to do."""
_NOTCH: Final = 120
"""What Qt counts for one notch of a wheel."""
_NOTCH_EM: Final = 7
"""How far a notch moves the cards: about half of one."""


class Card(QAbstractButton, Generic[Item]):
    """One item: a small picture and a few words, which a subclass paints."""

    def __init__(self, item: Item, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QImage | None = None
        self.show_item(item, colour)

    @property
    def item(self) -> Item:
        """What it shows."""
        return self._item

    def show_item(self, item: Item, colour: str) -> None:
        """Show this instead, in the colour of its plane."""
        self._item, self._colour = item, colour
        self.update()

    def _show_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Take uint8 (h, w) or (h, w, 3) for the picture; the same array is converted once."""
        if pixels is not self._pixels:
            self._pixels = pixels
            self._image = None if pixels is None else image_of(pixels)


class _SidewaysArea(QScrollArea):
    """Shows what is wider than itself; the mouse wheel moves it sideways.

    Signals:
        moved: The user moves it.
    """

    moved = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.horizontalScrollBar().actionTriggered.connect(self.moved)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel turns up and down, and there is nothing above or below."""
        turned, exact = event.angleDelta(), event.pixelDelta()
        if abs(turned.x()) > abs(turned.y()):
            super().wheelEvent(event)
            return
        bar = self.horizontalScrollBar()
        step = exact.y() if exact.y() else round(turned.y() / _NOTCH * _NOTCH_EM * theme.em(self))
        bar.setValue(bar.value() - step)
        self.moved.emit()
        event.accept()


class Strip(QWidget, Generic[Item]):
    """Cards from left to right; above them a heading, a sentence that may be cut off, and buttons."""

    def __init__(self, parent: QWidget | None = None, buttons: Sequence[QPushButton] = ()) -> None:
        super().__init__(parent)
        self._cards: dict[int, Card[Item]] = {}
        self._wanted: dict[int, tuple[Item, str]] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PAUSE_MS)
        self._soon.timeout.connect(self._follow)
        self._heading = QLabel()
        self._heading.setObjectName("heading")
        self._hint = QLabel()
        self._hint.setObjectName("dim")
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._header = QHBoxLayout()
        self._header.addWidget(self._heading)
        self._header.addWidget(self._hint, 1)
        for button in buttons:
            self._header.addWidget(button)
        self._empty = QLabel()
        self._empty.setObjectName("dim")
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._empty)
        self._row.addStretch()
        inner = QWidget()
        inner.setLayout(self._row)
        self._scroll = _SidewaysArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._header)
        layout.addWidget(self._scroll, 1)

    @property
    def title(self) -> str:
        """The heading above the cards."""
        return self._heading.text()

    @property
    def cards(self) -> list[Card[Item]]:
        """The cards, from left to right."""
        return sorted(self._cards.values(), key=self._row.indexOf)

    def _new_card(self, key: int, item: Item, colour: str) -> Card[Item]:
        """A card for an item that has none. A subclass makes it."""
        raise NotImplementedError

    def _made(self, key: int) -> None:
        """The card of this key was made and has its place. For a subclass; does nothing."""

    def _show(self, items: Iterable[tuple[int, Item, str]]) -> None:
        """Show these, in this order, each with its key and colour: cards with the same key are kept.

        Of new cards some are there at once, or a pause later where others are being made, and the rest soon.
        """
        self._wanted = {key: (item, colour) for key, item, colour in items}
        for key in [key for key in self._cards if key not in self._wanted]:
            card = self._cards.pop(key)
            self._row.removeWidget(card)
            card.deleteLater()
        self._empty.setVisible(not self._wanted)
        self._follow(0 if self._cards and self._soon.isActive() else _CARDS_AT_ONCE)

    def _follow(self, left: int = _CARDS_AT_ONCE) -> None:
        """Change the cards to what is wanted, and make some of those that are missing, so many at most."""
        at = 0
        for key, (item, colour) in self._wanted.items():
            known = self._cards.get(key)
            if known is None and not left:
                if not self._soon.isActive():
                    self._soon.start()
                continue
            left -= known is None
            before = None if known is None else known.item
            card = self._cards[key] = known or self._new_card(key, item, colour)
            if before is not None and before is not item:
                card.show_item(item, colour)
            if self._row.indexOf(card) != at:
                self._row.removeWidget(card)
                self._row.insertWidget(at, card)
                # A layout would show it later, and only then give it its place.
                card.show()
            if known is None:
                self._made(key)
            at += 1
