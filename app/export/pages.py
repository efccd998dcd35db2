"""The later pages of the export dialog: what is done now, text in the pictures, done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.export.presenter import ExportState, done_sentence, progress_sentence, text_question, why_no_report
from app.widgets import theme
from app.widgets.forms import button, page_title
from app.widgets.plain import PlainLabel
from semc_core.export.options import ExportResult
from semc_core.language import _


class RunningPage(QWidget):
    """How far the export is.

    Signals:
        cancelled: It is to be ended.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._step = PlainLabel()
        self._step.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_("Progress of the export"))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(button(_("Cancel  (Esc)"), self.cancelled.emit))
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self._step)
        column.addWidget(self._bar)
        column.addLayout(row)
        column.addStretch(1)

    def show_state(self, state: ExportState) -> None:
        """Show the step."""
        self._step.setText(progress_sentence(state))
        self._bar.setRange(0, state.total)
        self._bar.setValue(state.done)


class TextPage(QWidget):
    """Asks what becomes of text that was found.

    Signals:
        answered: "mask", "leave out" or "keep".
        left: Back to the choices.
    """

    answered = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question = PlainLabel()
        self._question.setWordWrap(True)
        self.mask_text = button(_("Mask the text  (Enter)"), lambda: self.answered.emit("mask"))
        self.leave_out = button(_("Leave these planes out"), lambda: self.answered.emit("leave out"))
        self.keep = button(_("Keep them as they are"), lambda: self.answered.emit("keep"))
        note = PlainLabel(
            _("Keep them only if you have looked at each: what is written there leaves this machine.")
        )
        note.setObjectName("notice")
        note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Text in the pictures"), self))
        column.addWidget(self._question)
        for each in (self.mask_text, self.leave_out, self.keep, note):
            column.addWidget(each)
        column.addStretch(1)
        column.addWidget(button(_("Back  (Esc)"), self.left.emit))

    def begin(self, state: ExportState, planes: int) -> None:
        """Ask, of so many planes in all; Enter masks."""
        self._question.setText(text_question(state.findings, planes))
        self.mask_text.setDefault(True)
        self.mask_text.setFocus()


class DonePage(QWidget):
    """What was exported, and what can be done with it.

    Signals:
        report_wanted: Its report is to be opened.
        show_wanted: Its folder is to be shown.
        send_wanted: It is to be sent.
        left: The dialog can go.
    """

    report_wanted = Signal()
    show_wanted = Signal()
    send_wanted = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentence = PlainLabel()
        self._sentence.setFont(theme.scaled_font(self.font(), 1.2, bold=True))
        self._where = PlainLabel()
        self._where.setObjectName("dim")
        self._notices = PlainLabel()
        self._notices.setObjectName("notice")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Exported"), self))
        for label in (self._sentence, self._where, self._notices):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addStretch(1)
        self.report = button(_("Open report"), self.report_wanted.emit)
        self.send = button(_("Send to …"), self.send_wanted.emit)
        self.close_button = button(_("Close  (Enter)"), self.left.emit)
        row = QHBoxLayout()
        row.addWidget(self.report)
        row.addWidget(button(_("Show folder"), self.show_wanted.emit))
        row.addWidget(self.send)
        row.addStretch(1)
        row.addWidget(self.close_button)
        column.addLayout(row)

    def begin(self, result: ExportResult, *, deidentified: bool, with_dicom: bool) -> None:
        """Show this; Enter closes."""
        self._sentence.setText(done_sentence(result, deidentified))
        self._where.setText(_("in {folder}", folder=result.target.parent))
        self._notices.setText("\n\n".join(map(_, result.notices)))
        why_not = why_no_report(result.target)
        self.report.setEnabled(not why_not)
        self.report.setToolTip(why_not)
        self.send.setEnabled(with_dicom and result.planes > 0)
        self.send.setToolTip("" if self.send.isEnabled() else _("Only an export with DICOM can be sent."))
        self.close_button.setDefault(True)
        self.close_button.setFocus()
