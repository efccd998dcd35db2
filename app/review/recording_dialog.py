"""Deleting the recording of the session in review, to free the disk: asked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.review.controller import ReviewController
from app.widgets import theme
from app.widgets.forms import button, side_by_side
from app.widgets.plain import PlainLabel
from semc_core.language import N_, _, decimal
from semc_core.session.recording.parts import videos_there
from semc_core.session.session import Session

NO_RECORDING = N_("This session has no recording that could be deleted.")


def ask_to_delete_recording(review: ReviewController, window: QWidget, say: Callable[[str], None]) -> None:
    """Ask, and open the session again without its recording; `say` that there is none."""
    opened, request = review.open, review.request
    if opened is None or request is None or opened.looking_only:
        return
    folder = opened.session.folder
    if not (size := _size(folder)):
        say(_(NO_RECORDING))
        return
    dialog = DeleteRecordingDialog(size, window)
    # What reads the recording is closed first: begun again, the review waits for that.
    dialog.accepted.connect(lambda: review.begin(replace(request, path=folder), lambda: _delete(folder)))
    dialog.open()


class DeleteRecordingDialog(QDialog):
    """Says how much it frees, and what is lost."""

    def __init__(self, size: int, parent: QWidget) -> None:
        """Ask about a recording of so many bytes; `open` shows it."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Delete the recording"))
        self.question = PlainLabel(
            _(
                "Delete the recording of this session? That frees {size} MB. Planes, pictures and clips "
                "stay; the other frames of the scan are gone for good. The session's log will say so.",
                size=decimal(size / 1e6, 1, grouped=True),
            )
        )
        self.question.setWordWrap(True)
        self.keep = button(_("Keep it  (Esc)"), self.reject)
        self.keep.setDefault(True)
        self.delete = button(_("&Delete the recording"), self.accept)
        layout = QVBoxLayout(self)
        layout.addWidget(self.question)
        layout.addLayout(side_by_side(self.keep, self.delete))
        self.setMinimumWidth(round(30 * theme.em(self)))
        self.keep.setFocus()


def _size(folder: Path) -> int:
    """Of the recording's videos together, bytes."""
    return sum(video.stat().st_size for video in videos_there(folder))


def _delete(folder: Path) -> Path:
    with Session.open(folder) as session:
        session.delete_recordings()
    return folder
