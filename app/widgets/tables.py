"""Tables of which a row is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
)

from app.widgets.plain import plain_tip
from semc_core.text import readable

_STEPS: Final[dict[int, int]] = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
}


def show_rows(table: QTableWidget, titles: Sequence[str]) -> None:
    """Let whole rows be chosen, one at a time, below these titles; nothing is typed into them."""
    table.setHorizontalHeaderLabels(list(titles))
    choose_by_row(table)


def choose_by_row(table: QTableView) -> None:
    """Let whole rows be chosen, one at a time; nothing is typed into them."""
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)


def fill_rows(table: QTableWidget, rows: Sequence[Sequence[str]], chosen: int | None = 0) -> None:
    """Show these cells, and choose a row, or none; a table without rows is hidden."""
    table.setRowCount(len(rows))
    with filled_at_once(table):
        for at, cells in enumerate(rows):
            for column, text in enumerate(cells):
                # A cell is one line: of several only the first would be seen.
                item = QTableWidgetItem(readable(text).replace("\n", "\\n"))
                item.setToolTip(plain_tip(text))
                table.setItem(at, column, item)
    if chosen is None:
        table.setCurrentCell(-1, -1)
    elif rows:
        choose_row(table, chosen)
    table.setVisible(bool(rows))


@contextmanager
def filled_at_once(table: QTableWidget) -> Iterator[None]:
    """Put cells into a table, which looks at them when all are there.

    Else it measures its columns anew, over all rows, with each cell: 20 s of 500 rows.
    """
    model = table.model()
    blocked = model.blockSignals(True)
    try:
        yield
    finally:
        model.blockSignals(blocked)
    rows, columns = model.rowCount(), model.columnCount()
    if rows and columns:
        model.dataChanged.emit(model.index(0, 0), model.index(rows - 1, columns - 1))


def move_by_key(table: QTableView, key: int) -> bool:
    """Choose another row by an arrow key, or one ten rows away; returns whether it was such a key."""
    step, rows = _STEPS.get(key), table.model().rowCount()
    if step is not None and rows:
        choose_row(table, min(max(table.currentIndex().row() + step, 0), rows - 1))
    return step is not None


def choose_row(table: QTableView, row: int) -> None:
    """Choose a row. Qt's own way chooses none where it is written from right to left and not shown yet."""
    table.setCurrentIndex(table.model().index(row, 0))


def chosen_row(table: QTableView) -> int | None:
    """The row that is chosen."""
    at = table.currentIndex().row()
    return at if at >= 0 and table.selectionModel().hasSelection() else None


def show_servers(box: QComboBox, names: Sequence[str], chosen: str) -> None:
    """Offer servers by their names; what was offered stays where none are known yet."""
    if names and list(names) != [box.itemData(at) for at in range(box.count())]:
        box.clear()
        for name in names:
            box.addItem(readable(name), name)
    if chosen in names:
        box.setCurrentIndex(list(names).index(chosen))
    box.setEnabled(bool(names))
