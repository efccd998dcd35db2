"""The dialog for earlier studies: Enter finds, then gets, then opens. Nothing here waits for a server."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QTableWidget, QVBoxLayout, QWidget

from app.priors.controller import PriorsController
from app.priors.presenter import (
    PICTURE_COLUMNS,
    STUDY_COLUMNS,
    PriorsSnapshot,
    Wanted,
    picture_cells,
    sentence,
    study_cells,
)
from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import button, page_title
from app.widgets.plain import PlainLabel
from app.widgets.tables import chosen_row, fill_rows, move_by_key, show_rows, show_servers
from semc_core.language import _

_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PriorsDialog(QDialog):
    """Finds earlier studies on a server, gets one, and opens a picture of it.

    Signals:
        server_wanted: A server is to be added.
        review_wanted: This file is to be reviewed, a path.

    Attributes:
        servers: Those that can be asked.
        kinds: Ultrasound alone, or any.
        number: The patient's.
        name: How the patient's name begins.
        accession: The accession number.
        table: The studies, then the pictures of one.
    """

    server_wanted = Signal()
    review_wanted = Signal(str)

    def __init__(self, control: PriorsController, patient_id: str, parent: QWidget) -> None:
        """Look for servers; `open` shows the dialog.

        Args:
            control: Asks. Lives longer than this.
            patient_id: Whose studies are looked for, most likely; or "".
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Earlier studies"))
        self._control = control
        self._shown: PriorsSnapshot | None = None
        self.servers = FittedBox()
        self.servers.setAccessibleName(_("Server"))
        self.kinds = FittedBox()
        self.kinds.setAccessibleName(_("Kind"))
        self.number, self.name, self.accession = QLineEdit(patient_id), QLineEdit(), QLineEdit()
        self.table = QTableWidget(0, len(STUDY_COLUMNS))
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(46 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.4))
        for field in (self.number, self.name, self.accession):
            field.textChanged.connect(lambda _changed: self._show_buttons())
        self.servers.activated.connect(lambda _changed: self._show_buttons())
        self.kinds.activated.connect(lambda _changed: self._show_buttons())
        self.table.itemSelectionChanged.connect(self._show_buttons)
        self.table.itemDoubleClicked.connect(lambda _changed: self._take())
        control.on_change = self._refresh
        control.look()

    # What the user does.

    def go_on(self) -> None:
        """Find what is typed; where that was found, get the study; where that is here, open a picture."""
        if self._is_asked or self._control.snapshot.phase == "got":
            self._take()
        elif self.seek.isEnabled():
            self.search()

    def search(self) -> None:
        """Ask the chosen server for what is typed."""
        self._control.find(str(self.servers.currentData() or ""), self._typed)

    def reject(self) -> None:
        """Esc: leave the pictures, or what is being got; else the dialog."""
        if self._control.snapshot.phase in ("getting", "got"):
            self._control.back()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window's own button leaves at once; Esc goes back a step."""
        if self.isVisible():
            self.done(0)
        event.accept()

    def done(self, result: int) -> None:
        """Leave; a server that is being asked is asked no longer."""
        self._control.on_change = lambda: None
        self._control.cancel()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move in the table while words are typed; Enter goes on, F5 asks again."""
        if move_by_key(self.table, event.key()):
            return
        if event.key() in _ENTER:
            self.go_on()
        elif event.key() == Qt.Key.Key_F5:
            if self.seek.isEnabled():
                self.search()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        """Get the chosen study, or open the chosen picture."""
        snapshot, at = self._control.snapshot, chosen_row(self.table)
        if at is None:
            return
        if snapshot.phase == "found" and at < len(snapshot.studies):
            self._control.get(snapshot.studies[at])
        elif snapshot.phase == "got" and at < len(snapshot.pictures):
            path = str(snapshot.pictures[at].path)
            self.accept()
            self.review_wanted.emit(path)

    @property
    def _typed(self) -> Wanted:
        number, name, accession = (field.text().strip() for field in (self.number, self.name, self.accession))
        return Wanted(number, name, accession, self.kinds.currentIndex() == 1)

    @property
    def _is_asked(self) -> bool:
        """Whether what is typed is what the server answered."""
        snapshot = self._control.snapshot
        same = snapshot.wanted == self._typed and snapshot.server == self.servers.currentData()
        return snapshot.phase == "found" and bool(snapshot.studies) and same

    # What it shows.

    def _refresh(self) -> None:
        snapshot, before = self._control.snapshot, self._shown
        if snapshot is before:
            return
        self._shown = snapshot
        show_servers(self.servers, [each.name for each in snapshot.servers], snapshot.server)
        if before is None or (before.studies, before.pictures) != (snapshot.studies, snapshot.pictures):
            self._show_table(snapshot)
        self._message.setText(sentence(snapshot))
        self._show_buttons()
        if before is not None and before.phase in ("getting", "got") and self.number.isEnabled():
            # They could not be typed into meanwhile.
            self.number.setFocus()

    def _show_table(self, snapshot: PriorsSnapshot) -> None:
        titles = PICTURE_COLUMNS if snapshot.pictures else STUDY_COLUMNS
        self.table.setColumnCount(len(titles))
        show_rows(self.table, [_(title) for title in titles])
        if snapshot.pictures:
            fill_rows(self.table, [picture_cells(row) for row in snapshot.pictures])
        else:
            fill_rows(self.table, [study_cells(row) for row in snapshot.studies])

    def _show_buttons(self) -> None:
        snapshot = self._control.snapshot
        here, chosen = snapshot.phase == "got", chosen_row(self.table) is not None
        ready = bool(snapshot.servers) and not snapshot.busy and not here
        for part in (self.number, self.name, self.accession, self.kinds):
            part.setEnabled(snapshot.phase not in ("getting", "got", "no server"))
        self.servers.setEnabled(ready)
        self.seek.setEnabled(ready and self._typed.says_something)
        self.seek.setText(_("Find  (F5)") if self._is_asked else _("Find  (Enter)"))
        self.take.setText(
            _("Review  (Enter)") if here else _("Get it  (Enter)") if self._is_asked else _("Get it")
        )
        self.take.setEnabled(chosen and (here or self._is_asked))
        self.add.setVisible(snapshot.phase == "no server")
        self.leave.setText(_("Back  (Esc)") if snapshot.phase in ("getting", "got") else _("Close  (Esc)"))

    # Building.

    def _build(self) -> None:
        self.servers.setMinimumContentsLength(12)
        self.kinds.addItems((_("Ultrasound"), _("Any kind")))
        show_rows(self.table, [_(title) for title in STUDY_COLUMNS])
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.seek = button(_("Find  (Enter)"), self.search)
        self.take = button(_("Get it"), self._take)
        self.add = button(_("Add a server"), self.server_wanted.emit)
        self.leave = button(_("Close  (Esc)"), self.reject)
        for each in (self.seek, self.take, self.leave):
            # Enter is for what comes next.
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        first, second, last = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.servers, 1)
        first.addWidget(self.kinds)
        for field, words in (
            (self.number, _("Patient ID, whole")),
            (self.name, _("Last name, or Last^First")),
            (self.accession, _("Accession number, whole")),
        ):
            field.setPlaceholderText(words)
            field.setAccessibleName(words)
            second.addWidget(field, 1)
        second.addWidget(self.seek)
        last.addWidget(self.add)
        last.addStretch(1)
        last.addWidget(self.leave)
        last.addWidget(self.take)
        layout = QVBoxLayout(self)
        layout.addWidget(page_title(_("Earlier studies"), self))
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._message)
        layout.addStretch(0)
        layout.addLayout(last)
        self.number.setFocus()
