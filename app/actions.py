"""Actions with their keys, and asking for one file or folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QWidget

from app.commands import BINDINGS, tool_tip

SCAN_FILTER: Final = (
    "Scans (*.mp4 *.mov *.avi *.mkv *.mpg *.mpeg *.gif *.wmv *.webm *.m4v *.dcm *.dicom *.ima "
    "*.png *.jpg *.jpeg *.bmp *.tif *.tiff);;All files (*)"
)
MODEL_FILTER: Final = "Models (*.safetensors)"
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


class PathDialog(QObject):
    """Asks for one file or folder at a time; the scan goes on meanwhile."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._dialog: QFileDialog | None = None

    @property
    def dialog(self) -> QFileDialog | None:
        """The dialog that is open."""
        return self._dialog

    def ask_file(self, title: str, name_filter: str, use: Callable[[str], None]) -> None:
        """Ask for a file that exists; `use` gets its path, unless the user cancels."""
        self._ask(QFileDialog.FileMode.ExistingFile, title, name_filter, use)

    def ask_folder(self, title: str, use: Callable[[str], None]) -> None:
        """Ask for a folder; `use` gets its path, unless the user cancels."""
        self._ask(QFileDialog.FileMode.Directory, title, "", use)

    def _ask(
        self, mode: QFileDialog.FileMode, title: str, name_filter: str, use: Callable[[str], None]
    ) -> None:
        if self._dialog is not None:
            self._dialog.raise_()
            return
        dialog = QFileDialog(self._window, title)
        dialog.setFileMode(mode)
        if name_filter:
            dialog.setNameFilter(name_filter)
        dialog.fileSelected.connect(use)
        dialog.finished.connect(self._forget)
        self._dialog = dialog
        dialog.open()

    def _forget(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
