"""Asking for files and folders, one dialog at a time, and showing a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

SCAN_FILTER: Final = (
    "Scans (*.mp4 *.mov *.avi *.mkv *.mpg *.mpeg *.gif *.wmv *.webm *.m4v *.dcm *.dicom *.ima "
    "*.png *.jpg *.jpeg *.bmp *.tif *.tiff);;All files (*)"
)
MODEL_FILTER: Final = "Models (*.safetensors)"


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


Use = Callable[[str], None]


class Chooser:
    """Each method opens a dialog and returns; what was chosen goes to `use`.

    Attributes:
        paths: The dialogs.
    """

    def __init__(self, window: QWidget) -> None:
        self.paths = PathDialog(window)

    def loop_to_play(self, use: Use) -> None:
        """A file to be scanned as if it were live."""
        self.paths.ask_file("Open a cine loop", SCAN_FILTER, use)

    def images_to_play(self, use: Use) -> None:
        """A folder of images to be scanned as if it were live."""
        self.paths.ask_folder("Open a folder of images", use)

    def loop_to_review(self, use: Use) -> None:
        """A file to be reviewed."""
        self.paths.ask_file("Review a cine loop", SCAN_FILTER, use)

    def folder_to_review(self, use: Use) -> None:
        """Images or a session to be reviewed."""
        self.paths.ask_folder("Review a folder of images, or a session", use)

    def model(self, use: Use) -> None:
        """A model file."""
        self.paths.ask_file("Choose a model", MODEL_FILTER, use)

    def data(self, use: Use) -> None:
        """Something to train on."""
        self.paths.ask_folder("A folder with a folder of pictures for each plane", use)

    def output(self, use: Use) -> None:
        """Where scans are kept."""
        self.paths.ask_folder("Where to save planes", use)


def show_folder(folder: Path) -> str:
    """Show a folder in the desktop's program for it. Returns the sentence that says why not, or ""."""
    if not folder.is_dir():
        return f"There is nothing in {folder} yet; it is made when the first plane is saved."
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        return f"No program here shows folders; open {folder} yourself."
    return ""


def show_file(path: Path) -> str:
    """Open a file in the desktop's program for it. Returns the sentence that says why not, or ""."""
    if not path.is_file():
        return f"{path} is no longer there."
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        return f"No program here opens it; open {path} yourself."
    return ""


def dropped(event: QDropEvent) -> str:
    """The path or address that was dropped first; "" if none was."""
    urls = event.mimeData().urls()
    if not urls:
        return ""
    event.acceptProposedAction()
    return urls[0].toLocalFile() if urls[0].isLocalFile() else urls[0].toString()
