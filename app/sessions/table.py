"""The table of sessions: its lines are made when they are seen, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QTableView, QWidget

from app.sessions.presenter import COLUMNS, SessionRow, cells
from app.widgets.seen_rows import SeenRows, choose_again, show_seen
from app.widgets.tables import chosen_row
from semc_core.language import _


class SessionRows(SeenRows):
    """What the table shows.

    Attributes:
        rows: A session each.
    """

    def __init__(self) -> None:
        super().__init__(COLUMNS)
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

    def count(self) -> int:
        """How many there are."""
        return len(self.rows)

    def cells(self, at: int) -> Sequence[str]:
        """What stands in a line."""
        return cells(self.rows[at])

    def tip(self, at: int, column: int) -> str:
        """Why it could not be read; else the whole cell."""
        return self.rows[at].fault or self.cells(at)[column]


class SessionTable(QTableView):
    """Shows sessions; the one that was chosen stays so while others come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = SessionRows()
        show_seen(self, self._rows)
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
        place = self.verticalScrollBar().value()
        if self._rows.use(rows) or not rows:
            return
        self.resizeColumnsToContents()
        folders = [row.folder for row in rows]
        choose_again(self, folders, None if chosen is None else chosen.folder, at, place)
