"""The dialogs for exporting and sending, loaded when they are first opened, and what works behind them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from app.batch.controller import LoopsController
from app.choices import Choices
from app.preferences.presenter import Entry, Link
from app.priors.controller import PriorsController
from app.send.controller import SendController
from app.sessions.controller import SessionsController
from app.settings import Settings
from app.tasks import Background, Post
from app.worklist.by_hand import FormSubject
from app.worklist.controller import WorklistController
from app.worklist.reviewed import ReviewedExamination
from semc_core.language import N_, _
from semc_core.session.session import Session

if TYPE_CHECKING:
    from app.export.controller import ExportController, ProtocolFor, ReadingsFor
    from app.review.session import OpenReview

EXPORTS_NAME: Final = "Exports"
_OPENING: Final = N_("Opening the export …")


class DialogHost(QObject):
    """One dialog at a time; the window is never waited for.

    Signals:
        message: The sentence for the status line; "" when what it told of is over.
        close_wanted: A person closes this dialog of the export (a `QDialog`) while one is being made.
        review_wanted: A session, a loop, or a picture of an earlier study, is to be reviewed, a path.

    Attributes:
        sending: The queue and its servers.
        worklist: Examinations that are scheduled, and that of the scan.
        reviewed: That of the session in review.
        priors: Earlier studies on servers.
        sessions: All sessions on this machine.
        loops: Several loops that are analysed one after another.
        dialog: The dialog that is open, or None.
        preferred: Gives what can be set in the preferences; the window says it.
        readings_for: Gives what was read ahead for an export; None where nothing is.
    """

    message = Signal(str)
    close_wanted = Signal(object)
    review_wanted = Signal(str)

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        choices: Choices,
        post: Post,
        reviewed: Callable[[], Session | None],
    ) -> None:
        """Nothing is opened or loaded yet.

        Args:
            window: What the dialogs stand over.
            settings: Where the choices of an export are remembered.
            choices: Where data and exports go.
            post: See `app.tasks`.
            reviewed: The session that is open in review; for any thread.
        """
        super().__init__(window)
        self._window = window
        self._settings, self._choices, self._post = settings, choices, post
        self._reviewed = reviewed
        self.sending = SendController(choices.data, post, reviewed)
        self.worklist = WorklistController(choices.data, post, settings)
        self.worklist.on_message = self.worklist.steps.on_message = self.message.emit
        self.reviewed = ReviewedExamination(post)
        self.reviewed.on_message = self.message.emit
        self.priors = PriorsController(choices.data, lambda: choices.output, post, settings)
        self.sessions = SessionsController(
            choices.data, lambda: choices.output, post, reviewed, lambda: self.sending.queueing
        )
        self.sessions.on_message = self.message.emit
        self.loops = LoopsController(self._open_loop, post)
        self.loops.exports.data = lambda: choices.data
        self.loops.on_wanted = self.show_loops
        self.loops.on_review = self._review_loop
        self.loops.on_message = self.message.emit
        self.dialog: QDialog | None = None
        self.preferred: Callable[[], Sequence[Entry | Link]] = tuple
        self.readings_for: ReadingsFor | None = None
        self._export: ExportController | None = None
        self._loads = Background("dialog-load", post)
        self._ends = Background("export-close", post)
        self._loading = False

    @property
    def exporting(self) -> ExportController | None:
        """The export whose dialog is open."""
        return self._export

    def export(self, folder: Path, protocol_for: ProtocolFor, session: Session | None = None) -> None:
        """Ask how a session is exported.

        Args:
            folder: Of the session.
            protocol_for: Whose checklist goes with it.
            session: Where it is open for writing.
        """
        self.message.emit(_(_OPENING))
        self._load("app.export.dialog", lambda: self._open_export(folder, protocol_for, session))

    def show_sending(self, bundle: Path | None = None, session: Path | None = None) -> None:
        """Show servers and queue.

        Args:
            bundle: An export that is to be sent.
            session: The folder of its session.
        """
        self.sending.open()
        self._load("app.send.dialog", lambda: self._open_sending(bundle, session))

    def show_worklist(self) -> None:
        """Show which examinations are scheduled."""
        self._load("app.worklist.dialog", self._open_worklist)

    def show_form(self, subject: FormSubject) -> None:
        """Have an examination filled in by hand."""
        self._load("app.worklist.form", lambda: self._open_form(subject))

    def show_priors(self) -> None:
        """Show which earlier studies servers have."""
        self._load("app.priors.dialog", self._open_priors)

    def show_sessions(self) -> None:
        """Show all sessions."""
        self._load("app.sessions.dialog", self._open_sessions)

    def show_loops(self) -> None:
        """Show several loops, and how far each is."""
        self._load("app.batch.dialog", self._open_loops)

    def back_to_loops(self, leave: Callable[[], bool]) -> Callable[[], bool]:
        """What Esc does in review: `leave` what is in the way; then go back to the list that has its loop."""

        def back() -> bool:
            if leave():
                return True
            session = self._reviewed()
            if session is None or self._window.isFullScreen():
                return False
            listed = self.loops.snapshot.shows(session.folder, session.source.path)
            if listed:
                self.show_loops()
            return listed

        return back

    def show_preferences(self) -> None:
        """Show what can be set."""
        self._load("app.preferences.dialog", self._open_preferences)

    def does(self) -> dict[str, Callable[[], object]]:
        """What keys do that open a dialog, by their names."""
        return {
            "sending": lambda: self.show_sending(),
            "worklist": self.show_worklist,
            "priors": self.show_priors,
            "sessions": self.show_sessions,
            "loops": self.show_loops,
            "preferences": self.show_preferences,
        }

    def go_on(self) -> None:
        """Go on with what waits for servers since an earlier start."""
        self.sending.go_on()
        self.worklist.steps.go_on()

    def close(self) -> None:
        """Cancel an export that is being made, let go of the queue; waits."""
        self._loads.close()
        if self.dialog is not None:
            self.dialog.done(0)
        self._ends.close()
        self.loops.close()
        self.worklist.close()
        self.reviewed.close()
        self.priors.close()
        self.sessions.close()
        self.sending.close()

    def _load(self, module: str, then: Callable[[], None]) -> None:
        """Load what a dialog needs, on another thread: DICOM takes a while. Nothing while one is open."""
        if self.dialog is not None or self._loading:
            return
        self._loading = True

        def loaded(future: Future[ModuleType]) -> None:
            self._loading = False
            future.result()
            then()

        self._loads.start(lambda: importlib.import_module(module), loaded)

    def _open_export(self, folder: Path, protocol_for: ProtocolFor, session: Session | None) -> None:
        from app.export.controller import ExportController, Subject
        from app.export.dialog import ExportDialog

        self.message.emit("")
        if session is not None and self._reviewed() is not session:
            return  # closed meanwhile
        subject = Subject(folder, session)
        self._export = ExportController(
            subject, self._choices.data, self._post, protocol_for, self.readings_for
        )
        exports = self._choices.output / EXPORTS_NAME
        dialog = ExportDialog(self._export, self._settings, exports, self._window)
        dialog.close_wanted.connect(lambda: self.close_wanted.emit(dialog))
        dialog.send_wanted.connect(lambda bundle: self.show_sending(bundle, folder))
        self._show(dialog)

    def _open_sending(self, bundle: Path | None, session: Path | None) -> None:
        from app.send.dialog import SendDialog

        self._show(SendDialog(self.sending, bundle, session, self._window))

    def _open_worklist(self) -> None:
        from app.worklist.dialog import WorklistDialog

        dialog = WorklistDialog(self.worklist, self._window)

        def add_server() -> None:
            dialog.reject()
            self.show_sending()

        dialog.server_wanted.connect(add_server)
        self._show(dialog)

    def _open_form(self, subject: FormSubject) -> None:
        from app.worklist.form import ExaminationDialog

        self._show(ExaminationDialog(subject, self.worklist, self._window))

    def _open_priors(self) -> None:
        from app.priors.dialog import PriorsDialog

        examination = self.worklist.current or self.worklist.next
        patient = "" if examination is None else examination.patient_id
        dialog = PriorsDialog(self.priors, patient, self._window)

        def add_server() -> None:
            dialog.reject()
            self.show_sending()

        dialog.server_wanted.connect(add_server)
        dialog.review_wanted.connect(self.review_wanted)
        self._show(dialog)

    def _open_sessions(self) -> None:
        from app.sessions.dialog import SessionsDialog

        dialog = SessionsDialog(self.sessions, self._window)
        dialog.review_wanted.connect(self.review_wanted)
        self._show(dialog)

    def _open_loops(self) -> None:
        from app.batch.dialog import LoopsDialog

        self._show(LoopsDialog(self.loops, self._settings, self._window))

    def _open_loop(self, path: Path) -> OpenReview:
        """As review opens it; on a thread."""
        from app.review.session import ReviewRequest, open_review

        use = self._choices
        return open_review(
            ReviewRequest(path, use.model, use.device, use.output, use.images, use.picture_options)
        )

    def _review_loop(self, path: str) -> None:
        from app.batch.dialog import LoopsDialog

        if isinstance(self.dialog, LoopsDialog):
            self.dialog.done(0)
        if self.dialog is None:  # else something else was begun meanwhile
            self.review_wanted.emit(path)

    def _open_preferences(self) -> None:
        from app.preferences.dialog import PreferencesDialog

        parts, settings = self.preferred(), self._settings
        self._show(PreferencesDialog(parts, lambda: self.worklist.running, self._window, settings))

    def _show(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(self._forget)
        dialog.open()

    def _forget(self) -> None:
        export, self._export = self._export, None
        if export is not None:
            # It may be in the middle of something that takes a moment to end.
            self._ends.start(export.close, lambda future: future.result())
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
            # Not every desktop gives the keys back to the window by itself.
            self._window.activateWindow()
            self._window.setFocus()
