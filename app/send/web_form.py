"""The form for one DICOMweb service: its address, and what proves to it who asks."""

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
    QVBoxLayout,
    QWidget,
)

from app.file_dialogs import PathDialog
from app.send.presenter import TypedService
from app.widgets.forms import Scrolling, add_row, button, page_title, side_by_side
from app.widgets.plain import PlainLabel
from semc_core.errors import UsageError
from semc_core.pacs.destinations import WebDestination
from semc_core.pacs.web_secret import WebSecret

_CERTIFICATES = "Certificates (*.pem *.crt *.cer);;All files (*)"


class WebForm(QWidget):
    """Add a service, or change one. Waits, attempts and what is not typed anew of a secret stay.

    Signals:
        kept: A `TypedService`.
        tested: A `TypedService` that is to be asked whether it answers.
        left: Nothing is to be kept.
    """

    kept = Signal(object)
    tested = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known: WebDestination | None = None
        self._title = page_title("", self)
        self.name = QLineEdit()
        self.name.setPlaceholderText("As you call it: Archive")
        self.url = QLineEdit()
        self.url.setPlaceholderText("https://pacs.hospital.example/dicom-web")
        self.token, self.user, self.password = QLineEdit(), QLineEdit(), QLineEdit()
        for each in (self.token, self.password):
            each.setEchoMode(QLineEdit.EchoMode.Password)
        self.trusted = QLineEdit()
        self.trusted.setAccessibleName("Trusted certificates")
        self.trusted.setPlaceholderText("Those of this computer; or a PEM file")
        self.plain = QCheckBox("May be http: all can be read on the way")
        self._paths = PathDialog(self)
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        self.edit(None)

    def edit(self, service: WebDestination | None) -> None:
        """Change this one; None adds one."""
        self._known = service
        new = service is None
        self._title.setText("Add a DICOMweb service" if service is None else f"Change {service.name}")
        self.name.setText("" if service is None else service.name)
        # The name is what jobs in the queue are kept under.
        self.name.setEnabled(new)
        self.url.setText("" if service is None else service.url)
        wanted = ("Where the service wants a token", "Where it wants a user and a password", "")
        for each, first in zip((self.token, self.user, self.password), wanted, strict=True):
            each.clear()
            each.setPlaceholderText(first if new else "Stays as it is, unless typed anew")
        self.trusted.setText("" if service is None else service.tls.ca or "")
        self.plain.setChecked(service is not None and service.plain_http)
        self._message.clear()

    def begin(self) -> None:
        """The first field can be typed in."""
        (self.name if self._known is None else self.url).setFocus()

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

    def _made(self) -> TypedService | None:
        """What was typed; None, and a sentence, where it is no service."""
        trusted = self.trusted.text().strip()
        ca = str(Path(trusted).expanduser().absolute()) if trusted else None
        name, url, plain = self.name.text().strip(), self.url.text().strip(), self.plain.isChecked()
        try:
            known = self._known or WebDestination(name, url, plain)
            made = replace(known, url=url, plain_http=plain, tls=replace(known.tls, ca=ca))
            secret = WebSecret(self.token.text().strip(), self.user.text().strip(), self.password.text())
        except UsageError as error:
            self.say(str(error))
            return None
        return TypedService(made, secret if secret or self._known is None else None)

    def _keep(self) -> None:
        if (made := self._made()) is not None:
            self.kept.emit(made)

    def _test(self) -> None:
        if (made := self._made()) is not None:
            self.say(f"Asking {made.service.name} …")
            self.tested.emit(made)

    def _build(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in (
            ("Name", self.name),
            ("Address", self.url),
            ("Token", self.token),
            ("User", self.user),
            ("Password", self.password),
            ("", self.plain),
        ):
            add_row(form, label, field)
        choose = button(
            "File …",
            lambda: self._paths.ask_file("Certificates to trust", _CERTIFICATES, self.trusted.setText),
        )
        add_row(form, "Trusted certificates", side_by_side(self.trusted, choose, stretch=0))
        note = PlainLabel(
            "Token and password are kept in the keyring of this computer, or else in a file of yours alone."
        )
        note.setObjectName("dim")
        note.setWordWrap(True)
        buttons = QHBoxLayout()
        for text, do in (("Back  (Esc)", self.left.emit), ("Test", self._test)):
            made = button(text, do)
            # A click leaves the keys with the field: Enter keeps the service after a test too.
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            buttons.addWidget(made)
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
