"""Handing over what was found: the dialogs for exporting and sending, and what works behind them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from app.send.controller import SendController
from app.tasks import Job
from semc_core.protocols.protocol import Protocol
from semc_core.session.session import Session

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog

    from app.export.controller import ExportController
    from app.main_window import MainWindow

EXPORTS_NAME = "Exports"


class DialogHost:
    """One dialog at a time; the window is never waited for.

    Attributes:
        sending: The queue and its servers.
        dialog: The dialog that is open, or None.
    """

    def __init__(self, window: MainWindow) -> None:
        """Nothing is opened or loaded yet."""
        self._window = window
        self.sending = SendController(window.choices.data, self._reviewed)
        self.dialog: QDialog | None = None
        self._export: ExportController | None = None
        self._closing: list[Job[None]] = []
        self._loading: Job[object] | None = None
        self._then: Callable[[], None] | None = None

    @property
    def fault(self) -> str:
        """What went wrong with sending, or ""."""
        return self.sending.fault

    @property
    def exporting(self) -> ExportController | None:
        """The export whose dialog is open."""
        return self._export

    def export(self, folder: Path, session: Session | None = None) -> None:
        """Ask how a session is exported.

        Args:
            folder: Of the session.
            session: Where it is open for writing.
        """
        self._window.said = "Opening the export …"
        self._load("app.export.dialog", lambda: self._open_export(folder, session))

    def show_sending(self, bundle: Path | None = None, session: Path | None = None) -> None:
        """Show servers and queue.

        Args:
            bundle: An export that is to be sent.
            session: The folder of its session.
        """
        self.sending.open()
        self._load("app.send.dialog", lambda: self._open_sending(bundle, session))

    def tick(self) -> None:
        """Take the next step, if there is one: to be called often. Returns at once."""
        self.sending.poll()
        if self._loading is not None and self._loading.done:
            loading, self._loading = self._loading, None
            loading.result()
            then, self._then = self._then, None
            if then is not None:
                then()
        for job in [job for job in self._closing if job.done]:
            self._closing.remove(job)
            job.result()

    def close(self) -> None:
        """Cancel an export that is being made, let go of the queue; waits."""
        self._then = None
        if self._loading is not None:
            self._loading.result()
            self._loading = None
        if self._export is not None:
            self._export.close()
            self._export = None
        if self.dialog is not None:
            self.dialog.done(0)
        while self._closing:
            self._closing.pop().result()
        self.sending.close()

    def _load(self, module: str, then: Callable[[], None]) -> None:
        """Load what a dialog needs, on another thread: DICOM takes a while. Nothing while one is open."""
        if self.dialog is None and self._loading is None:
            self._then = then
            self._loading = Job(lambda: importlib.import_module(module), "hand-over-load")

    def _open_export(self, folder: Path, session: Session | None) -> None:
        from app.export.controller import ExportController, Subject
        from app.export.dialog import ExportDialog

        window = self._window
        window.said = ""
        if session is not None and self._reviewed() is not session:
            return  # closed meanwhile
        control = ExportController(Subject(folder, session), window.choices.data, self._protocol_for)
        dialog = ExportDialog(control, window.settings, window.choices.output / EXPORTS_NAME, window)
        self._export = control
        dialog.send_wanted.connect(lambda bundle: self.show_sending(bundle, folder))
        self._show(dialog)

    def _open_sending(self, bundle: Path | None, session: Path | None) -> None:
        from app.send.dialog import SendDialog

        self._show(SendDialog(self.sending, bundle, session, self._window))

    def _show(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(self._forget)
        dialog.open()

    def _forget(self) -> None:
        if self._export is not None:
            # It may be in the middle of something that takes a moment to end.
            self._closing.append(Job(self._export.close, "export-close"))
            self._export = None
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
            # Not every desktop gives the keys back to the window by itself.
            self._window.activateWindow()
            self._window.setFocus()

    def _protocol_for(self, model_planes: Collection[str]) -> Protocol | None:
        return self._window.protocols.follow(model_planes)

    def _reviewed(self) -> Session | None:
        opened = self._window.shown_review
        return None if opened is None else opened.session
