"""The dialog with several loops: Enter reviews one, Del takes one off, Space stops and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.batch.controller import LoopsController
from app.batch.presenter import State, sentence
from app.batch.table import LoopTable
from app.file_dialogs import Chooser, PathDialog, dropped
from app.widgets import theme
from app.widgets.forms import button, page_title
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.tables import move_by_key
from app.widgets.wrapping import WrapRow
from semc_core.language import _, joined

if TYPE_CHECKING:
    from app.settings import Settings


class LoopsDialog(QDialog):
    """Lists the loops. Closed, it leaves them to be analysed.

    Attributes:
        table: The loops.
        choose: Asks for more of them.
        go: Reviews the one that is chosen, or tries it again.
        remove: Takes it off the list.
        halt: Stops the list, or lets it go on.
        export: Exports all that is done, or ends that.
    """

    def __init__(self, control: LoopsController, places: Settings, parent: QWidget) -> None:
        """Show the list; `open` shows the dialog.

        Args:
            control: Has the list. Lives longer than this.
            places: Remembers where loops were chosen, and what is exported.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Loops"))
        self.setAcceptDrops(True)
        self._control = control
        self._settings = places
        self._paths = PathDialog(self)
        self.choose = Chooser(self, places)
        self.table = LoopTable()
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(42 * em), round(24 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.7))
        self.table.selectionModel().selectionChanged.connect(lambda *_changes: self._show_chosen())
        self.table.doubleClicked.connect(lambda _index: self.review())
        control.on_change = self._refresh
        control.look_again()
        self._refresh()

    # What the user does.

    def review(self) -> None:
        """Have the chosen loop reviewed, or tried again where it could not be read."""
        if (row := self.table.chosen) is not None:
            self._control.review(row.path)

    def take_off(self) -> None:
        """Take the chosen loop off the list; its session stays."""
        if (row := self.table.chosen) is not None:
            self._control.remove(row.path)

    def add_files(self) -> None:
        """Ask for more loops."""
        self.choose.loops_to_review(self._control.add)

    def add_folder(self) -> None:
        """Ask for a folder of loops, or of pictures."""
        self.choose.folder_to_review(lambda path: self._control.add([path]))

    def export_all(self) -> None:
        """Ask where to, and export every loop that is done; while that goes on, end it."""
        if self._control.exports.state.running:
            self._control.exports.cancel()
        elif self.export.isEnabled():
            self._paths.ask_folder(
                _("Export all loops into this folder, as chosen in the last export"),
                lambda folder: self._control.export_all(Path(folder), self._settings.export_options),
                beside=self._settings.export_folder,
            )

    def done(self, result: int) -> None:
        """Leave; what waits is analysed all the same."""
        self._control.on_change = lambda: None
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys choose, Enter reviews, Del takes off, Space stops, O and F add loops, E exports."""
        key = event.key()
        if move_by_key(self.table, key):
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.review()
        elif key == Qt.Key.Key_Delete:
            self.take_off()
        elif key == Qt.Key.Key_Space:
            self._control.toggle()
        elif key == Qt.Key.Key_O:
            self.add_files()
        elif key == Qt.Key.Key_F:
            self.add_folder()
        elif key == Qt.Key.Key_E:
            self.export_all()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders can be dropped."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take them into the list."""
        if texts := dropped(event):
            self._control.add(texts)

    # What it shows.

    def _refresh(self) -> None:
        snapshot = self._control.snapshot
        self.table.show_loops(snapshot)
        if bool(snapshot.rows) is self.table.isHidden():
            self.table.setVisible(bool(snapshot.rows))
            self.table.setFocus()
        self.halt.setText(_("Go on  (Space)") if snapshot.stopped else _("Stop  (Space)"))
        self.halt.setEnabled(any(row.state in (State.WAITING, State.ANALYSING) for row in snapshot.rows))
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self.table.chosen
        exports = self._control.exports.state
        said = joined((sentence(self._control.snapshot, row), exports.words))
        self._message.setText(said)
        self._message.setToolTip(plain_tip(said))  # in a small window it may not have the room
        self.export.setText(_("Stop the export  (E)") if exports.running else _("Export all …  (E)"))
        done = any(each.state is State.DONE for each in self._control.snapshot.rows)
        self.export.setEnabled(exports.running or done)
        failed = row is not None and row.state is State.FAILED
        self.go.setText(_("Try again  (Enter)") if failed else _("Review  (Enter)"))
        self.go.setEnabled(row is not None)
        self.remove.setEnabled(row is not None and row.state is not State.ANALYSING)

    # Building.

    def _build(self) -> None:
        files = button(_("Add files …  (O)"), self.add_files)
        folder = button(_("Add a folder …  (F)"), self.add_folder)
        self.halt = button(_("Stop  (Space)"), self._control.toggle)
        self.remove = button(_("Take off the list  (Del)"), self.take_off)
        self.remove.setToolTip(_("What was found stays: it is under All sessions."))
        self.export = button(_("Export all …  (E)"), self.export_all)
        self.export.setToolTip(_("De-identified, each into a folder of its own, with what was ticked last."))
        leave = button(_("Close  (Esc)"), self.reject)
        leave.setToolTip(_("The loops are analysed all the same."))
        self.go = button(_("Review  (Enter)"), self.review)
        buttons = files, folder, self.halt, self.remove, self.export, leave, self.go
        for each in buttons:
            # Clicked, it leaves Space and Enter to the list.
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QVBoxLayout(self)
        layout.addWidget(page_title(_("Loops"), self))
        layout.addWidget(self.table, 1)
        layout.addWidget(self._message)
        layout.addStretch(0)
        layout.addWidget(WrapRow(*buttons))
