"""The table of loops; the one that was chosen stays so while lines change."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from app.batch.presenter import COLUMNS, LoopRow, LoopsSnapshot, cells
from app.widgets import theme
from app.widgets.plain import plain_tip
from app.widgets.tables import choose_by_row, choose_row, chosen_row
from semc_core.language import _
from semc_core.text import readable

_WIDEST_EM: Final = 16
"""Of a column: a long name hides no other; its tool tip has the whole."""
_MEASURED: Final = 30
"""So many lines say how wide a column is."""
_Index = QModelIndex | QPersistentModelIndex


class LoopRows(QAbstractTableModel):
    """What the table shows: its lines are made when they are seen.

    Attributes:
        snapshot: How the list stands.
    """

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = LoopsSnapshot()

    def use(self, snapshot: LoopsSnapshot) -> bool:
        """Show this. Returns whether there are other loops than before, or in another order."""
        before, self.snapshot = self.snapshot, snapshot
        paths = [row.path for row in snapshot.rows]
        if paths == [row.path for row in before.rows]:
            for at, (old, new) in enumerate(zip(before.rows, snapshot.rows, strict=True)):
                if cells(old, before) != cells(new, snapshot):
                    self.dataChanged.emit(self.index(at, 0), self.index(at, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self.endResetModel()
        return True

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many there are."""
        return 0 if parent.isValid() else len(self.snapshot.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many columns each has."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell, and what is said while the mouse rests on it."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        row = self.snapshot.rows[index.row()]
        text = cells(row, self.snapshot)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.fault or (str(row.path) if index.column() == 0 else text))
        # A cell is one line: of several only the first would be seen.
        return readable(text).replace("\n", "\\n")

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """The columns' titles."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return _(COLUMNS[section])


class LoopTable(QTableView):
    """Shows the loops."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = LoopRows()
        self.setModel(self._rows)
        choose_by_row(self)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setResizeContentsPrecision(_MEASURED)
        header.setMaximumSectionSize(round(_WIDEST_EM * theme.em(self)))
        self.setTabKeyNavigation(False)
        self.setAccessibleName(_("Loops"))

    @property
    def chosen(self) -> LoopRow | None:
        """The line that is chosen."""
        at, rows = chosen_row(self), self.rows
        return rows[at] if at is not None and at < len(rows) else None

    @property
    def rows(self) -> tuple[LoopRow, ...]:
        """All lines."""
        return self._rows.snapshot.rows

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End choose the first and the last line; other keys are for the dialog."""
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            choose_row(self, 0 if event.key() == Qt.Key.Key_Home else len(self.rows) - 1)
        else:
            event.ignore()

    def show_loops(self, snapshot: LoopsSnapshot) -> None:
        """Show these; where the one that was chosen is none of them, the one in its place is chosen."""
        chosen, at = self.chosen, self.currentIndex().row()
        bar = self.verticalScrollBar()
        place = bar.value()
        states = [row.state for row in self.rows]
        others = self._rows.use(snapshot)
        if others or states != [row.state for row in snapshot.rows]:
            self.resizeColumnsToContents()
        if not others or not snapshot.rows:
            return
        paths = [row.path for row in snapshot.rows]
        if chosen is not None and chosen.path in paths:
            choose_row(self, paths.index(chosen.path))
            bar.setValue(place)
        else:
            choose_row(self, min(max(at, 0), len(paths) - 1))
