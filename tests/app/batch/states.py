"""The states of the dialog with several loops that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QDialog

from app.batch.dialog import LoopsDialog
from app.batch.exporting import Exporting
from app.batch.presenter import LoopRow, LoopsSnapshot, State, Summary
from app.main_window import MainWindow
from tests.app.long_words import LONG

_FOUND: Final = Summary(Path("/data/session"), ("FHP1", "FHP1", "LLP"), 2, 6, 761.5)
DONE: Final = LoopRow(Path("/loops/liver.mp4"), State.DONE, 100, 100, 761.5, _FOUND)
ANALYSING: Final = LoopRow(Path("/loops/next.mp4"), State.ANALYSING, 43, 100, 12.0)
WAITING: Final = LoopRow(Path("/loops/later.mp4"))
_LONG_PATH: Final = Path(f"/loops/{LONG}.mp4")
FAILED: Final = LoopRow(
    Path("/loops/torn.mp4"), State.FAILED, fault="torn.mp4 holds no video; copy it again."
)
_LONG_ROWS: Final = (
    LoopRow(_LONG_PATH, State.FAILED, fault=f"{LONG} cannot be opened as a video; copy it again."),
    replace(DONE, path=Path(f"/a/{LONG}"), summary=replace(_FOUND, planes=(LONG, "LLP") * 9, settled=6)),
    replace(ANALYSING, path=Path(f"/b/{LONG}")),
)
MANY: Final = (
    DONE,
    FAILED,
    replace(DONE, path=Path("/a/b.mp4"), summary=replace(_FOUND, planes=(), required=0, again=True)),
    ANALYSING,
    *(replace(WAITING, path=Path(f"/loops/{number}.mp4")) for number in range(300)),
)


def shown(snapshot: LoopsSnapshot, window: MainWindow) -> LoopsDialog:
    """The dialog, in this state; nothing is analysed."""
    control = window.dialogs.loops
    dialog = LoopsDialog(control, window.settings, window)
    control._show(snapshot)
    return dialog


def exported(window: MainWindow) -> LoopsDialog:
    """Most of the loops are exported; what failed says why."""
    dialog = shown(LoopsSnapshot((DONE, FAILED)), window)
    failures = tuple(f"{LONG}: it is open in another window; close it there." for _number in range(3))
    window.dialogs.loops.exports._become(Exporting(9, 9, 6, 1, failures, folder=Path(f"/data/{LONG}")))
    return dialog


LOOPS: Final[dict[str, Callable[[MainWindow], QDialog]]] = {
    "no loops": partial(shown, LoopsSnapshot()),
    "many loops": partial(shown, LoopsSnapshot(MANY, looking=True)),
    "loops stopped": partial(shown, LoopsSnapshot((ANALYSING, WAITING), stopped=True)),
    "loops that wait": partial(
        shown, LoopsSnapshot((ANALYSING, WAITING), held="The rest waits for the end of the scan.")
    ),
    "loops exported": exported,
    "loops with long texts": partial(shown, LoopsSnapshot(_LONG_ROWS, message=f"{LONG}. " * 2)),
}
