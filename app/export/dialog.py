"""The export dialog: choose, watch, decide about text, done. Enter takes the next step, Esc leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.export.controller import ExportController
from app.export.options_page import OptionsPage
from app.export.pages import DonePage, RunningPage, TextPage
from app.export.presenter import (
    ExportState,
    Phase,
    complete,
    held_sentence,
    plane_caption,
    report_of,
)
from app.export.preview import ExportPicture
from app.file_dialogs import show_file, show_folder
from app.settings import Settings
from app.tasks import LatestTask
from app.widgets import theme
from app.widgets.accessible import announce
from app.widgets.forms import button, page_title
from app.widgets.plain import PlainLabel
from semc_core.export.found_text import Answer
from semc_core.language import N_, _, joined
from semc_core.session.files import read_png
from semc_core.session.records import PlaneEntry
from semc_core.types import Crop

_PROGRESS_MS: Final = 50
_DRAW_HINT: Final = N_(
    "What is dark here is black in the export. Drag over what must not be seen: it is black in every "
    "picture, also in later exports from this device. A click takes it back."
)
_WHOLE_HINT: Final = N_("Whole pictures are exported, with everything that is written in them.")

Picture = tuple[str, NDArray[np.uint8] | None]


class ExportDialog(QDialog):
    """Exports one session.

    Signals:
        send_wanted: The export (a `Path`) is to be sent to a PACS.
        close_wanted: A person closes the dialog while an export is being made, which is not to be lost.
    """

    send_wanted = Signal(object)
    close_wanted = Signal()

    _picture_read = Signal()

    def __init__(self, control: ExportController, settings: Settings, folder: Path, parent: QWidget) -> None:
        """Ask about this export; `open` shows it.

        Args:
            control: Makes it. Closed by whoever made it.
            settings: Where the choices are remembered.
            folder: To export to, unless another was chosen before.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Export"))
        self._control = control
        self._settings = settings
        self._at = 0
        self._masks: tuple[Crop, ...] | None = None
        self._anyway = False
        self._answers: dict[int, Answer] = {}
        self._asked: set[int] = set()
        self._shown: ExportState | None = None
        self._pictures: LatestTask[Picture] = LatestTask(
            self._read, "export-pictures", self._say_fault, self._picture_read.emit
        )
        self._planes: tuple[PlaneEntry, ...] = ()
        self.page = OptionsPage(settings.export_options, settings.export_folder or folder)
        self.picture = ExportPicture()
        self.running_page, self.text_page, self.done_page = RunningPage(), TextPage(), DonePage()
        self._build()
        self.running_page.cancelled.connect(self.reject)
        self.text_page.answered.connect(self._answer)
        self.text_page.left.connect(self.reject)
        self.done_page.report_wanted.connect(self._open_report)
        self.done_page.show_wanted.connect(self._open_folder)
        self.done_page.send_wanted.connect(self._send)
        self.done_page.answer_wanted.connect(control.ask)
        self.done_page.left.connect(self.accept)
        self.page.changed.connect(self._refresh)
        self.page.planes.looked_at.connect(self._look_at)
        self.picture.mask_drawn.connect(lambda mask: self._use_masks((*(self._masks or ()), mask)))
        self.picture.mask_clicked.connect(self._remove_mask)
        em = theme.em(self)
        self.setMinimumSize(round(42 * em), round(27 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.5))
        self._picture_read.connect(self._show_picture)
        self._progress = QTimer(self)
        self._progress.setInterval(_PROGRESS_MS)
        self._progress.timeout.connect(lambda: self.running_page.show_state(control.state))
        control.on_change = self._take
        self._take()

    # What the user does.

    def export(self) -> None:
        """Make the export, with what was answered about text in pictures.

        A session that is not as it was written is exported after the user said so, in this dialog.
        """
        material = self._control.material
        if material is None:
            return
        if problem := self.page.problem:
            self._say(problem, fault=True)
            self.page.show_problem()
            return
        ticked = self.page.options
        self._settings.export_options = ticked
        self._settings.export_folder = self.page.folder
        patient = self.page.patient_form.patient
        # For this export alone: they are remembered for what was asked about, and for nothing else.
        answers, self._answers = self._answers, {}
        options = complete(ticked, self._masks or (), patient, material.protocol, answers)
        options = replace(options, anyway=self._anyway)
        self._control.begin(self.page.folder / self.page.name.text(), options)

    def export_anyway(self) -> None:
        """Export the session although it is not as it was written; every page will say so."""
        self._anyway = True
        self.export()

    def reject(self) -> None:
        """Esc: cancel what runs, or go back to the choices, or leave."""
        phase = self._control.state.phase
        if phase is Phase.RUNNING:
            self._control.cancel()
        elif phase is Phase.TEXT:
            self._control.ask_later()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The frame's own button: unlike Esc it does not say that it cancels."""
        if event.spontaneous() and self._control.state.phase is Phase.RUNNING:
            event.ignore()
            self.close_wanted.emit()
        else:
            super().closeEvent(event)

    def done(self, result: int) -> None:
        """Leave; the reader of pictures ends."""
        self._progress.stop()
        self._control.on_change = lambda: None
        self._pictures.close()
        super().done(result)

    def step(self, by: int) -> None:
        """Show the next picture, or the one before."""
        if self._planes:
            self._look_at((self._at + by) % len(self._planes))
            self._show_question()

    def _look_at(self, at: int) -> None:
        """Show this picture; the list of planes goes along."""
        self._at = max(0, at)
        self._show_picture()
        if self._control.state.phase is Phase.CHOOSING:
            self.page.planes.look_at(self._at)

    def _answer(self, said: str) -> None:
        """What becomes of the plane that is shown; after the last one all is exported once more."""
        plane_id = self._planes[self._at].plane_id
        self._asked.add(plane_id)
        if said:
            self._answers[plane_id] = "keep" if said == "keep" else "mask"
        if any(plane.plane_id not in self._asked for plane in self._planes):
            self._show_next_asked()
        elif any(plane.plane_id in self._answers for plane in self._planes):
            self.page.name_anew()
            self.export()
        else:
            self._control.ask_later()

    def _show_next_asked(self) -> None:
        """Go on to the next plane that nobody answered for, from the one that is shown."""
        count = len(self._planes)
        order = [(self._at + step) % count for step in range(count)]
        self._at = next((at for at in order if self._planes[at].plane_id not in self._asked), self._at)
        self._show_picture()
        self._show_question()

    def _show_question(self) -> None:
        findings = self._control.state.findings
        if self._control.state.phase is Phase.TEXT and self._planes:
            shown = self._planes[self._at].plane_id
            left = sum(plane.plane_id not in self._asked for plane in self._planes)
            finding = next(each for each in findings if each.plane_id == shown)
            self.text_page.begin(finding, max(1, left))

    def _use_masks(self, masks: Sequence[Crop]) -> None:
        self._masks = tuple(masks)
        self._refresh()

    def _remove_mask(self, number: int) -> None:
        masks = list(self._masks or ())
        if number < len(masks):
            del masks[number]
        self._use_masks(masks)

    def _open_report(self) -> None:
        result = self._control.state.result
        if result is not None and (fault := show_file(report_of(result.target))):
            self._say(fault, fault=True)

    def _open_folder(self) -> None:
        result = self._control.state.result
        if result is None:
            return
        folder = result.target if result.target.is_dir() else result.target.parent
        if fault := show_folder(folder):
            self._say(fault, fault=True)

    def _send(self) -> None:
        result = self._control.state.result
        if result is not None:
            self.accept()
            self.send_wanted.emit(result.target)

    # What it shows.

    def _take(self) -> None:
        """Show what is new."""
        material = self._control.material
        if self._masks is None and material is not None:
            self._masks = material.masks
        self._show_state(self._control.state)

    def _show_state(self, state: ExportState) -> None:
        phase_before = None if self._shown is None else self._shown.phase
        self._shown = state
        if state.phase is Phase.RUNNING:
            self._progress.start()
        else:
            self._progress.stop()
        self._pages.setCurrentIndex(list(Phase).index(state.phase))
        self.running_page.show_state(state)
        self.anyway.setVisible(state.changed)
        if state.phase is not phase_before or state.message:
            self._say(state.message, fault=state.failed)
        self._refresh()
        if state.phase is phase_before:
            return
        self._at = 0
        if state.phase is Phase.CHOOSING:
            self.go.setFocus()
        elif state.phase is Phase.TEXT:
            self._asked.clear()
            self._show_next_asked()
        elif state.phase is Phase.DONE and state.result is not None:
            self.done_page.begin(
                state.result,
                deidentified=self._control.deidentified,
                with_dicom=self._control.bundle_has_dicom,
            )
            announce(self, joined((_("The export is done."), held_sentence(state.result))))

    def _refresh(self) -> None:
        """What depends on the choices."""
        state, material = self._control.state, self._control.material
        self.page.show_material(material)
        self._show_proof()
        self.go.setEnabled(material is not None and state.phase is Phase.CHOOSING)
        if material is None:
            self._planes = ()
        elif state.phase is Phase.TEXT:
            with_text = {finding.plane_id for finding in state.findings}
            self._planes = tuple(plane for plane in material.planes if plane.plane_id in with_text)
        else:
            self._planes = material.planes
        hidden = self.page.options.deidentify
        drawing = hidden and state.phase is Phase.CHOOSING and bool(self._planes)
        self.picture.show_masks((self._masks or ()) if hidden else (), drawing=drawing)
        self._hint.setText(_(_DRAW_HINT if hidden else _WHOLE_HINT))
        self._hint.setVisible(state.phase is Phase.CHOOSING and bool(self._planes))
        self._forget.setVisible(drawing and bool(self._masks))
        self._side.setVisible(state.phase in (Phase.CHOOSING, Phase.TEXT))
        self._show_picture()

    def _show_picture(self) -> None:
        self._at = min(self._at, max(0, len(self._planes) - 1))
        for step in self._steps:
            step.setEnabled(len(self._planes) > 1)
        if not self._planes:
            self._caption.setText("")
            self.picture.show_picture(None, None, _("No picture to show"))
            self.picture.show_boxes(())
            return
        plane = self._planes[self._at]
        self._caption.setText(plane_caption(self._planes, self._at))
        self._pictures.ask(plane.plane_id)
        got = self._pictures.got
        pixels = got[1] if got is not None and got[0] == plane.png else None
        region = plane.crop if self.page.options.deidentify else None
        self.picture.show_picture(pixels, region, _("Reading the picture …") if got is None else "")
        boxes = [
            each.box
            for finding in self._control.state.findings
            if finding.plane_id == plane.plane_id
            for each in finding.found
        ]
        self.picture.show_boxes(boxes)

    def _say(self, sentence: str, *, fault: bool) -> None:
        self._message.setText(sentence)
        self._fault.setProperty("tone", "fault" if fault else "notice")
        self._fault.style().unpolish(self._fault)
        self._fault.style().polish(self._fault)
        self._fault.setVisible(bool(sentence))
        announce(self, sentence, urgent=fault)

    def _show_proof(self) -> None:
        kind = "notice" if self._control.doubtful else "dim"
        self._proof.setText(self._control.proof)
        if self._proof.objectName() != kind:
            self._proof.setObjectName(kind)
            self._proof.style().unpolish(self._proof)
            self._proof.style().polish(self._proof)

    @property
    def proof(self) -> str:
        """What it says of how the session stands."""
        return self._proof.text()

    @property
    def message(self) -> str:
        """The sentence at the top, or ""."""
        return self._message.text()

    # On the thread that reads pictures.

    def _read(self, plane_id: int) -> Picture:
        material = self._control.material
        planes = () if material is None else material.planes
        plane = next(plane for plane in planes if plane.plane_id == plane_id)
        assert material is not None
        if plane.png is None:
            return "", None
        return plane.png, read_png(material.folder / plane.png)

    def _say_fault(self, sentence: str) -> None:
        """A picture that cannot be read is told by the export itself."""

    # Building.

    def _build(self) -> None:
        self._fault = QFrame()
        self._fault.setObjectName("banner")
        self._message = PlainLabel()
        self._message.setWordWrap(True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.anyway = button(_("Export it &anyway"), self.export_anyway)
        self.anyway.setToolTip(_("Every page of the report, and the manifest, will say that it was changed."))
        self.anyway.hide()
        banner = QHBoxLayout(self._fault)
        banner.addWidget(self._message, 1)
        banner.addWidget(self.anyway)
        self._fault.hide()
        self._pages = QStackedWidget()
        for page in (self._choosing(), self.running_page, self.text_page, self.done_page):
            self._pages.addWidget(page)
        self._side = self._picture_side()
        upper = QHBoxLayout()
        upper.setSpacing(round(0.8 * theme.em(self)))
        upper.addWidget(self._pages, 5)
        upper.addWidget(self._side, 6)
        layout = QVBoxLayout(self)
        layout.addWidget(self._fault)
        layout.addLayout(upper, 1)

    def _picture_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture, 1)
        self._caption = PlainLabel()
        self._caption.setObjectName("dim")
        row = QHBoxLayout()
        self._steps = []
        for text, by in (("<", -1), (">", 1)):
            step = button(text, partial(self.step, by))
            step.setAccessibleName(_("Picture before") if by < 0 else _("Next picture"))
            step.setToolTip(step.accessibleName())
            step.setFixedWidth(max(round(2.4 * theme.em(self)), step.minimumSizeHint().width()))
            self._steps.append(step)
        self._forget = button(_("No masks"), lambda: self._use_masks(()))
        row.addWidget(self._steps[0])
        row.addWidget(self._caption, 1, Qt.AlignmentFlag.AlignHCenter)
        row.addWidget(self._forget)
        row.addWidget(self._steps[1])
        column.addLayout(row)
        self._hint = PlainLabel()
        self._hint.setObjectName("dim")
        self._hint.setWordWrap(True)
        column.addWidget(self._hint)
        return side

    def _choosing(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page_title(_("Export"), self))
        self._proof = PlainLabel()
        self._proof.setWordWrap(True)
        self._proof.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self._proof)
        column.addWidget(self.page, 1)
        self.go = button(_("Export  (Enter)"), self.export)
        self.go.setAutoDefault(True)
        self.go.setDefault(True)
        row = QHBoxLayout()
        row.addWidget(button(_("Cancel  (Esc)"), self.reject))
        row.addWidget(self.go, 1)
        column.addLayout(row)
        return page
