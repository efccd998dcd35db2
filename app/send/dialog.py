"""The dialog for sending to a PACS: servers above, the queue below. Nothing here waits for a server."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QColor, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.send.controller import SendController
from app.send.presenter import JobRow, SendSnapshot, destination_line, job_row, service_words
from app.send.server_form import ServerForm
from app.send.web_form import WebForm
from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import button, page_title, tell_choice
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.tables import choose_row, filled_at_once, show_rows
from semc_core.language import N_, _
from semc_core.pacs.destinations import Server, WebDestination
from semc_core.pacs.web_secret import WebSecret

_COLUMNS: Final = (N_("Queued"), N_("To"), N_("What"), N_("State"), "")


class SendDialog(QDialog):
    """Servers, and what is sent to them.

    Attributes:
        servers: Those that can be chosen.
        table: The queue, newest first.
        form: For adding and changing a server.
        web_form: The same for a DICOMweb service.
    """

    def __init__(
        self, control: SendController, bundle: Path | None, session: Path | None, parent: QWidget
    ) -> None:
        """Show the queue; `open` shows the dialog.

        Args:
            control: Sends. Lives longer than this.
            bundle: An export that is to be sent; None only shows.
            session: The folder of its session.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Send to a PACS"))
        self._control = control
        self._bundle = bundle
        self._session = session
        self._shown: SendSnapshot | None = None
        self._rows: tuple[JobRow, ...] = ()
        self.servers = FittedBox()
        tell_choice(self.servers)
        self.servers.setAccessibleName(_("Server"))
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setAccessibleName(_("Queue"))
        self.table.setTabKeyNavigation(False)
        self.form = ServerForm()
        self.web_form = WebForm()
        self._build()
        self.form.kept.connect(self._keep)
        self.form.tested.connect(control.test)
        self.form.web_wanted.connect(self._add_web)
        self.web_form.kept.connect(lambda typed: self._keep(typed.service, typed.secret))
        self.web_form.tested.connect(lambda typed: control.test(typed.service, typed.secret))
        self.form.left.connect(lambda: self._show_form(None))
        self.web_form.left.connect(lambda: self._show_form(None))
        self.table.itemSelectionChanged.connect(self._show_buttons)
        em = theme.em(self)
        self.setMinimumSize(round(42 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.4))
        control.on_message, control.on_change = self._say, self._refresh
        self._refresh()

    # What the user does.

    def send(self) -> None:
        """Send the export to the chosen server."""
        name = self.servers.currentData()
        if self._bundle is not None and name is not None:
            self._control.send(self._bundle, str(name), self._session)
            self._bundle = None
            self._refresh()

    def reject(self) -> None:
        """Esc: leave the form, or the dialog. What waits is sent all the same."""
        at = self._pages.currentWidget()
        if isinstance(at, ServerForm | WebForm) and (at.asking or self.servers.count()):
            at.go_back()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window's own button leaves at once; Esc goes back a step."""
        if self.isVisible():
            self.done(0)
        event.accept()

    def done(self, result: int) -> None:
        """Leave."""
        self._control.on_message, self._control.on_change = lambda sentence: None, lambda: None
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends only where there is something to send."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._pages.currentIndex() == 0:
            if self.go.isEnabled() and self.go.isVisible():
                self.send()
            return
        super().keyPressEvent(event)

    @property
    def chosen(self) -> JobRow | None:
        """The job that is chosen in the queue."""
        at = self.table.currentRow()
        return self._rows[at] if 0 <= at < len(self._rows) and self.table.selectedItems() else None

    def _server(self) -> Server | None:
        name = self.servers.currentData()
        return next((each for each in self._control.snapshot.destinations if each.name == name), None)

    def _add(self) -> None:
        self.form.edit(None)
        self._show_form(self.form)

    def _add_web(self) -> None:
        self.web_form.edit(None)
        self._show_form(self.web_form)

    def _edit(self) -> None:
        server = self._server()
        if isinstance(server, WebDestination):
            self.web_form.edit(server)
            self._show_form(self.web_form)
        else:
            self.form.edit(server)
            self._show_form(self.form)

    def _test(self) -> None:
        if (server := self._server()) is not None:
            self._message.setText(_("Asking {server} …", server=server.name))
            self._control.test(server)

    def _remove(self) -> None:
        if (server := self._server()) is not None:
            self._control.remove(server.name)

    def _keep(self, destination: Server, secret: WebSecret | None = None) -> None:
        self._control.put(destination, secret)
        self._to_choose = destination.name
        self._show_form(None)

    def _retry(self) -> None:
        if (row := self.chosen) is not None:
            self._control.retry(row.job_id)

    def _cancel(self) -> None:
        if (row := self.chosen) is not None:
            self._control.cancel(row.job_id)

    # What it shows.

    def _say(self, sentence: str) -> None:
        self._message.setText(sentence)
        self.form.say(sentence)
        self.web_form.say(sentence)

    def _refresh(self) -> None:
        snapshot = self._control.snapshot
        if snapshot is not self._shown:
            first = self._shown is None or not self._shown.ready
            self._shown = snapshot
            self._show_servers(snapshot)
            self._show_queue(snapshot)
            if first and snapshot.ready and not snapshot.destinations:
                self._add()
            elif self._pages.currentIndex() == 1 and not self.form.isVisible():
                self._show_form(None)
        self._service.setText(service_words(snapshot, self._control.queueing))
        self._show_buttons()

    def _show_servers(self, snapshot: SendSnapshot) -> None:
        names = [each.name for each in snapshot.destinations]
        lines = [destination_line(each) for each in snapshot.destinations]
        self.form.taken = self.web_form.taken = dict(zip(names, lines, strict=True))
        there = [self.servers.itemText(at) for at in range(self.servers.count())]
        chosen = self._to_choose if self._to_choose in names else self.servers.currentData()
        if lines != there:
            self.servers.clear()
            for name, line in zip(names, lines, strict=True):
                self.servers.addItem(line, name)
        if chosen in names:
            self.servers.setCurrentIndex(names.index(chosen))
            self._to_choose = ""

    def _show_queue(self, snapshot: SendSnapshot) -> None:
        chosen = self.chosen
        self._rows = tuple(job_row(job, snapshot.service) for job in snapshot.jobs)
        self.table.setRowCount(len(self._rows))
        with filled_at_once(self.table):
            for at, row in enumerate(self._rows):
                texts = (row.when, row.destination, row.what, row.state, row.message)
                for column, text in enumerate(texts):
                    item = QTableWidgetItem(text)
                    item.setToolTip(plain_tip(text))
                    if column == 3:
                        item.setForeground(QColor(theme.tone_colour(row.tone, theme.TEXT)))
                    self.table.setItem(at, column, item)
        for at, row in enumerate(self._rows):
            if chosen is not None and row.job_id == chosen.job_id:
                choose_row(self.table, at)
        self.table.setVisible(bool(self._rows))

    def _show_buttons(self) -> None:
        snapshot, row = self._control.snapshot, self.chosen
        there = bool(self.servers.count())
        self.go.setVisible(self._bundle is not None)
        self.go.setEnabled(there and snapshot.ready)
        for each in (self._edit_button, self._remove_button):
            each.setEnabled(there)
        self._test_button.setEnabled(there and not self._control.testing)
        # In the table it is cut where it is long.
        self._why.setText("" if row is None else row.message)
        self._why.setVisible(bool(self._why.text()))
        self._retry_button.setEnabled(row is not None and row.retry)
        self._cancel_button.setEnabled(row is not None and row.cancel)

    def _show_form(self, form: ServerForm | WebForm | None) -> None:
        """Show a form; None shows servers and queue."""
        self._pages.setCurrentIndex(0 if form is None else self._pages.indexOf(form))
        if form is not None:
            form.begin()
        else:
            (self.go if self.go.isVisible() else self.table).setFocus()

    # Building.

    def _build(self) -> None:
        self._to_choose = ""
        self._pages = QStackedWidget()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Send to a PACS"), self))
        self._add_servers(column)
        self._add_queue(column)
        self._pages.addWidget(page)
        self._pages.addWidget(self.form)
        self._pages.addWidget(self.web_form)
        layout = QVBoxLayout(self)
        layout.addWidget(self._pages)

    def _add_servers(self, column: QVBoxLayout) -> None:
        self.servers.setMinimumContentsLength(12)
        self.go = button(_("Send  (Enter)"), self.send)
        self.servers.setMinimumHeight(self.go.sizeHint().height())
        first = QHBoxLayout()
        first.addWidget(self.servers, 1)
        first.addWidget(self.go)
        column.addLayout(first)
        self._test_button = button(_("Test"), self._test)
        self._test_button.setToolTip(_("Ask whether it answers"))
        self._edit_button = button(_("Change …"), self._edit)
        self._remove_button = button(_("Remove"), self._remove)
        second = QHBoxLayout()
        for each in (
            button(_("Add a server …"), self._add),
            self._test_button,
            self._edit_button,
            self._remove_button,
        ):
            second.addWidget(each)
        second.addStretch(1)
        column.addLayout(second)
        self._message = PlainLabel()
        self._message.setTextFormat(Qt.TextFormat.PlainText)  # A server may say anything.
        self._message.setWordWrap(True)
        column.addWidget(self._message)

    def _add_queue(self, column: QVBoxLayout) -> None:
        heading = PlainLabel(_("Queue"))
        heading.setObjectName("heading")
        self._service = PlainLabel()
        self._service.setObjectName("dim")
        self._service.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(heading)
        row.addWidget(self._service, 1)
        column.addLayout(row)
        table = self.table
        show_rows(table, [_(title) for title in _COLUMNS])
        column.addWidget(table, 1)
        self._why = PlainLabel()
        self._why.setTextFormat(Qt.TextFormat.PlainText)  # A server may say anything.
        self._why.setWordWrap(True)
        column.addWidget(self._why)
        column.addStretch(0)
        self._retry_button = button(_("Try again now"), self._retry)
        self._cancel_button = button(_("Send no more of it"), self._cancel)
        last = QHBoxLayout()
        last.addWidget(self._retry_button)
        last.addWidget(self._cancel_button)
        last.addStretch(1)
        last.addWidget(button(_("Close  (Esc)"), self.reject))
        column.addLayout(last)
