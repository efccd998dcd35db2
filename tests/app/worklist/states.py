"""The states of the worklist that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from app.main_window import MainWindow
from app.worklist.dialog import WorklistDialog
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


WORKLISTS: Final[dict[str, Callable[[MainWindow], WorklistDialog]]] = {
    "worklist": partial(shown, WorklistSnapshot("shown", rows=(ASKED,) * 40, message=f"{_LONG}. " * 2)),
    "worklist failed": partial(shown, WorklistSnapshot("failed", message=f"{_LONG}. " * 3)),
    "worklist asks": asking,
    "worklist without a server": partial(shown, WorklistSnapshot("no server")),
}
