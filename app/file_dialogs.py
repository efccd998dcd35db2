"""Asking for files and folders, one dialog at a time, and showing a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from semc_core.language import _

_SCANS: Final = (
    "*.mp4 *.mov *.avi *.mkv *.mpg *.mpeg *.gif *.wmv *.webm *.m4v *.dcm *.dicom *.ima "
    "*.png *.jpg *.jpeg *.bmp *.tif *.tiff"
)

_MODELS: Final = "*.safetensors *.pth *.pt *.tar *.ckpt"

Use = Callable[[str], None]
"""Takes the path that was chosen."""

UseAll = Callable[[list[str]], None]
"""Takes the paths that were chosen, one at least."""

Kind = Literal["loop", "folder", "model", "data", "output", "settings"]
"""What is asked for; each is looked for where the last one of its kind was."""


class Places(Protocol):
    """Remembers where something was chosen, from one start of the program to the next."""

    def place(self, kind: str) -> str:
        """The folder in which one of this kind was chosen last, or ""."""
        ...

    def remember_place(self, kind: str, folder: str) -> None:
        """One of this kind was chosen in this folder."""
        ...


def begin_in(place: str) -> Path:
    """The folder in which a dialog begins.

    Args:
        place: Where the user was last, or "". Of one that is gone, as that of a stick which was taken out,
            the nearest folder above it; home where there is none but the root.
    """
    last = Path(place)
    if last.is_absolute():
        for folder in (last, *last.parents):
            if folder.parent != folder and _is_folder(folder):
                return folder
    return Path.home()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # no right to look, or no path at all
        return False


def _scan_filter() -> str:
    scans, all_files = _("Scans"), _("All files")
    return f"{scans} ({_SCANS});;{all_files} (*)"


class PathDialog(QObject):
    """Asks for one file or folder at a time; the scan goes on meanwhile."""

    def __init__(self, window: QWidget, places: Places | None = None) -> None:
        """Ask for nothing yet.

        Args:
            window: What the dialogs stand over.
            places: Remembers where something was chosen; None: nobody does.
        """
        super().__init__(window)
        self._window, self._places = window, places
        self._dialog: QFileDialog | None = None

    @property
    def dialog(self) -> QFileDialog | None:
        """The dialog that is open."""
        return self._dialog

    def ask_file(self, title: str, name_filter: str, use: Use, kind: Kind | None = None) -> None:
        """Ask for a file that exists; `use` gets its path, unless the user cancels.

        Args:
            title: Of the dialog.
            name_filter: Which files it shows.
            use: Takes the path.
            kind: It begins where the last one of this kind was chosen; None: where Qt was last.
        """
        if dialog := self._made(QFileDialog.FileMode.ExistingFile, title, kind):
            dialog.setNameFilter(name_filter)
            self._open(dialog, lambda paths: use(paths[0]), kind)

    def ask_files(self, title: str, name_filter: str, use: UseAll, kind: Kind | None = None) -> None:
        """Ask for one or several files that exist.

        Args:
            title: Of the dialog.
            name_filter: Which files it shows.
            use: Takes their paths, unless the user cancels.
            kind: As for one.
        """
        if dialog := self._made(QFileDialog.FileMode.ExistingFiles, title, kind):
            dialog.setNameFilter(name_filter)
            self._open(dialog, use, kind)

    def ask_folder(self, title: str, use: Use, kind: Kind | None = None, beside: Path | None = None) -> None:
        """Ask for a folder; `use` gets its path, unless the user cancels.

        Args:
            title: Of the dialog.
            use: Takes the path.
            kind: As for a file.
            beside: It begins where this one lies.
        """
        if dialog := self._made(QFileDialog.FileMode.Directory, title, kind):
            if beside is not None:
                dialog.setDirectory(str(begin_in(str(beside.parent))))
            self._open(dialog, lambda paths: use(paths[0]), kind)

    def _made(self, mode: QFileDialog.FileMode, title: str, kind: Kind | None) -> QFileDialog | None:
        """A dialog that is not open yet; None where one is."""
        if self._dialog is not None:
            self._dialog.raise_()
            return None
        dialog = QFileDialog(self._window, title)
        dialog.setFileMode(mode)
        if self._places is not None and kind is not None:
            dialog.setDirectory(str(begin_in(self._places.place(kind))))
        return dialog

    def _open(self, dialog: QFileDialog, use: UseAll, kind: Kind | None) -> None:
        def chosen(paths: list[str]) -> None:
            if not paths:
                return
            if self._places is not None and kind is not None:
                # Of a folder, too: the next one wanted lies beside it.
                self._places.remember_place(kind, str(Path(paths[0]).parent))
            use(paths)

        dialog.filesSelected.connect(chosen)
        dialog.finished.connect(self._forget)
        self._dialog = dialog
        dialog.open()

    def _forget(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None


class Chooser:
    """Each method opens a dialog and returns; what was chosen goes to `use`.

    Attributes:
        paths: The dialogs.
    """

    def __init__(self, window: QWidget, places: Places) -> None:
        self.paths = PathDialog(window, places)

    def loop_to_play(self, use: Use) -> None:
        """A file to be scanned as if it were live."""
        self.paths.ask_file(_("Open a cine loop"), _scan_filter(), use, "loop")

    def images_to_play(self, use: Use) -> None:
        """A folder of images to be scanned as if it were live."""
        self.paths.ask_folder(_("Open a folder of images"), use, "folder")

    def loops_to_review(self, use: UseAll) -> None:
        """One or several files to be reviewed."""
        self.paths.ask_files(_("Review cine loops"), _scan_filter(), use, "loop")

    def folder_to_review(self, use: Use) -> None:
        """Images, a session, or loops to be reviewed."""
        self.paths.ask_folder(_("Review a folder of images, or a session"), use, "folder")

    def model(self, use: Use) -> None:
        """A model file, or a network of another program."""
        self.paths.ask_file(_("Choose a model"), _("Models") + f" ({_MODELS})", use, "model")

    def data(self, use: Use) -> None:
        """Something to train on."""
        self.paths.ask_folder(_("A folder with a folder of pictures for each plane"), use, "data")

    def output(self, use: Use) -> None:
        """Where scans are kept."""
        self.paths.ask_folder(_("Where to save planes"), use, "output")


def show_folder(folder: Path) -> str:
    """Show a folder in the desktop's program for it. Returns the sentence that says why not, or ""."""
    if not folder.is_dir():
        return _("There is nothing in {folder} yet; it is made when the first plane is saved.", folder=folder)
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        return _("No program here shows folders; open {folder} yourself.", folder=folder)
    return ""


def show_file(path: Path) -> str:
    """Open a file in the desktop's program for it. Returns the sentence that says why not, or ""."""
    if not path.is_file():
        return _("{path} is no longer there.", path=path)
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        return _("No program here opens it; open {path} yourself.", path=path)
    return ""


def dropped(event: QDropEvent) -> list[str]:
    """The paths and addresses that were dropped."""
    urls = event.mimeData().urls()
    if urls:
        event.acceptProposedAction()
    return [url.toLocalFile() if url.isLocalFile() else url.toString() for url in urls]
