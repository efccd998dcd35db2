"""The dialog with all sessions: words find, Enter reviews, Del deletes. Nothing here waits for the disk."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.sessions.controller import SessionsController
from app.sessions.picture import SmallPicture
from app.sessions.presenter import SessionRow, SessionsSnapshot, matching, question, sentence
from app.sessions.table import SessionTable
from app.widgets import theme
from app.widgets.forms import button, page_title, side_by_side
from app.widgets.plain import PlainLabel
from app.widgets.tables import move_by_key
from semc_core.labels import full_name
from semc_core.language import _

_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class SearchLine(QLineEdit):
    """Takes words; Del is for the dialog where there is nothing behind the cursor that it could take away."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hand on what is not for the words."""
        at_end = self.cursorPosition() == len(self.text()) and not self.hasSelectedText()
        if event.key() == Qt.Key.Key_Delete and at_end:
            event.ignore()
        else:
            super().keyPressEvent(event)


class DeleteQuestion(QDialog):
    """Says what would be lost. Enter keeps it."""

    def __init__(self, row: SessionRow, parent: QWidget) -> None:
        """Ask about this session; `open` shows it."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Delete a session"))
        self.question = PlainLabel(question(row))
        self.question.setWordWrap(True)
        self.keep = button(_("Keep it  (Esc)"), self.reject)
        self.keep.setDefault(True)
        self.delete = button(_("&Delete the session"), self.accept)
        layout = QVBoxLayout(self)
        layout.addWidget(self.question)
        layout.addLayout(side_by_side(self.keep, self.delete))
        self.setMinimumWidth(round(30 * theme.em(self)))
        self.keep.setFocus()


class SessionsDialog(QDialog):
    """Lists all sessions, the newest first.

    Signals:
        review_wanted: The session in this folder is to be reviewed, a path.

    Attributes:
        typed: What the lines are searched for.
        table: The sessions.
        picture: Of the one that is chosen.
        asks: Asks whether one is to be deleted; None while nothing is asked.
    """

    review_wanted = Signal(str)

    def __init__(self, control: SessionsController, parent: QWidget) -> None:
        """Begin to read them; `open` shows the dialog.

        Args:
            control: Reads and deletes. Lives longer than this.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Sessions"))
        self._control = control
        self._shown: SessionsSnapshot | None = None
        self.asks: DeleteQuestion | None = None
        self.typed = SearchLine()
        self.typed.setPlaceholderText(_("Type to find: 2026-11, source, protocol, patient"))
        self.typed.setAccessibleName(_("Find"))
        self.table, self.picture = SessionTable(), SmallPicture()
        self._plane, self._message = PlainLabel(), PlainLabel()
        self._message.setObjectName("notice")
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(46 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.7))
        self.typed.textChanged.connect(lambda _text: self._show_rows())
        self.table.selectionModel().selectionChanged.connect(lambda *_changes: self._show_chosen())
        self.table.doubleClicked.connect(lambda _index: self.review())
        control.on_change = self._refresh
        control.look()

    # What the user does.

    def review(self) -> None:
        """Open the chosen session in review."""
        row = self.table.chosen
        if row is not None and not row.fault and self._control.snapshot.deleting != row.folder:
            self.accept()
            self.review_wanted.emit(str(row.folder))

    def ask_to_delete(self) -> None:
        """Ask whether the chosen session is to be deleted, or say why it is not."""
        row = self.table.chosen
        if row is None or self.asks is not None or self._control.snapshot.deleting is not None:
            return
        if why := self._control.refusal(row):
            self._control.say(why)
            return
        self.asks = DeleteQuestion(row, self)
        self.asks.accepted.connect(lambda: self._control.delete(row))
        self.asks.finished.connect(self._answered)
        self.asks.open()

    def _answered(self) -> None:
        self.asks = None
        # Not every desktop gives the keys back by itself.
        self.activateWindow()
        self.typed.setFocus()

    def done(self, result: int) -> None:
        """Leave; no more is read."""
        self._control.on_change = lambda: None
        self._control.cancel()
        if self.asks is not None:
            self.asks.reject()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move in the table while words are typed; Enter reviews, Del deletes, F5 reads again."""
        if move_by_key(self.table, event.key()):
            return
        if event.key() in _ENTER:
            self.review()
        elif event.key() == Qt.Key.Key_Delete:
            self.ask_to_delete()
        elif event.key() == Qt.Key.Key_F5:
            self._control.look()
        else:
            super().keyPressEvent(event)

    # What it shows.

    def _refresh(self) -> None:
        snapshot, before = self._control.snapshot, self._shown
        self._shown = snapshot
        if before is None or before.rows is not snapshot.rows:
            self._show_rows()
        else:
            self._show_chosen()

    def _show_rows(self) -> None:
        rows = matching(self._control.snapshot.rows, self.typed.text())
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        self._beside.setVisible(bool(rows))
        self._show_chosen()

    def _show_chosen(self) -> None:
        row, snapshot = self.table.chosen, self._control.snapshot
        self._message.setText(sentence(snapshot, len(self.table.rows), self.typed.text(), row))
        self._control.look_at(row, self.picture.show_pixels)
        self._plane.setText(_(full_name(row.plane)) if row is not None and row.plane else _("No picture"))
        idle = row is not None and snapshot.deleting is None
        self.go.setEnabled(idle and row is not None and not row.fault)
        self.delete.setEnabled(idle)

    # Building.

    def _build(self) -> None:
        for label in (self._plane, self._message):
            label.setWordWrap(True)
        self.delete = button(_("Delete …  (Del)"), self.ask_to_delete)
        self.go = button(_("Review  (Enter)"), self.review)
        leave = button(_("Close  (Esc)"), self.reject)
        for each in (self.delete, self.go, leave):
            # Enter is for the line that is chosen.
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._beside = QWidget()
        beside = QVBoxLayout(self._beside)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.picture)
        beside.addWidget(self._plane)
        beside.addStretch(1)
        middle, last = QHBoxLayout(), QHBoxLayout()
        middle.addWidget(self.table, 1)
        middle.addWidget(self._beside)
        last.addWidget(self.delete)
        last.addStretch(1)
        last.addWidget(leave)
        last.addWidget(self.go)
        layout = QVBoxLayout(self)
        layout.addWidget(page_title(_("Sessions"), self))
        layout.addWidget(self.typed)
        layout.addLayout(middle, 1)
        layout.addWidget(self._message)
        layout.addStretch(0)
        layout.addLayout(last)
        self.typed.setFocus()
