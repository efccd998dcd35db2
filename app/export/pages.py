"""The later pages of the export dialog: what is done now, text in the pictures, done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.export.presenter import (
    ExportState,
    done_sentence,
    held_sentence,
    progress_sentence,
    text_question,
    why_no_report,
)
from app.widgets import theme
from app.widgets.forms import button, page_title, side_by_side
from app.widgets.plain import PlainLabel
from app.widgets.still_bar import StillBar
from semc_core.export.found_text import TextFinding
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
        self._bar = StillBar()
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
    """Asks of one plane after the other what becomes of what may be text in it.

    Signals:
        answered: "mask" or "keep"; "" leaves the plane out.
        left: Back to what was exported.
    """

    answered = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question = PlainLabel()
        self._question.setWordWrap(True)
        self.mask_text = button(_("Text: black it out  (Enter)"), lambda: self.answered.emit("mask"))
        self.keep = button(_("No name: keep the picture as it is"), lambda: self.answered.emit("keep"))
        self.leave_out = button(_("Leave this plane out"), lambda: self.answered.emit(""))
        note = PlainLabel(
            _(
                "After the last answer all is exported once more, with these planes. Your answers are "
                "remembered for these pictures."
            )
        )
        note.setObjectName("dim")
        note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Text in the pictures"), self))
        column.addWidget(self._question)
        for each in (self.mask_text, self.keep, self.leave_out, note):
            column.addWidget(each)
        column.addStretch(1)
        column.addWidget(button(_("Back  (Esc)"), self.left.emit))

    def begin(self, finding: TextFinding, left: int) -> None:
        """Ask of this plane; so many are still to be answered, with it. Enter blackens."""
        self._question.setText(text_question(finding, left))
        self.mask_text.setDefault(True)
        self.mask_text.setFocus()


class DonePage(QWidget):
    """What was exported, and what can be done with it.

    Signals:
        report_wanted: Its report is to be opened.
        show_wanted: Its folder is to be shown.
        send_wanted: It is to be sent.
        answer_wanted: The planes that wait for an answer are to be shown.
        left: The dialog can go.
    """

    report_wanted = Signal()
    show_wanted = Signal()
    send_wanted = Signal()
    answer_wanted = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentence = PlainLabel()
        self._sentence.setFont(theme.scaled_font(self.font(), 1.2, bold=True))
        self._where = PlainLabel()
        self._where.setObjectName("dim")
        self._stayed_out = PlainLabel()
        self._notices = PlainLabel()
        self._notices.setObjectName("notice")
        self._held = PlainLabel()
        self._held.setObjectName("notice")
        self._held.setWordWrap(True)
        self.answer = button(_("Answer …"), self.answer_wanted.emit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Exported"), self))
        for label in (self._sentence, self._where, self._stayed_out, self._notices):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addLayout(side_by_side(self._held, self.answer, stretch=0))
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

    @property
    def stayed_out(self) -> str:
        """What it says of planes that are not in the export, or ""."""
        return self._stayed_out.text()

    def begin(self, result: ExportResult, *, deidentified: bool, with_dicom: bool) -> None:
        """Show this; Enter closes."""
        self._sentence.setText(done_sentence(result, deidentified))
        self._where.setText(_("in {folder}", folder=result.target.parent))
        self._stayed_out.setText(result.stayed_out)
        self._stayed_out.setVisible(bool(result.stayed_out))
        self._notices.setText("\n\n".join(map(_, result.notices)))
        self._held.setText(held_sentence(result))
        self._held.setVisible(bool(result.held))
        self.answer.setVisible(bool(result.held))
        why_not = why_no_report(result.target)
        self.report.setEnabled(not why_not)
        self.report.setToolTip(why_not)
        self.send.setEnabled(with_dicom and result.planes > 0)
        self.send.setToolTip("" if self.send.isEnabled() else _("Only an export with DICOM can be sent."))
        self.close_button.setDefault(True)
        self.close_button.setFocus()
