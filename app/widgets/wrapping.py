"""Widgets in a row that goes on below where the room is too narrow for all of them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QStyle, QWidget


class WrapLayout(QLayout):
    """From left to right, in as many lines as are needed; all in a line are of one height."""

    def __init__(self, stretch: QWidget | None = None) -> None:
        """`stretch`: takes what is left of its line; without it the line's end does."""
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._stretch = stretch

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802
        """What Qt adds a widget by."""
        self._items.append(item)

    # Qt asks for one beyond the end, too.

    def count(self) -> int:
        """How many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """The one at this place."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """The one at this place, which is no more of the layout."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802
        """None: who holds it says how wide it is."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """The narrower, the higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """With all lines."""
        edge = self.contentsMargins()
        lines = self._lines(width - edge.left() - edge.right())
        between = max(0, len(lines) - 1) * self._between()
        return sum(map(_height, lines)) + between + edge.top() + edge.bottom()

    def sizeHint(self) -> QSize:
        """In one line."""
        seen = self._seen()
        gaps = max(0, len(seen) - 1) * self._gap()
        return self._with_edges(QSize(sum(_width(item) for item in seen) + gaps, _height(seen)))

    def minimumSize(self) -> QSize:  # noqa: N802
        """As wide as the widest of them."""
        seen = self._seen()
        wide = max((item.minimumSize().width() for item in seen), default=0)
        return self._with_edges(QSize(wide, _height(seen)))

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802
        """Place them."""
        super().setGeometry(rect)
        edge = self.contentsMargins()
        room = rect.adjusted(edge.left(), edge.top(), -edge.right(), -edge.bottom())
        top, gap = room.top(), self._gap()
        for line in self._lines(room.width()):
            high, left = _height(line), room.left()
            spare = room.width() - sum(_width(item) for item in line) - gap * (len(line) - 1)
            for item in line:
                takes = item.widget() is self._stretch or spare < 0
                wide = min(room.width(), _width(item) + (spare if takes else 0))
                wide = max(wide, item.minimumSize().width())
                item.setGeometry(QRect(QPoint(left, top), QSize(wide, high)))
                left += wide + gap
            top += high + self._between()

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        left = 0
        for item in self._seen():
            wide = _width(item)
            if lines and left + wide <= width:
                lines[-1].append(item)
            else:
                lines.append([item])
                left = 0
            left += wide + self._gap()
        return lines

    def _seen(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _gap(self) -> int:
        """Between two of a line; the owner's style says it, as of every layout."""
        return self._of_style(QStyle.PixelMetric.PM_LayoutHorizontalSpacing)

    def _between(self) -> int:
        return self._of_style(QStyle.PixelMetric.PM_LayoutVerticalSpacing)

    def _of_style(self, metric: QStyle.PixelMetric) -> int:
        owner = self.parentWidget()
        return 0 if owner is None else owner.style().pixelMetric(metric, None, owner)

    def _with_edges(self, size: QSize) -> QSize:
        edge = self.contentsMargins()
        return size + QSize(edge.left() + edge.right(), edge.top() + edge.bottom())


def _width(item: QLayoutItem) -> int:
    return item.sizeHint().expandedTo(item.minimumSize()).boundedTo(item.maximumSize()).width()


def _height(line: list[QLayoutItem]) -> int:
    return max((item.sizeHint().expandedTo(item.minimumSize()).height() for item in line), default=0)


def wrapped(*widgets: QWidget, stretch: int | None = None) -> WrapLayout:
    """As `forms.side_by_side`, but what has no room stands below."""
    row = WrapLayout(None if stretch is None else widgets[stretch])
    for widget in widgets:
        row.addWidget(widget)
    return row
