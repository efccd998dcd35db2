"""The form for one server: what is needed to reach it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.file_dialogs import PathDialog
from app.widgets.forms import Scrolling, add_row, button, page_title, side_by_side
from app.widgets.plain import PlainLabel
from semc_core.errors import UsageError
from semc_core.pacs.destinations import OWN_TITLE, Destination, Tls

_CERTIFICATES = "Certificates (*.pem *.crt *.cer);;All files (*)"


class ServerForm(QWidget):
    """Add a server, or change one. Waits and attempts of one that is changed stay.

    Signals:
        kept: A `Destination`.
        tested: A `Destination` that is to be asked whether it answers.
        left: Nothing is to be kept.
        web_wanted: It is to be a DICOMweb service.
    """

    kept = Signal(object)
    tested = Signal(object)
    left = Signal()
    web_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known: Destination | None = None
        self._title = page_title("", self)
        self.name = QLineEdit()
        self.name.setPlaceholderText("As you call it: Archive")
        self.host = QLineEdit()
        self.host.setPlaceholderText("pacs.hospital.example or 10.0.0.5")
        self.port = QSpinBox()
        self.port.setRange(1, 65535)
        self.title = QLineEdit()
        self.title.setPlaceholderText("AE title of the server")
        self.own_title = QLineEdit()
        self.tls = QCheckBox("Encrypted (TLS)")
        self.mpps = QCheckBox("Is told when examinations begin and end (MPPS)")
        self.commitment = QCheckBox("Is asked to confirm that it keeps what it was sent")
        self.answers = QSpinBox()
        self.answers.setRange(0, 65535)
        self.answers.setSpecialValueText("over the same connection")
        self.answers.setToolTip("Port at which it is listened to, where it confirms over one of its own")
        self.trusted = QLineEdit()
        self.trusted.setAccessibleName("Trusted certificates")
        self.trusted.setPlaceholderText("Those of this computer; or a PEM file")
        self._paths = PathDialog(self)
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        self.edit(None)

    def edit(self, destination: Destination | None) -> None:
        """Change this one; None adds one."""
        self._known = destination
        self._title.setText("Add a server" if destination is None else f"Change {destination.name}")
        known = destination or Destination("x", "x", 104, "X")
        new = destination is None
        self._web.setVisible(new)
        self.name.setText("" if new else known.name)
        # The name is what jobs in the queue are kept under.
        self.name.setEnabled(new)
        self.host.setText("" if new else known.host)
        self.port.setValue(known.port)
        self.title.setText("" if new else known.title)
        self.own_title.setText(OWN_TITLE if new else known.own_title)
        self.tls.setChecked(known.tls is not None)
        self.mpps.setChecked(known.mpps)
        self.commitment.setChecked(known.commitment)
        self.answers.setValue(known.commitment_port or 0)
        self.trusted.setText((known.tls.ca or "") if known.tls is not None else "")
        self._message.clear()

    def begin(self) -> None:
        """The first field can be typed in."""
        (self.name if self._known is None else self.host).setFocus()

    def say(self, sentence: str) -> None:
        """Show what became of a test."""
        self._message.setText(sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps it from every field; on a button it is a click."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        at = self.focusWidget()
        if isinstance(at, QPushButton):
            at.click()
        else:
            self._keep()

    def _made(self) -> Destination | None:
        """What was typed; None, and a sentence, where it is no server."""
        tls = None
        if self.tls.isChecked():
            old = Tls() if self._known is None or self._known.tls is None else self._known.tls
            trusted = self.trusted.text().strip()
            tls = replace(old, ca=str(Path(trusted).expanduser().absolute()) if trusted else None)
        try:
            made = Destination(
                self.name.text().strip(),
                self.host.text().strip(),
                self.port.value(),
                self.title.text().strip(),
                self.own_title.text().strip(),
            )
            if self._known is not None:
                known = self._known
                made = replace(
                    made,
                    connect_s=known.connect_s,
                    answer_s=known.answer_s,
                    attempts=known.attempts,
                    compressed=known.compressed,
                )
            asked = self.commitment.isChecked()
            return replace(
                made,
                tls=tls,
                mpps=self.mpps.isChecked(),
                commitment=asked,
                commitment_port=(self.answers.value() or None) if asked else None,
            )
        except UsageError as error:
            self.say(str(error))
            return None

    def _keep(self) -> None:
        if (made := self._made()) is not None:
            self.kept.emit(made)

    def _test(self) -> None:
        if (made := self._made()) is not None:
            self.say(f"Asking {made.name} …")
            self.tested.emit(made)

    def _build(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in (
            ("Name", self.name),
            ("Host", self.host),
            ("Port", self.port),
            ("AE title", self.title),
            ("This program's AE title", self.own_title),
            ("", self.mpps),
            ("", self.commitment),
            ("It confirms at port", self.answers),
            ("", self.tls),
        ):
            add_row(form, label, field)
        self.answers.setEnabled(False)
        self.commitment.toggled.connect(self.answers.setEnabled)
        choose = button(
            "File …",
            lambda: self._paths.ask_file("Certificates to trust", _CERTIFICATES, self.trusted.setText),
        )
        add_row(form, "Trusted certificates", side_by_side(self.trusted, choose, stretch=0))
        for part in (self.trusted, choose):
            part.setEnabled(False)
            self.tls.toggled.connect(part.setEnabled)
        note = PlainLabel("The server must know this program's AE title and, often, this computer's address.")
        note.setObjectName("dim")
        note.setWordWrap(True)
        buttons = QHBoxLayout()
        for text, do in (("Back  (Esc)", self.left.emit), ("Test", self._test)):
            made = button(text, do)
            # A click leaves the keys with the field: Enter keeps the server after a test too.
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            buttons.addWidget(made)
        self._web = button("DICOMweb …", self.web_wanted.emit)
        buttons.addWidget(self._web)
        buttons.addStretch(1)
        buttons.addWidget(button("Keep  (Enter)", self._keep))
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(note)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._title)
        layout.addWidget(Scrolling(inner), 1)
        layout.addWidget(self._message)
        layout.addLayout(buttons)
