"""Long tables: lines are made when they are seen, and the one that was chosen stays so while others come."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QTableView

from app.widgets import theme
from app.widgets.plain import plain_tip
from app.widgets.tables import choose_by_row, choose_row
from semc_core.language import _
from semc_core.text import readable

_MEASURED: Final = 30
"""So many lines say how wide a column is."""
_WIDEST_EM: Final = 16
"""Of a column: a long name hides no other; its tool tip has the whole."""
Index = QModelIndex | QPersistentModelIndex


class SeenRows(QAbstractTableModel):
    """What a long table shows. Who inherits says how many lines there are, and what stands in one."""

    def __init__(self, titles: Sequence[str]) -> None:
        """`titles`: of the columns, marked by `N_`."""
        super().__init__()
        self._titles = titles

    def count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def cells(self, at: int) -> Sequence[str]:
        """What stands in a line."""
        raise NotImplementedError

    def tip(self, at: int, column: int) -> str:
        """What is said while the mouse rests on a cell."""
        return self.cells(at)[column]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many there are."""
        return 0 if parent.isValid() else self.count()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many columns each has."""
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell, and what is said while the mouse rests on it."""
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.tip(index.row(), index.column()))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        # A cell is one line: of several only the first would be seen.
        return readable(self.cells(index.row())[index.column()]).replace("\n", "\\n")

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """The columns' titles."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return _(self._titles[section])


def show_seen(table: QTableView, rows: SeenRows) -> None:
    """Let a table show these; its columns are measured when it is asked to, not with each line."""
    table.setModel(rows)
    choose_by_row(table)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setResizeContentsPrecision(_MEASURED)
    header.setMaximumSectionSize(round(_WIDEST_EM * theme.em(table)))


def choose_again(
    table: QTableView, keys: Sequence[Hashable], chosen: Hashable | None, at: int, place: int
) -> None:
    """After other lines came: choose the line that was chosen, or, where it is gone, the one in its place.

    Args:
        table: Its lines are there.
        keys: What each line is known by, at least one.
        chosen: Of the line that was chosen; None if none was.
        at: Its place.
        place: How far down the table was scrolled.
    """
    if chosen is not None and chosen in keys:
        choose_row(table, keys.index(chosen))
        table.verticalScrollBar().setValue(place)
    else:
        choose_row(table, min(max(at, 0), len(keys) - 1))
