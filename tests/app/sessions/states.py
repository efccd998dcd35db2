"""The states of the dialog with all sessions that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QDialog

from app.main_window import MainWindow
from app.sessions.dialog import DeleteQuestion, SessionsDialog
from app.sessions.presenter import SessionRow, SessionsSnapshot
from tests.app.long_words import LONG

_WHEN: Final = datetime(2026, 11, 30, 21, 15)
_ROW: Final = SessionRow(
    Path("/data/one"), _WHEN, "liver.mp4", "Liver, two planes", 5, 4, 6, 760, 12_345_678, "Doe, Jane · 4711"
)
MANY: Final = tuple(
    replace(_ROW, folder=Path(f"/data/{at}"), when=_WHEN - timedelta(hours=at), exported=bool(at % 2))
    for at in range(300)
)
_LONG_ROW: Final = SessionRow(
    Path("/data/long"), _WHEN, LONG, f"Protocol of {LONG}", 1234, 12, 12, 36_000, 123_456_789_000, LONG,
    exported=True, open=True, picture="none.png", plane="FHP1",
)  # fmt: skip
_DAMAGED: Final = SessionRow(
    Path("/data/damaged"),
    None,
    f"20261130-211500_video_{LONG}",
    size=12,
    fault=f"The session {LONG} is damaged.",
)


def shown(snapshot: SessionsSnapshot, window: MainWindow, typed: str = "") -> SessionsDialog:
    """The dialog, in this state."""
    control = window.dialogs.sessions
    dialog = SessionsDialog(control, window)
    control.cancel()
    control._show(snapshot)
    dialog.typed.setText(typed)
    return dialog


SESSIONS: Final[dict[str, Callable[[MainWindow], QDialog]]] = {
    "no sessions": partial(shown, SessionsSnapshot(total=0, reading=False)),
    "sessions being read": partial(shown, SessionsSnapshot(MANY[:20], 2000)),
    "many sessions": partial(shown, SessionsSnapshot(MANY, 300, reading=False)),
    "sessions with long texts": partial(
        shown, SessionsSnapshot((_LONG_ROW,) * 9, 9, reading=False, message=f"{LONG}. " * 2)
    ),
    "a damaged session": partial(shown, SessionsSnapshot((_DAMAGED, *MANY[:3]), 4, reading=False)),
    "no session found": partial(shown, SessionsSnapshot(MANY, 300, reading=False), typed="nobody"),
    "delete a session": lambda window: DeleteQuestion(replace(_ROW, source=LONG), window),
}
