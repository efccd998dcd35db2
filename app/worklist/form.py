"""The form for an examination that is filled in by hand, or from a line of the worklist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.forms import Scrolling, add_row, button, page_title
from app.widgets.plain import PlainLabel
from app.worklist.by_hand import (
    FIELDS,
    SEXES,
    TITLES,
    FormSubject,
    examination_of_typed,
    faults,
    filled_from,
    shown,
)
from app.worklist.controller import WorklistController
from app.worklist.dialog import WorklistDialog
from semc_core.language import N_, _
from semc_core.session.examination import Examination

_NOTE: Final = N_(
    "Kept beside the session on this computer, never in its log; shown in the window alone. It goes into an "
    "export only where identity is kept."
)
_UNKEPT: Final = N_("What was typed is not kept yet.")
_ERASING: Final = N_(
    "Erase the patient's data from this session? All of the examination, the name and place of the source, "
    "and all words that were typed go for good; pictures, clips and recordings stay as they are, and so do "
    "exports that were made. The session's log will say so. The source's file is not found again afterwards."
)
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ExaminationDialog(QDialog):
    """Fills in an examination. Esc leaves it, and asks first where something was typed.

    Attributes:
        fields: Lines to type into, by the names of the examination's fields; all but the sex.
        sex: The list of sexes.
        told: What is wrong with each field, below it.
        worklist: The list that is filled in from, while it is open.
        yes: Does what was asked.
        no: Goes back to the fields.
        erase: Asks whether the patient's data is to be erased.
    """

    def __init__(self, subject: FormSubject, control: WorklistController, parent: QWidget) -> None:
        """Fill in this; `open` shows the dialog.

        Args:
            subject: Whose.
            control: Asks for a worklist. Lives longer than this.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Examination"))
        self._subject, self._control = subject, control
        self._base = subject.examination
        self._asked: Callable[[], object] | None = None
        self.worklist: WorklistDialog | None = None
        self.fields: dict[str, QLineEdit] = {}
        self.told: dict[str, PlainLabel] = {}
        self.sex = QComboBox()
        for code, title in SEXES.items():
            self.sex.addItem(_(title), code)
        self.sex.setAccessibleName(_("Sex"))
        self._message = PlainLabel()
        self._message.setObjectName("notice")
        self._message.setWordWrap(True)
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(36 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.3))
        self._show(subject.examination)
        self._stood = self.typed
        self.fields["patient_name"].setFocus()

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields now."""
        return {name: field.text() for name, field in self.fields.items()} | {
            "sex": str(self.sex.currentData())
        }

    # What the user does.

    def keep(self) -> None:
        """Keep what was typed, where it can be; where planes would get another patient, ask before."""
        if not self._check():
            return
        made = examination_of_typed(self._base, self.typed)
        question = "" if made is None else self._subject.question(made)
        if question:
            self._ask(question, _("Change the patient"), lambda: self._keep(made))
        else:
            self._keep(made)

    def ask_worklist(self) -> None:
        """Choose from a server's worklist what the fields are filled with."""
        dialog = self.worklist = WorklistDialog(self._control, self, self.fill)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._leave_worklist)
        dialog.open()

    def fill(self, row: Examination) -> None:
        """Show this line of a worklist; what it says nothing of stays as typed."""
        self._base = filled_from(row, self.typed)
        self._show(self._base)
        self._check()

    def ask_to_erase(self) -> None:
        """Ask whether the patient's data is to be erased."""
        if self._subject.erase is not None:
            self._ask(_(_ERASING), _("Erase for good"), self._erase)

    def reject(self) -> None:
        """Leave; nothing that was typed is lost without a question."""
        if self._asked is not None:
            self._answer_no()
        elif self.typed != self._stood:
            self._ask(_(_UNKEPT), _("Throw it away"), super().reject)
        else:
            super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps it from every field; on a button it is a click."""
        if event.key() in _ENTER:
            at = self.focusWidget()
            if isinstance(at, QPushButton):
                at.click()
            elif self._asked is None:
                self.keep()
        elif event.key() == Qt.Key.Key_L and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.ask_worklist()
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Leave, with the worklist where it is open."""
        if self.worklist is not None:
            self.worklist.done(0)
        super().done(result)

    # What follows.

    def _keep(self, made: Examination | None) -> None:
        if made != self._subject.examination:
            self._subject.keep(made)
        self.accept()

    def _erase(self) -> None:
        erase = self._subject.erase
        self.accept()
        if erase is not None:
            erase()

    def _leave_worklist(self) -> None:
        self.worklist = None
        self.activateWindow()

    def _show(self, examination: Examination | None) -> None:
        texts = shown(examination)
        for name, field in self.fields.items():
            field.setText(texts[name])
            field.setCursorPosition(0)
        self.sex.setCurrentIndex(max(0, self.sex.findData(texts["sex"])))

    def _check(self) -> bool:
        """Say what is wrong by each field; the first of them gets the keys. Returns whether nothing is."""
        wrong = faults(self.typed, date.today())
        for name, label in self.told.items():
            label.setText(wrong.get(name, ""))
            label.setVisible(name in wrong)
            self.fields[name].setAccessibleDescription(wrong.get(name, ""))
        if wrong:
            self.fields[next(name for name in self.fields if name in wrong)].setFocus()
        return not wrong

    def _ask(self, question: str, yes: str, do: Callable[[], object]) -> None:
        """Ask in place of the other buttons. Enter is no answer: readers of bar codes send it twice."""
        self._asked = do
        self._message.setText(question)
        self.yes.setText(yes)
        self._show_buttons()
        self.setFocus()

    def _answer_yes(self) -> None:
        do, self._asked = self._asked, None
        if do is not None:
            do()

    def _answer_no(self) -> None:
        self._asked = None
        self._message.setText("")
        self._show_buttons()
        self.fields["patient_name"].setFocus()

    def _show_buttons(self) -> None:
        asked = self._asked is not None
        for each in self._usual:
            each.setHidden(asked)
        self.erase.setHidden(asked or self._subject.erase is None)
        self._message.setVisible(bool(self._message.text()))
        self.yes.setVisible(asked)
        self.no.setVisible(asked)
        self._inside.setEnabled(not asked)

    # Building.

    def _build(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for each in FIELDS:
            if each.name == "sex":
                add_row(form, _(each.title), self.sex)
                continue
            field = self.fields[each.name] = QLineEdit()
            field.setPlaceholderText(_(each.hint))
            field.setAccessibleName(_(each.title))
            told = self.told[each.name] = PlainLabel()
            told.setObjectName("notice")
            told.setWordWrap(True)
            told.hide()
            add_row(form, _(each.title), field)
            form.addRow("", told)
        note = PlainLabel(" ".join(filter(None, (_(_NOTE), self._subject.why_not))))
        note.setObjectName("dim")
        note.setWordWrap(True)
        self._inside = inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(note)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(page_title(_(TITLES[self._subject.of]), self))
        layout.addWidget(Scrolling(inside), 1)
        layout.addWidget(self._message)
        layout.addLayout(self._buttons())
        self._show_buttons()

    def _buttons(self) -> QHBoxLayout:
        self.erase = button(_("Erase …"), self.ask_to_erase)
        self.erase.setAccessibleName(_("Erase the patient's data"))
        from_list = button(_("Worklist  (Ctrl+L)"), self.ask_worklist)
        leave, keep = button(_("Leave  (Esc)"), self.reject), button(_("Keep  (Enter)"), self.keep)
        self._usual = (from_list, leave, keep)
        self.yes, self.no = button("", self._answer_yes), button(_("Back  (Esc)"), self._answer_no)
        row = QHBoxLayout()
        for each in (from_list, self.erase):
            row.addWidget(each)
        row.addStretch(1)
        for each in (leave, keep, self.yes, self.no):
            row.addWidget(each)
        return row
