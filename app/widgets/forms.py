"""What pages and dialogs are made of: rows of a form, buttons, headings, cards, a line to type into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.view_data import Asking
from app.widgets import theme
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.wrapping import WrapRow
from semc_core.language import _


def add_row(form: QFormLayout, title: str, field: QWidget | QLayout) -> None:
    """Add a field, without a title as wide as all; lists and numbers are made as high as a line of text."""
    high = QLineEdit().sizeHint().height()
    if not title:
        form.addRow(field)
        return
    label = PlainLabel(title)
    label.setMinimumHeight(high)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    if isinstance(field, QComboBox | QSpinBox):
        field.setMinimumHeight(high)
    if isinstance(field, QWidget):
        label.setBuddy(field)
    form.addRow(label, field)


def tell_choice(box: QComboBox, about: str = "") -> None:
    """Say on the tool tip of a list what is chosen, which a narrow one cuts; then `about`."""

    def tell(text: str) -> None:
        box.setToolTip(plain_tip("\n".join(filter(None, (text, about)))))

    box.currentTextChanged.connect(tell)
    tell(box.currentText())


def button(title: str, do: Callable[[], object]) -> QPushButton:
    """A button that Enter does not press by accident."""
    made = QPushButton(title)
    made.setAutoDefault(False)
    made.clicked.connect(lambda _on=False: do())
    return made


def page_title(text: str, owner: QWidget) -> QLabel:
    """The heading of a page."""
    label = PlainLabel(text)
    label.setFont(theme.scaled_font(owner.font(), 1.5, bold=True))
    return label


class AskLine(QFrame):
    """A line to type words into; hidden while nothing is asked.

    Signals:
        answered: What was typed, when Enter was pressed.
        refused: Esc was pressed.
        resized: It needs room, or none any more.
    """

    answered = Signal(str)
    refused = Signal()
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._title = PlainLabel()
        self._title.setObjectName("heading")
        self.field = QLineEdit()
        self.field.setAccessibleName(_("Answer"))
        self.field.returnPressed.connect(lambda: self.answered.emit(self.field.text()))
        keys = PlainLabel(_("Enter: keep   Esc: as it was"))
        keys.setObjectName("dim")
        row = QHBoxLayout(self)
        wide, high = round(0.57 * theme.em(self)), round(0.28 * theme.em(self))
        row.setContentsMargins(wide, high, wide, high)
        row.addWidget(self._title)
        row.addWidget(self.field, 1)
        row.addWidget(keys)
        self._asked: Asking | None = None
        self.hide()

    def ask(self, asking: Asking | None) -> None:
        """Ask this; None hides the line."""
        if asking is self._asked:
            return
        self._asked = asking
        self.setVisible(asking is not None)
        self.resized.emit()
        if asking is not None:
            self._title.setText(asking.title)
            self.field.setAccessibleName(asking.title)
            self.field.setText(asking.text)
            self.field.selectAll()
            self.field.setFocus()

    @property
    def room(self) -> int:
        """How much height it takes from what is above it, pixels."""
        return 0 if self._asked is None else self.sizeHint().height() + round(0.4 * theme.em(self))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves the words as they were."""
        if event.key() == Qt.Key.Key_Escape:
            self.refused.emit()
        else:
            super().keyPressEvent(event)


def side_by_side(*widgets: QWidget, stretch: int | None = None) -> QHBoxLayout:
    """Widgets in a row; the one at `stretch` takes what is left, or the end does."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    if stretch is None:
        row.addStretch(1)
    else:
        row.setStretch(stretch, 1)
    return row


class _Inside(QWidget):
    """What is scrolled. It says when it needs more room than before.

    No filter of events does: Qt asks one about widgets being taken apart, which Python must not hold.
    """

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            viewport = self.parentWidget()
            if viewport is not None and isinstance(area := viewport.parentWidget(), QScrollArea):
                area.updateGeometry()
        return done


class Scrolling(QScrollArea):
    """What may be higher than its room: scrolled up and down, and never narrower than it can be."""

    def __init__(self, inner: QWidget, parent: QWidget | None = None) -> None:
        """Show `inner`, on the ground of what holds it."""
        super().__init__(parent)
        self._inside = _Inside(inner)
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        inner.setAutoFillBackground(False)
        self._inside.setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:
        """As wide as what is in it, with the scroll bar."""
        wide = self._inside.minimumSizeHint().width() + theme.scroll_bar_px()
        return QSize(wide, super().minimumSizeHint().height())


def panel(owner: QWidget, title: str, text: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A card of the page `owner`, to be filled: its heading and a sentence below it; "" leaves either out."""
    card = QFrame()
    card.setObjectName("panel")
    layout = QVBoxLayout(card)
    if title:
        heading = PlainLabel(title)
        heading.setFont(theme.scaled_font(owner.font(), 1.2, bold=True))
        layout.addWidget(heading)
    if text:
        about = PlainLabel(text)
        about.setObjectName("dim")
        about.setWordWrap(True)
        layout.addWidget(about)
    return card, layout


def tab_in_order(root: QWidget) -> None:
    """Let Tab go through what is in `root` as it is placed: what is put in later would come last."""
    stops = [each for each in _placed(root) if each.focusPolicy().value & Qt.FocusPolicy.TabFocus.value]
    for one, following in pairwise(stops):
        QWidget.setTabOrder(one, following)


def _placed(holder: QWidget) -> Iterator[QWidget]:
    """What its layouts hold, and what is in that, in order."""
    if isinstance(holder, QScrollArea) and (inner := holder.widget()) is not None:
        yield from _placed(inner)
    elif isinstance(holder, WrapRow):
        for each in holder.widgets:
            yield each
            yield from _placed(each)
    elif (layout := holder.layout()) is not None:
        yield from _items(layout)


def _items(layout: QLayout) -> Iterator[QWidget]:
    for number in range(layout.count()):
        item = layout.itemAt(number)
        widget, within = (None, None) if item is None else (item.widget(), item.layout())
        if widget is not None:
            yield widget
            yield from _placed(widget)
        elif within is not None:
            yield from _items(within)


def empty_out(layout: QVBoxLayout, keep: QWidget | None = None) -> None:
    """Take all widgets out of a layout and delete them, but not `keep`."""
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None and old is not keep:
            old.deleteLater()
