"""Closing the window while something goes on: it says what, and asks whether to wait or to stop it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.forms import button
from app.widgets.plain import PlainLabel
from semc_core.errors import SemcError
from semc_core.language import _

if TYPE_CHECKING:
    from app.dialogs import DialogHost
    from app.ongoing import Ongoing
    from app.train.controller import TrainController

_FOLLOW_MS: Final = 100


class Closing:
    """Asks of one thing that goes on after the other, and closes when all were answered so.

    Attributes:
        question: The one that is open, or None.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        """Nothing is asked yet; `report` tells why nothing was closed after all."""
        self._report = report
        self.question: ClosingQuestion | None = None

    def ask_of_all(self, dialogs: DialogHost, train: TrainController, window: QWidget) -> bool:
        """Ask before a window is closed.

        Args:
            dialogs: Where an export, or the analysis of loops, may go on.
            train: Where a training or an installation may.
            window: That is to be closed.

        Returns:
            Whether a question is open, so that it may not be closed yet.
        """
        from app.ongoing import all_ongoing

        return self.ask(all_ongoing(dialogs, train), window.close, dialogs.dialog or window)

    def ask_of_export(self, dialogs: DialogHost, dialog: QDialog) -> None:
        """Ask before the dialog of an export that is being made is closed."""
        from app.ongoing import exports_ongoing

        self.ask(exports_ongoing(dialogs), lambda: dialog.done(0), dialog)

    def ask(self, ongoing: Sequence[Ongoing], close: Callable[[], object], over: QWidget) -> bool:
        """Ask what becomes of what goes on.

        Args:
            ongoing: What may go on.
            close: Called when nothing stands against it any more.
            over: What the questions stand over.

        Returns:
            Whether a question is open, so that nothing may be closed yet.
        """
        if self.question is not None:
            self.question.raise_()
            return True
        for i, each in enumerate(ongoing):
            if now := self._now(each):
                self._open(
                    ClosingQuestion(each, now, over), partial(self._go_on, ongoing[i + 1 :], close, over)
                )
                return True
        return False

    def close(self) -> None:
        """The window closes, whatever was answered."""
        if self.question is not None:
            self.question.reject()

    def _open(self, question: ClosingQuestion, then: Callable[[], object]) -> None:
        def answered(result: int) -> None:
            self.question = None
            question.deleteLater()
            if question.fault:
                self._report(question.fault)
            if result:
                then()

        self.question = question
        question.finished.connect(answered)
        question.open()

    def _go_on(self, rest: Sequence[Ongoing], close: Callable[[], object], over: QWidget) -> None:
        if not self.ask(rest, close, over):
            close()

    def _now(self, ongoing: Ongoing) -> str:
        try:
            return ongoing.now()
        except SemcError as error:
            self._report(str(error))
            return ""


class ClosingQuestion(QDialog):
    """Says what goes on and how far it is. Accepted once the window may close, rejected to keep it open.

    Attributes:
        fault: Why the window has to stay open, a sentence; or "".
        words: What it says.
        go_on: Waits for the end of what goes on, or leaves it to itself.
        stop: Ends it.
        keep: Keeps the window open.
    """

    def __init__(self, ongoing: Ongoing, now: str, over: QWidget) -> None:
        """Ask of this; `open` shows it.

        Args:
            ongoing: What goes on.
            now: How far it is.
            over: What the question stands over.
        """
        super().__init__(over)
        self.setWindowTitle(_("Close"))
        self.fault = ""
        self._ongoing = ongoing
        self._waiting = False
        self.words = PlainLabel()
        self.words.setWordWrap(True)
        about = PlainLabel(_(ongoing.about))
        about.setObjectName("dim")
        about.setWordWrap(True)
        self.go_on = button(
            _("&Let it go on, and close") if ongoing.outlives else _("&Close when it is done"), self._go_on
        )
        self.stop = button(_("&Stop it, and close"), self._stop)
        self.keep = button(_("Keep open  (Esc)"), self.reject)
        row = QHBoxLayout()
        for each in (self.go_on, self.stop, self.keep):
            row.addWidget(each)
        layout = QVBoxLayout(self)
        layout.addWidget(self.words)
        layout.addWidget(about)
        layout.addLayout(row)
        self.setMinimumWidth(round(34 * theme.em(self)))
        self.go_on.setDefault(True)
        self.go_on.setFocus()
        self._timer = QTimer(self)
        self._timer.setInterval(_FOLLOW_MS)
        self._timer.timeout.connect(self._follow)
        self._timer.start()
        self._say(now)

    def done(self, result: int) -> None:
        """Nothing is followed any more."""
        self._timer.stop()
        super().done(result)

    def _go_on(self) -> None:
        if self._ongoing.outlives:
            self.accept()
        else:
            self._wait()

    def _stop(self) -> None:
        try:
            self._ongoing.stop()
        except SemcError as error:
            self._stay(str(error))
            return
        self._wait()

    def _wait(self) -> None:
        self._waiting = True
        self.keep.setFocus()
        self._follow()

    def _follow(self) -> None:
        try:
            now = self._ongoing.now()
            self.stop.setVisible(bool(now) and self._ongoing.can_stop())
        except SemcError as error:
            self._stay(str(error))
            return
        self.go_on.setVisible(not self._waiting)
        if now:
            self._say(now)
        elif reason := self._ongoing.needs_somebody():
            self._stay(reason)
        else:
            # Also where it ended while the question stood: closing is what was wanted.
            self.accept()

    def _say(self, now: str) -> None:
        what = self._ongoing.waited_for if self._waiting else self._ongoing.goes_on
        self.words.setText(f"{_(what)}\n{now}")

    def _stay(self, reason: str) -> None:
        self.fault = reason
        self.reject()
