"""The list of what was measured on the frame that is shown."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.measuring.presenter import MeasureRow
from app.widgets import theme
from semc_core.language import _

_MOST_LINES, _LEAST_LINES = 9, 3
_LINE_EM: Final = 1.25
_NUMBER = Qt.ItemDataRole.UserRole
_ROW = Qt.ItemDataRole.UserRole + 1


def _lines(row: MeasureRow) -> list[tuple[str, str]]:
    """A measurement of one number takes one line."""
    if len(row.lines) == 1:
        return [(row.title, row.lines[0][1])]
    return [(row.title, ""), *row.lines]


class _Painter(QStyledItemDelegate):
    """Number, names on the left, values on the right in one column."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        em = self._em()
        return QSize(round(8 * em), round(len(_lines(index.data(_ROW))) * _LINE_EM * em))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: MeasureRow = index.data(_ROW)
        given: Any = option  # its fields are not in the stubs
        em, box = self._em(), QRectF(given.rect)
        painter.save()
        if row.chosen:
            painter.fillRect(box, QColor(theme.RAISED))
            painter.fillRect(QRectF(box.left(), box.top(), 0.2 * em, box.height()), QColor(theme.ACCENT))
        base = given.font
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        middle = Qt.AlignmentFlag.AlignVCenter
        for i, (name, value) in enumerate(_lines(row)):
            line = QRectF(box.left() + 1.9 * em, box.top() + i * _LINE_EM * em, 0, _LINE_EM * em)
            line.setRight(box.right() - 0.3 * em)
            painter.setFont(theme.scaled_font(base, 1.0, bold=i == 0))
            painter.setPen(QColor(theme.TEXT if i == 0 else theme.DIM))
            if i == 0:
                number = QRectF(box.left() + 0.3 * em, line.top(), 1.3 * em, line.height())
                painter.drawText(number, right | middle, str(row.number or "?"))
            metrics = painter.fontMetrics()
            room = line.width() - metrics.horizontalAdvance(value) - 0.4 * em
            short = metrics.elidedText(name, Qt.TextElideMode.ElideRight, round(room))
            painter.drawText(line, left | middle, short)
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(line, right | middle, value)
        painter.restore()

    def _em(self) -> float:
        owner = self.parent()
        assert isinstance(owner, QWidget)
        return theme.em(owner)


class ValueList(QFrame):
    """What was measured, and where the millimetres come from.

    Signals:
        chosen: The number of the measurement that was clicked.
        menu_wanted: The right button was pressed on this measurement, here (global position).
        resized: It needs more or less room than before.
    """

    chosen = Signal(int)
    menu_wanted = Signal(int, QPoint)
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._rows: tuple[MeasureRow, ...] = ()
        self._wanted = False
        self.list = QListWidget()
        self.list.setAccessibleName(_("Measurements"))
        self.list.setItemDelegate(_Painter(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        for told in (self.list.itemClicked, self.list.itemActivated):
            told.connect(lambda item: self.chosen.emit(item.data(_NUMBER)))
        self._foot = QLabel()
        self._foot.setObjectName("dim")
        self._foot.setWordWrap(True)
        self._foot.setTextFormat(Qt.TextFormat.PlainText)
        layout = self._inner = QVBoxLayout(self)
        gap = round(0.4 * theme.em(self))
        layout.setContentsMargins(gap, gap, gap, gap)
        layout.setSpacing(round(0.3 * theme.em(self)))
        layout.addWidget(self.list)
        layout.addWidget(self._foot)
        self.hide()

    @property
    def rows(self) -> tuple[MeasureRow, ...]:
        """What is listed."""
        return self._rows

    @property
    def foot(self) -> str:
        """What stands below the list."""
        return self._foot.text()

    def fitted(self, most_px: int) -> int:
        """Be as high as wanted, up to so much; with little room without the sentence. Returns how high."""
        if not self._wanted:
            return 0
        em, gap = theme.em(self), self._inner.contentsMargins()
        around, line = gap.top() + gap.bottom() + 0.3 * em + 6, _LINE_EM * em
        lines = min(sum(len(_lines(row)) for row in self._rows), _MOST_LINES)
        foot = self._foot.heightForWidth(self.width() - gap.left() - gap.right())
        told = bool(self._foot.text()) and most_px >= around + foot + min(lines, _LEAST_LINES) * line
        self._foot.setVisible(told or (bool(self._foot.text()) and not lines))
        least = around + min(lines, _LEAST_LINES) * line
        high = around + lines * line + (foot if self._foot.isVisibleTo(self) else 0)
        self.setFixedHeight(round(max(least, min(high, most_px))))
        return self.height()

    def show_rows(self, rows: tuple[MeasureRow, ...], foot: str, wanted: bool) -> None:
        """List these, with a sentence below; nothing at all unless `wanted`."""
        if (rows, foot, wanted) == (self._rows, self._foot.text(), self._wanted):
            return
        if rows != self._rows:
            self._rows = rows
            self._fill()
        self._wanted = wanted
        self._foot.setText(foot)
        self.list.setVisible(bool(rows))
        self.setVisible(wanted)
        self.resized.emit()

    def _fill(self) -> None:
        self.list.clear()
        for row in self._rows:
            said = (f"{name} {value}".strip() for name, value in _lines(row))
            item = QListWidgetItem(f"{row.number or ''} {', '.join(said)}".strip())
            item.setData(_NUMBER, row.number)
            item.setData(_ROW, row)
            item.setToolTip(row.tip)
            self.list.addItem(item)
            if row.chosen:
                self.list.setCurrentItem(item)
        if (current := self.list.currentItem()) is not None:
            self.list.scrollToItem(current)

    def _menu(self, at: QPoint) -> None:
        item = self.list.itemAt(at)
        if item is not None and item.data(_NUMBER):
            self.menu_wanted.emit(item.data(_NUMBER), self.list.mapToGlobal(at))
