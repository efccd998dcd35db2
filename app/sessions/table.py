"""The table of sessions: its lines are made when they are seen, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from app.sessions.presenter import COLUMNS, SessionRow, cells
from app.widgets import theme
from app.widgets.plain import plain_tip
from app.widgets.tables import choose_by_row, choose_row, chosen_row
from semc_core.language import _
from semc_core.text import readable

_MEASURED: Final = 30
"""So many lines say how wide a column is."""
_WIDEST_EM: Final = 16
"""Of a column: a long name hides no other; its tool tip has the whole."""
_Index = QModelIndex | QPersistentModelIndex


class SessionRows(QAbstractTableModel):
    """What the table shows.

    Attributes:
        rows: A session each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[SessionRow] = []

    def use(self, rows: Sequence[SessionRow]) -> bool:
        """Show these. Returns whether they only go on after those that were shown."""
        more = len(rows) - len(self.rows)
        if not self.rows or more < 0 or list(rows[: len(self.rows)]) != self.rows:
            self.beginResetModel()
            self.rows = list(rows)
            self.endResetModel()
            return False
        if more:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(rows) - 1)
            self.rows = list(rows)
            self.endInsertRows()
        return True

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """How many columns each has."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell, and what is said while the mouse rests on it."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        row = self.rows[index.row()]
        text = cells(row)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.fault or text)
        # A cell is one line: of several only the first would be seen.
        return readable(text).replace("\n", "\\n")

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """The columns' titles."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return _(COLUMNS[section])


class SessionTable(QTableView):
    """Shows sessions; the one that was chosen stays so while others come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = SessionRows()
        self.setModel(self._rows)
        choose_by_row(self)
        header = self.horizontalHeader()
        # Not with each piece that comes: that would keep the window busy.
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setResizeContentsPrecision(_MEASURED)
        header.setMaximumSectionSize(round(_WIDEST_EM * theme.em(self)))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(_("Sessions"))

    @property
    def chosen(self) -> SessionRow | None:
        """The line that is chosen."""
        at = chosen_row(self)
        return self._rows.rows[at] if at is not None and at < len(self._rows.rows) else None

    @property
    def rows(self) -> list[SessionRow]:
        """All lines."""
        return self._rows.rows

    def show_rows(self, rows: Sequence[SessionRow]) -> None:
        """Show these; where the one that was chosen is none of them, the one in its place is chosen."""
        chosen, at = self.chosen, self.currentIndex().row()
        bar = self.verticalScrollBar()
        place = bar.value()
        if self._rows.use(rows) or not rows:
            return
        self.resizeColumnsToContents()
        folders = [row.folder for row in rows]
        if chosen is not None and chosen.folder in folders:
            choose_row(self, folders.index(chosen.folder))
            bar.setValue(place)
        else:
            choose_row(self, min(max(at, 0), len(rows) - 1))
