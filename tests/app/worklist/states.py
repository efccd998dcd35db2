"""The states of the worklist that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtWidgets import QDialog

from app.examining import erase_in_review
from app.main_window import MainWindow
from app.worklist.by_hand import FormSubject
from app.worklist.dialog import WorklistDialog
from app.worklist.form import ExaminationDialog
from app.worklist.presenter import WorklistSnapshot, examination_line, reassigning
from semc_core.session.examination import Examination

_LONG: Final = "Wolfeschlegelsteinhausenbergerdorff of the northern hospital"
ASKED: Final = Examination(
    f"{_LONG}^Anna"[:64], "4711", "19780304", "F", "A100", procedure=_LONG, date="20261130", time="0856"
)


def shown(snapshot: WorklistSnapshot, window: MainWindow) -> WorklistDialog:
    """The dialog, in this state; over a window that says whose scan it is."""
    window.show_examination(examination_line(ASKED, "the next scan", used=True))
    control = window.dialogs.worklist
    dialog = WorklistDialog(control, window)
    control.cancel()
    control._show(snapshot)
    return dialog


def asking(window: MainWindow) -> WorklistDialog:
    """The next patient was chosen while the scan of the one before runs."""
    dialog = shown(WorklistSnapshot("shown", rows=(ASKED,) * 40), window)
    dialog.ask_whether(reassigning(replace(ASKED, patient_id="9"), ASKED, 12))
    return dialog


def form(window: MainWindow, do: Callable[[ExaminationDialog], object] = lambda dialog: None) -> QDialog:
    """The form for an examination, of a session in review: what is long in it is cut nowhere."""
    asked = replace(ASKED, indication=_LONG, operator=_LONG, institution=_LONG, site=_LONG)
    subject = FormSubject("the session in review", asked, lambda _: None, lambda _: "", lambda: None)
    dialog = ExaminationDialog(subject, window.dialogs.worklist, window)
    do(dialog)
    return dialog


def wrong(dialog: ExaminationDialog) -> None:
    """Nothing in it can be kept."""
    for name, field in dialog.fields.items():
        field.setText("19780230" if name == "birth_date" else f"{_LONG} {_LONG}")
    dialog.keep()


def typed(dialog: ExaminationDialog) -> None:
    """Left with something typed."""
    dialog.fields["indication"].setText(_LONG)
    dialog.reject()


def empty(window: MainWindow) -> QDialog:
    """Before the first scan; it says where it is erased."""
    subject = FormSubject("the next scan", None, lambda _: None, lambda _: "", why_not=erase_in_review())
    return ExaminationDialog(subject, window.dialogs.worklist, window)


WORKLISTS: Final[dict[str, Callable[[MainWindow], QDialog]]] = {
    "examination": form,
    "examination empty": empty,
    "examination with faults": partial(form, do=wrong),
    "examination left": partial(form, do=typed),
    "examination erased": partial(form, do=lambda dialog: dialog.ask_to_erase()),
    "worklist": partial(shown, WorklistSnapshot("shown", rows=(ASKED,) * 40, message=f"{_LONG}. " * 2)),
    "worklist failed": partial(shown, WorklistSnapshot("failed", message=f"{_LONG}. " * 3)),
    "worklist asks": asking,
    "worklist without a server": partial(shown, WorklistSnapshot("no server")),
}
