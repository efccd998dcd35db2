"""The states of the preferences that are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtWidgets import QDialog

from app.main_window import MainWindow
from app.preferences.dialog import PreferencesDialog
from app.preferences.presenter import Entry
from app.widgets.tables import choose_row


def opened(window: MainWindow) -> PreferencesDialog:
    """The dialog, over the start page."""
    return PreferencesDialog(window.dialogs.preferred(), lambda: True, window)


def changed(window: MainWindow) -> QDialog:
    """Something was changed; and the site has set one."""
    parts = list(window.dialogs.preferred())
    parts[1] = replace(parts[1], locked=True) if isinstance(parts[1], Entry) else parts[1]
    dialog = PreferencesDialog(parts, lambda: True, window)
    device = dialog.entries[0]
    dialog.change(device, "cpu" if device.read() == "cuda" else "cuda")
    return dialog


def searched(window: MainWindow) -> QDialog:
    """What was typed finds one group."""
    dialog = opened(window)
    dialog.typed.setText("folder")
    return dialog


def with_keys(window: MainWindow) -> PreferencesDialog:
    """The page with the keys."""
    dialog = opened(window)
    dialog.show_page(1)
    choose_row(dialog.keys.table, 5)
    return dialog


def waiting(window: MainWindow) -> QDialog:
    """A key is waited for; one was refused before."""
    dialog = with_keys(window)
    entry = dialog.keys.entry
    assert entry is not None
    dialog.change(entry, f"{entry.read()} S")
    dialog.keys.key_buttons[-1].click()
    return dialog


PREFERENCES: Final[dict[str, Callable[[MainWindow], QDialog]]] = {
    "preferences": opened,
    "preferences changed": changed,
    "preferences searched": searched,
    "preferences keys": with_keys,
    "preferences waiting": waiting,
}
