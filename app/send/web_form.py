"""The form for one DICOMweb service: its address, and what proves to it who asks."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from app.send.destination_form import DestinationForm
from app.send.presenter import TypedService
from semc_core.errors import UsageError
from semc_core.language import _
from semc_core.pacs.destinations import WebDestination, origin_of
from semc_core.pacs.web_secret import WebSecret


class WebForm(DestinationForm):
    """Add a service, or change one. Waits, attempts and what is not typed anew of a secret stay.

    Signals:
        kept: A `TypedService`.
        tested: A `TypedService` that is to be asked whether it answers.
        left: Nothing is to be kept.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known: WebDestination | None = None
        self.url = QLineEdit()
        self.url.setPlaceholderText("https://pacs.hospital.example/dicom-web")
        self.token, self.user, self.password = QLineEdit(), QLineEdit(), QLineEdit()
        for each in (self.token, self.password):
            each.setEchoMode(QLineEdit.EchoMode.Password)
        self.plain = QCheckBox(_("May be http: all can be read on the way"))
        self._build()
        self.url.textChanged.connect(self._tell_secret)
        self.edit(None)

    def edit(self, service: WebDestination | None) -> None:
        """Change this one; None adds one."""
        self._known = service
        self._answer()
        new = service is None
        self._title.setText(
            _("Add a DICOMweb service") if service is None else _("Change {server}", server=service.name)
        )
        self.name.setText("" if service is None else service.name)
        # The name is what jobs in the queue are kept under.
        self.name.setEnabled(new)
        self.url.setText("" if service is None else service.url)
        for each in (self.token, self.user, self.password):
            each.clear()
        self._tell_secret()
        self.trusted.setText("" if service is None else service.tls.ca or "")
        self.plain.setChecked(service is not None and service.plain_http)

    def begin(self) -> None:
        """The first field can be typed in."""
        (self.name if self._known is None else self.url).setFocus()

    def _typed(self) -> TypedService | None:
        """What was typed; None, and a sentence, where it is no service."""
        ca = self._trusted_file()
        name, url, plain = self.name.text().strip(), self.url.text().strip(), self.plain.isChecked()
        try:
            known = self._known or WebDestination(name, url, plain)
            made = replace(known, url=url, plain_http=plain, tls=replace(known.tls, ca=ca))
            secret = WebSecret(self.token.text().strip(), self.user.text().strip(), self.password.text())
        except UsageError as error:
            self.say(str(error))
            return None
        return TypedService(made, secret if secret or self._known is None else None)

    def _tell_secret(self) -> None:
        """Say whether what is kept is of use: it is for the scheme, host and port that it was typed for."""
        wanted = (_("Where the service wants a token"), _("Where it wants a user and a password"), "")
        stays = self._known is not None and origin_of(self.url.text().strip()) == self._known.origin
        for each, first in zip((self.token, self.user, self.password), wanted, strict=True):
            each.setPlaceholderText(_("Stays as it is, unless typed anew") if stays else first)

    def _called(self, made: TypedService) -> str:
        return made.service.name

    def _build(self) -> None:
        form, _choose = self._new_form(
            (_("Name"), self.name),
            (_("Address"), self.url),
            (_("Token"), self.token),
            (_("User"), self.user),
            (_("Password"), self.password),
            ("", self.plain),
        )
        self._lay_out(
            form,
            _(
                "Token and password are kept in the keyring of this computer, or else in a file of yours "
                "alone."
            ),
        )
