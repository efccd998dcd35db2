"""What the forms for a server and for a DICOMweb service share: keeping, testing, trusting, laying out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.file_dialogs import PathDialog
from app.widgets.forms import Scrolling, add_row, button, page_title, side_by_side
from app.widgets.plain import PlainLabel
from semc_core.language import N_, _

_CERTIFICATES = N_("Certificates (*.pem *.crt *.cer);;All files (*)")


class DestinationForm(QWidget):
    """Add where things are sent, or change it. A form says what was `_typed`, and what that is `_called`.

    Attributes:
        taken: The servers that there are, in words, by their names: one is replaced only after a question.
        yes: Replaces the one of the same name.
        no: Goes back to the fields.

    Signals:
        kept: What was typed.
        tested: What was typed, which is to be asked whether it answers.
        left: Nothing is to be kept.
    """

    kept = Signal(object)
    tested = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.taken: Mapping[str, str] = {}
        self._asked: Any = None
        self._title = page_title("", self)
        self.name = QLineEdit()
        self.name.setPlaceholderText(_("As you call it: Archive"))
        self.trusted = QLineEdit()
        self.trusted.setAccessibleName(_("Trusted certificates"))
        self.trusted.setPlaceholderText(_("Those of this computer; or a PEM file"))
        self._paths = PathDialog(self)
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)

    @property
    def asking(self) -> bool:
        """Whether a question waits for its answer."""
        return self._asked is not None

    def say(self, sentence: str) -> None:
        """Show what became of a test."""
        if not self.asking:
            self._message.setText(sentence)

    def go_back(self) -> None:
        """Esc: replace nothing, and go on typing; else leave."""
        if self.asking:
            self._answer()
            self.name.setFocus()
        else:
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps it from every field; on a button it is a click."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        at = self.focusWidget()
        if isinstance(at, QPushButton):
            at.click()
        elif not self.asking:
            self._keep()

    def _typed(self) -> Any:
        """What was typed; None, and a sentence, where it cannot be."""
        raise NotImplementedError

    def _called(self, made: Any) -> str:
        raise NotImplementedError

    def _trusted_file(self) -> str | None:
        """The file of trusted certificates; None for those of this computer."""
        typed = self.trusted.text().strip()
        return str(Path(typed).expanduser().absolute()) if typed else None

    def _keep(self) -> None:
        if (made := self._typed()) is None:
            return
        name = self._called(made)
        if self.name.isEnabled() and name in self.taken:
            self._ask(made, name)
        else:
            self.kept.emit(made)

    def _ask(self, made: Any, name: str) -> None:
        """Ask in place of the other buttons. Enter, which may come twice, replaces nothing."""
        self._message.setText(
            _(
                "There is a server of this name already: {server}. Replaced, it is forgotten, and what waits "
                "for it goes to the new one.",
                server=" ".join(self.taken[name].split()),
            )
        )
        self._asked = made
        self._show_buttons()
        self.no.setFocus()

    def _answer(self) -> None:
        """The question is answered, or left."""
        self._asked = None
        self._message.clear()
        self._show_buttons()

    def _replace(self) -> None:
        made = self._asked
        self._answer()
        self.kept.emit(made)

    def _show_buttons(self) -> None:
        for each in self._usual:
            each.setHidden(self.asking)
        for each in (self.yes, self.no):
            each.setVisible(self.asking)
        self._inside.setEnabled(not self.asking)

    def _test(self) -> None:
        if (made := self._typed()) is not None:
            self.say(_("Asking {server} …", server=self._called(made)))
            self.tested.emit(made)

    def _new_form(self, *rows: tuple[str, QWidget]) -> tuple[QFormLayout, QPushButton]:
        """The fields, and last the trusted certificates with the button that looks for their file."""
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in rows:
            add_row(form, label, field)
        choose = button(
            _("File …"),
            lambda: self._paths.ask_file(_("Certificates to trust"), _(_CERTIFICATES), self.trusted.setText),
        )
        add_row(form, _("Trusted certificates"), side_by_side(self.trusted, choose, stretch=0))
        return form, choose

    def _lay_out(self, form: QFormLayout, note: str, *more: QPushButton) -> None:
        """Title, fields with a note below, message, and buttons, `more` after the test."""
        told = PlainLabel(note)
        told.setObjectName("dim")
        told.setWordWrap(True)
        leave, test = button(_("Back  (Esc)"), self.go_back), button(_("Test"), self._test)
        for each in (leave, test):
            # A click leaves the keys with the field: Enter keeps what was typed after a test too.
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        keep = button(_("Keep  (Enter)"), self._keep)
        self.no, self.yes = button(_("Back  (Esc)"), self.go_back), button(_("Replace it"), self._replace)
        self._usual = (leave, test, *more, keep)
        buttons = QHBoxLayout()
        for each in (leave, test, *more, self.no):
            buttons.addWidget(each)
        buttons.addStretch(1)
        for each in (keep, self.yes):
            buttons.addWidget(each)
        inner = self._inside = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(told)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._title)
        layout.addWidget(Scrolling(inner), 1)
        layout.addWidget(self._message)
        layout.addLayout(buttons)
        self._show_buttons()
