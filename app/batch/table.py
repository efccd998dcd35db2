"""The table of loops; the one that was chosen stays so while lines change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QTableView, QWidget

from app.batch.presenter import COLUMNS, LoopRow, LoopsSnapshot, cells
from app.widgets.seen_rows import SeenRows, choose_again, show_seen
from app.widgets.tables import choose_row, chosen_row
from semc_core.language import _


class LoopRows(SeenRows):
    """What the table shows: its lines are made when they are seen.

    Attributes:
        snapshot: How the list stands.
    """

    def __init__(self) -> None:
        super().__init__(COLUMNS)
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

    def count(self) -> int:
        """How many there are."""
        return len(self.snapshot.rows)

    def cells(self, at: int) -> Sequence[str]:
        """What stands in a line."""
        return cells(self.snapshot.rows[at], self.snapshot)

    def tip(self, at: int, column: int) -> str:
        """Why it could not be read; else where it is, or the whole cell."""
        row = self.snapshot.rows[at]
        return row.fault or (str(row.path) if column == 0 else self.cells(at)[column])


class LoopTable(QTableView):
    """Shows the loops."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = LoopRows()
        show_seen(self, self._rows)
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
        place = self.verticalScrollBar().value()
        states = [row.state for row in self.rows]
        others = self._rows.use(snapshot)
        if others or states != [row.state for row in snapshot.rows]:
            self.resizeColumnsToContents()
        if not others or not snapshot.rows:
            return
        paths = [row.path for row in snapshot.rows]
        choose_again(self, paths, None if chosen is None else chosen.path, at, place)
