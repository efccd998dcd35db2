"""Actions with their keys, and asking for one file or folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.commands import BINDINGS, tool_tip

_CHECKABLE: Final = ("record", "freeze", "heat_map", "region", "checklist", "better", "add", "mark")


def make_actions(window: QWidget, does: Mapping[str, Callable[[], object]]) -> dict[str, QAction]:
    """One action for each key binding, added to `window`; its keys work whatever has the focus.

    Args:
        window: Owns the actions.
        does: What each binding does, by its name.
    """
    actions = {}
    for binding in BINDINGS:
        action = QAction(binding.title, window)
        action.setShortcuts([QKeySequence(key) for key in binding.keys])
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        action.setAutoRepeat(binding.repeats)
        action.setCheckable(binding.name in _CHECKABLE)
        action.setToolTip(tool_tip(binding))
        action.triggered.connect(lambda _=False, do=does[binding.name]: do())
        window.addAction(action)
        actions[binding.name] = action
    return actions
