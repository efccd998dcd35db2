"""The form for one server: what is needed to reach it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QSpinBox, QWidget

from app.send.destination_form import DestinationForm
from app.widgets.forms import button
from semc_core.errors import UsageError
from semc_core.language import _
from semc_core.pacs.destinations import OWN_TITLE, Destination, Tls


class ServerForm(DestinationForm):
    """Add a server, or change one. Waits and attempts of one that is changed stay.

    Signals:
        kept: A `Destination`.
        tested: A `Destination` that is to be asked whether it answers.
        left: Nothing is to be kept.
        web_wanted: It is to be a DICOMweb service.
    """

    web_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known: Destination | None = None
        self.host = QLineEdit()
        self.host.setPlaceholderText(_("pacs.hospital.example or 10.0.0.5"))
        self.port = QSpinBox()
        self.port.setRange(1, 65535)
        self.title = QLineEdit()
        self.title.setPlaceholderText(_("AE title of the server"))
        self.own_title = QLineEdit()
        self.tls = QCheckBox(_("Encrypted (TLS)"))
        self.mpps = QCheckBox(_("Is told when examinations begin and end (MPPS)"))
        self.commitment = QCheckBox(_("Is asked to confirm that it keeps what it was sent"))
        self.answers = QSpinBox()
        self.answers.setRange(0, 65535)
        self.answers.setSpecialValueText(_("over the same connection"))
        self.answers.setToolTip(_("Port at which it is listened to, where it confirms over one of its own"))
        self._build()
        self.edit(None)

    def edit(self, destination: Destination | None) -> None:
        """Change this one; None adds one."""
        self._known = destination
        self._answer()
        self._title.setText(
            _("Add a server") if destination is None else _("Change {server}", server=destination.name)
        )
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

    def begin(self) -> None:
        """The first field can be typed in."""
        (self.name if self._known is None else self.host).setFocus()

    def _typed(self) -> Destination | None:
        """What was typed; None, and a sentence, where it is no server."""
        tls = None
        if self.tls.isChecked():
            old = Tls() if self._known is None or self._known.tls is None else self._known.tls
            tls = replace(old, ca=self._trusted_file())
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

    def _called(self, made: Destination) -> str:
        return made.name

    def _build(self) -> None:
        form, choose = self._new_form(
            (_("Name"), self.name),
            (_("Host"), self.host),
            (_("Port"), self.port),
            (_("AE title"), self.title),
            (_("This program's AE title"), self.own_title),
            ("", self.mpps),
            ("", self.commitment),
            (_("It confirms at port"), self.answers),
            ("", self.tls),
        )
        self.answers.setEnabled(False)
        self.commitment.toggled.connect(self.answers.setEnabled)
        for part in (self.trusted, choose):
            part.setEnabled(False)
            self.tls.toggled.connect(part.setEnabled)
        self._web = button("DICOMweb …", self.web_wanted.emit)
        self._lay_out(
            form,
            _("The server must know this program's AE title and, often, this computer's address."),
            self._web,
        )
