"""Rows of small pictures under a heading: what the strips of a scan and of a review are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from app.view_data import DraggedPlane, StripItem
from app.widgets import theme
from app.widgets.dragging import CardDrag
from app.widgets.drawing import image_of, rect_in
from app.widgets.fitted import FittedLabel, tell_whole
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _

Item = TypeVar("Item")

_CARDS_AT_ONCE: Final = 6
"""A card takes one to two milliseconds to make."""
_PAUSE_MS: Final = 20
"""Between so many cards and the next: the window does what else there is to do."""
_CARDS_AT_MOST: Final = 120
"""Only the items nearest to those in view have cards: thousands would take half a second to be walked."""
_CARDS_BEFORE: Final = 40
"""Of them so many before the first in view."""
_NOTCH: Final = 120
"""What Qt counts for one notch of a wheel."""
_NOTCH_EM: Final = 7
"""How far a notch moves the cards: about half of one."""


class Card(QAbstractButton, Generic[Item]):
    """One item: a small picture and a few words, which a subclass paints.

    Signals:
        drag_wanted: It is dragged away.

    Attributes:
        drags: Whether it can be.
    """

    drag_wanted = Signal()
    drags = False

    def __init__(self, item: Item, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed_at: QPointF | None = None
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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """It may become a click, or be dragged."""
        left = event.button() is Qt.MouseButton.LeftButton
        self._pressed_at = event.position() if self.drags and left else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragged a little way, it is no click any more."""
        if self._pressed_at is not None:
            way = (event.position() - self._pressed_at).manhattanLength()
            if way >= QApplication.startDragDistance():
                self._pressed_at = None
                self.setDown(False)
                self.drag_wanted.emit()
        elif not self.drags:
            super().mouseMoveEvent(event)

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
    """Cards from left to right; above them a heading, a sentence that may be cut off, and buttons.

    Attributes:
        drag: Drags a card out of it.
    """

    def __init__(self, parent: QWidget | None = None, buttons: Sequence[QPushButton] = ()) -> None:
        super().__init__(parent)
        self._cards: dict[int, Card[Item]] = {}
        self._wanted: dict[int, tuple[Item, str]] = {}
        self._order: list[int] = []
        self._place_of: dict[int, int] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PAUSE_MS)
        self._soon.timeout.connect(self._follow)
        self.drag = CardDrag(self)
        self._heading = PlainLabel()
        self._heading.setObjectName("heading")
        self._hint = FittedLabel()
        self._hint.setObjectName("dim")
        self._header = QHBoxLayout()
        self._header.addWidget(self._heading)
        self._header.addWidget(self._hint, 1)
        for button in buttons:
            self._header.addWidget(button)
        self._empty = PlainLabel()
        self._empty.setObjectName("dim")
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        # As wide as the cards that the items before and behind would have.
        self._before, self._behind = QSpacerItem(0, 0), QSpacerItem(0, 0)
        self._row.addSpacerItem(self._before)
        self._row.addSpacerItem(self._behind)
        self._row.addWidget(self._empty)
        self._row.addStretch()
        inner = QWidget()
        inner.setLayout(self._row)
        self._scroll = _SidewaysArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.horizontalScrollBar().valueChanged.connect(self._scrolled)
        layout = self._column = QVBoxLayout(self)
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
        """The cards, from left to right: of many items, those near to what is in view."""
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
        self._order = list(self._wanted)
        self._place_of = {key: place for place, key in enumerate(self._order)}
        self._empty.setVisible(not self._wanted)
        self._follow(0 if self._cards and self._soon.isActive() else _CARDS_AT_ONCE)

    def _follow(self, left: int = _CARDS_AT_ONCE) -> None:
        """Change the cards near to the view to what is wanted, and make at most `left` that are missing."""
        seen = self._first_seen()
        near = self._near(seen)
        within = set(near)
        for key in [key for key in self._cards if key not in within]:
            card = self._cards.pop(key)
            self._row.removeWidget(card)
            card.deleteLater()
        # From the first in view on, and then what is before it.
        missing = [key for key in near if key not in self._cards]
        missing.sort(key=lambda key: (self._place_of[key] < seen, abs(self._place_of[key] - seen)))
        if len(missing) > left and not self._soon.isActive():
            self._soon.start()
        self._place(near, set(missing[:left]))
        self._leave_room()

    def _place(self, near: list[int], new: set[int]) -> None:
        """Show the cards of `near`, in this order, and make those of `new`."""
        at = 1
        for key in near:
            item, colour = self._wanted[key]
            known = self._cards.get(key)
            if known is None and key not in new:
                continue
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

    def _near(self, seen: int) -> list[int]:
        """Keys of the items that may have cards; `seen` is the place of the first in view."""
        last = len(self._order) - _CARDS_AT_MOST
        first = max(0, min(seen - _CARDS_BEFORE, last))
        return self._order[first : first + _CARDS_AT_MOST]

    def _step(self) -> int:
        """From one card to the next, pixels; all are of one width. 0 where there is none."""
        card = next(iter(self._cards.values()), None)
        return 0 if card is None else card.sizeHint().width() + self._row.spacing()

    def _first_seen(self) -> int:
        """Place of the item at the left edge of the view."""
        step = self._step()
        return self._scroll.horizontalScrollBar().value() // step if step else 0

    def _leave_room(self) -> None:
        """Keep the room of the items that have no cards, so that nothing moves when they get them."""
        step, places = self._step(), [self._place_of[key] for key in self._cards]
        few = len(self._order) <= _CARDS_AT_MOST
        before = 0 if few or not places else step * min(places)
        behind = 0 if few or not places else step * (len(self._order) - 1 - max(places))
        for spacer, wide in ((self._before, before), (self._behind, behind)):
            if spacer.sizeHint().width() != wide:
                spacer.changeSize(wide, 0)
                self._row.invalidate()

    def _scrolled(self) -> None:
        """Make the cards that come into view."""
        if len(self._order) > _CARDS_AT_MOST:
            self._follow()

    def _show_place(self, place: int) -> None:
        """Move the view to an item that may have no card yet."""
        bar = self._scroll.horizontalScrollBar()
        bar.setValue(max(0, place * self._step() - round(2 * theme.em(self))))
        self._follow()


class ItemCard(Card[StripItem]):
    """One card: the picture on the left, up to two lines beside it."""

    def __init__(self, item: StripItem, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(item, colour, parent)
        # The keys of the page move between the cards.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_item(self, item: StripItem, colour: str) -> None:
        """Show this instead."""
        super().show_item(item, colour)
        self._show_pixels(item.pixels)
        self.setToolTip(plain_tip(item.tip))
        said = " ".join(part for line in item.lines for part in line if part)
        words = _("rejected") if item.rejected else "", _("chosen") if item.chosen else ""
        self.setAccessibleName(", ".join(filter(None, (said, *words))))

    @property
    def carried(self) -> DraggedPlane | None:
        """What is dragged with it; None where it is rejected, and so is no plane of anything."""
        return None if self._item.rejected else DraggedPlane(self._item.key, self._item.plane)

    def sizeHint(self) -> QSize:
        """The picture, and room for two short texts."""
        em = theme.em(self)
        return QSize(round(13.5 * em), round(3.8 * em))

    def minimumSizeHint(self) -> QSize:
        """As wide as that."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Edge in the plane's colour; white around the chosen one, crossed out if it was rejected."""
        item, em = self._item, theme.em(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        colour = theme.DIM if item.rejected else self._colour
        edge = theme.TEXT if item.chosen or self.underMouse() else colour
        style = Qt.PenStyle.DotLine if item.rejected else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(edge), 2.4 if item.chosen else 1.3, style))
        painter.setBrush(QColor(theme.RAISED if item.chosen else theme.PANEL))
        painter.drawRoundedRect(box, 5, 5)
        inside = box.adjusted(0.25 * em, 0.25 * em, -0.5 * em, -0.25 * em)
        room = QRectF(inside.left(), inside.top(), 5.2 * em, inside.height())
        self._paint_picture(painter, room, item)
        text = QRectF(room.right() + 0.5 * em, inside.top(), inside.right() - room.right() - 0.5 * em, 0)
        text.setHeight(inside.height() / max(2, len(item.lines)))
        for i, (left, right) in enumerate(item.lines):
            name = theme.scaled_font(self.font(), 0.9 if i else 1.05, bold=i == 0)
            value = theme.scaled_font(self.font(), 0.9)
            pen = theme.DIM if i or item.rejected else theme.TEXT
            paint_ends(painter, text, (left, name, theme.DIM if i else colour), (right, value, pen))
            text.moveTop(text.bottom())
        painter.end()

    def _paint_picture(self, painter: QPainter, room: QRectF, item: StripItem) -> None:
        painter.fillRect(room, QColor("#000000"))
        if self._image is None:
            return
        at = rect_in(self._image, room)
        painter.setOpacity(0.4 if item.rejected else 1.0)
        painter.drawImage(at, self._image)
        painter.setOpacity(1.0)
        if item.rejected:
            painter.setPen(QPen(QColor(theme.FAULT), 2))
            painter.drawLine(at.topLeft() + QPointF(3, 3), at.bottomRight() - QPointF(3, 3))


class CardStrip(Strip[StripItem]):
    """The card that was chosen last is brought into view; among new ones without it, the saved frame's.

    Attributes:
        of_planes: Whether its cards are planes, which can be dragged; those of candidates cannot.

    Signals:
        clicked: The key of the card that was clicked.
        menu_wanted: The key of a card, and where on the screen (a `QPoint`) the other button was pressed.
    """

    clicked = Signal(int)
    menu_wanted = Signal(int, object)

    def __init__(self, parent: QWidget | None = None, *, of_planes: bool = False) -> None:
        super().__init__(parent)
        self.of_planes = of_planes
        self._header.setSpacing(round(0.8 * theme.em(self)))
        self._chosen: set[int] = set()
        self._bring_key: int | None = None
        # Cards that were just added have no place yet.
        self._bringing = QTimer(self)
        self._bringing.setSingleShot(True)
        self._bringing.setInterval(0)
        self._bringing.timeout.connect(self._bring)
        self._scroll.moved.connect(self._let_be)

    def height_for_cards(self) -> int:
        """How high the strip must be for the heading, whole cards, and the scroll bar."""
        em = theme.em(self)
        bar = theme.scroll_bar_px()
        return round(self._heading.sizeHint().height() + 3.6 * em + bar + 6)

    def show_texts(self, heading: str, hint: str, empty: str) -> None:
        """The heading, a sentence beside it, and what is said where there is no card."""
        self._heading.setText(heading)
        tell_whole(self._hint, hint)
        self._empty.setText(empty)

    def show_items(self, items: tuple[StripItem, ...], colours: dict[str, str]) -> None:
        """Show these, in this order: cards with the same key are kept and changed."""
        before, self._chosen = self._chosen, {item.key for item in items if item.chosen}
        chosen = [item.key for item in items if item.chosen and item.key not in before]
        saved = [item.key for item in items if item.saved and item.key not in self._place_of]
        if chosen or saved:
            self._bring_key = (chosen or saved)[0]
            self._bringing.start()
        self._show((item.key, item, colours.get(item.plane, theme.DIM)) for item in items)

    def _new_card(self, key: int, item: StripItem, colour: str) -> ItemCard:
        card = ItemCard(item, colour)
        card.clicked.connect(lambda: self.clicked.emit(key))
        card.drags = self.of_planes
        if self.of_planes:
            card.drag_wanted.connect(lambda: self.drag.begin(card, card.carried))
        card.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        card.customContextMenuRequested.connect(lambda at: self.menu_wanted.emit(key, card.mapToGlobal(at)))
        return card

    def _made(self, key: int) -> None:
        if key == self._bring_key:
            self._bringing.start()

    def _bring(self) -> None:
        """Bring the wanted card into view, once it is made and has its place."""
        card = None if self._bring_key is None else self._cards.get(self._bring_key)
        if card is not None:
            self._bring_key = None
            self._scroll.ensureWidgetVisible(card, round(2 * theme.em(self)), 0)
        elif self._bring_key in self._place_of and len(self._order) > _CARDS_AT_MOST:
            # Its card is made where it comes into view.
            self._show_place(self._place_of[self._bring_key])

    def _let_be(self) -> None:
        """The user looks where he wants to."""
        self._bring_key = None


def paint_ends(
    painter: QPainter, box: QRectF, left: tuple[str, QFont, str], right: tuple[str, QFont, str]
) -> None:
    """Paint a line's two ends: text, font and colour of each. The left is cut to what the right leaves."""
    text, font, colour = right
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
    wide = painter.fontMetrics().horizontalAdvance(f"{text} ") if text else 0
    text, font, colour = left
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width() - wide))
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
