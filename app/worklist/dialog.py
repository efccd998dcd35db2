"""The dialog with the worklist: choose by typing, arrow keys and Enter. Nothing here waits for a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import button, page_title
from app.widgets.plain import PlainLabel
from app.widgets.tables import chosen_row, fill_rows, move_by_key, show_rows, show_servers
from app.worklist.controller import WorklistController
from app.worklist.presenter import (
    COLUMNS,
    MOST_SHOWN,
    NOTHING_CHOSEN,
    WorklistSnapshot,
    cells,
    matching,
    preselected,
    sentence,
)
from semc_core.language import _
from semc_core.session.examination import Examination

_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class WorklistDialog(QDialog):
    """Lists today's examinations of a server; the one that is chosen is that of the scan.

    Signals:
        server_wanted: A server is to be added.

    Attributes:
        servers: Those that can be asked.
        typed: What the lines are searched for.
        table: The examinations.
    """

    server_wanted = Signal()

    def __init__(
        self,
        control: WorklistController,
        parent: QWidget,
        fill: Callable[[Examination], None] | None = None,
    ) -> None:
        """Ask at once; `open` shows the dialog.

        Args:
            control: Asks. Lives longer than this.
            parent: The window.
            fill: Takes the examination that is chosen; None where it is for the scan.
        """
        super().__init__(parent)
        self._fill = fill
        self.setWindowTitle(_("Worklist"))
        self._control = control
        self._shown: WorklistSnapshot | None = None
        self._rows: list[Examination] = []
        self._found = 0
        self.servers = FittedBox()
        self.servers.setAccessibleName(_("Server"))
        self.days = FittedBox()
        self.days.setAccessibleName(_("Day"))
        self.typed = QLineEdit()
        self.typed.setPlaceholderText(_("Type to find: name, number, procedure"))
        self.typed.setAccessibleName(_("Find"))
        self.table = QTableWidget(0, len(COLUMNS))
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(46 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.4))
        self.typed.textChanged.connect(lambda _changed: self._show_rows())
        self.servers.activated.connect(lambda _changed: self.ask())
        self.days.activated.connect(lambda _changed: self.ask())
        self.table.itemSelectionChanged.connect(self._show_buttons)
        self.table.itemDoubleClicked.connect(lambda _changed: self.choose())
        control.on_change = self._refresh
        control.ask()

    # What the user does.

    def ask(self) -> None:
        """Ask the chosen server again."""
        self._control.ask(str(self.servers.currentData() or ""), any_day=self.days.currentIndex() == 1)

    def choose(self) -> None:
        """Take the chosen examination; where planes would get another patient, ask before."""
        row = self.chosen
        if row is None:
            if self._control.snapshot.phase == "no server":
                self.server_wanted.emit()
            elif self._rows:
                self._message.setText(_(NOTHING_CHOSEN))
        elif self._fill is None and (question := self._control.question(row)):
            self.ask_whether(question)
        else:
            self._take(row)

    def ask_whether(self, question: str) -> None:
        """Ask before planes get another patient. Enter is no answer: readers of bar codes send it twice."""
        self._message.setText(question)
        self.go.hide()
        self.change.show()

    def _take(self, row: Examination | None) -> None:
        if row is not None:
            (self._fill or self._control.choose)(row)
            self.accept()

    def choose_none(self) -> None:
        """Scan without an examination."""
        self._control.choose(None)
        self.accept()

    def done(self, result: int) -> None:
        """Leave; a server that is being asked is asked no longer."""
        self._control.on_change = lambda: None
        self._control.cancel()
        super().done(result)

    @property
    def chosen(self) -> Examination | None:
        """The line that is chosen."""
        at = chosen_row(self.table)
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move in the table while words are typed; Enter chooses, F5 asks again."""
        if move_by_key(self.table, event.key()):
            return
        if event.key() in _ENTER:
            self.choose()
        elif event.key() == Qt.Key.Key_F5:
            self.ask()
        else:
            super().keyPressEvent(event)

    # What it shows.

    def _refresh(self) -> None:
        snapshot = self._control.snapshot
        if snapshot is not self._shown:
            self._shown = snapshot
            show_servers(self.servers, [each.name for each in snapshot.servers], snapshot.server)
            self._show_rows()
        else:
            self._show_buttons()

    def _show_rows(self) -> None:
        snapshot = self._control.snapshot
        found = matching(snapshot.rows, self.typed.text())
        self._rows = found[:MOST_SHOWN]
        chosen = preselected(self._rows, self.typed.text(), self._control.of_scan)
        fill_rows(self.table, [cells(row) for row in self._rows], chosen)
        self._found = len(found)
        self._show_buttons()

    def _show_buttons(self) -> None:
        self._message.setText(sentence(self._control.snapshot, self._found))
        self.go.setEnabled(self.chosen is not None)
        self.go.setText(self._title_of_go())
        self.change.hide()
        nobody = self._control.snapshot.phase == "no server"
        self.add.setVisible(nobody and self._fill is None)
        for each in (self.servers, self.days, self.again, self.typed, self.go):
            each.setHidden(nobody)
        self.again.setEnabled(self._control.snapshot.phase not in ("looking", "asking"))

    def _title_of_go(self) -> str:
        if self._fill is not None:
            return _("Fill in  (Enter)")
        if self._control.running:
            return _("Choose for this scan  (Enter)")
        return _("Choose for the next scan  (Enter)")

    # Building.

    def _build(self) -> None:
        self.servers.setMinimumContentsLength(12)
        self.days.addItems((_("Today"), _("Any day")))
        for box in (self.servers, self.days):
            # As high as the button beside them.
            box.setSizePolicy(box.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Preferred)
        table = self.table
        show_rows(table, [_(title) for title in COLUMNS])
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.go = button(_("Choose"), self.choose)
        self.change = button(_("Change the patient"), lambda: self._take(self.chosen))
        self.again = button(_("Ask again  (F5)"), self.ask)
        self.add = button(_("Add a server  (Enter)"), self.server_wanted.emit)
        none = button(_("No examination"), self.choose_none)
        leave = button(_("Close  (Esc)"), self.reject)
        for each in (self.go, self.again, self.add, none, leave):
            # Enter is for the line that is chosen.
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        first, last = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.servers, 1)
        first.addWidget(self.days)
        first.addWidget(self.again)
        none.setHidden(self._fill is not None)
        for each in (none, self.add):
            last.addWidget(each)
        last.addStretch(1)
        for each in (leave, self.change, self.go):
            last.addWidget(each)
        layout = QVBoxLayout(self)
        layout.addWidget(page_title(_("Worklist"), self))
        layout.addLayout(first)
        layout.addWidget(self.typed)
        layout.addWidget(table, 1)
        layout.addWidget(self._message)
        layout.addStretch(0)
        layout.addLayout(last)
        self.typed.setFocus()
