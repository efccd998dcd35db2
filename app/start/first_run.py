"""What stands on the start page until something was opened for the first time: three things to try."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.forms import button, panel
from app.widgets.plain import PlainLabel
from semc_core.language import _

TEST_PATIENT: Final = 2007
"""Of the simulated ones: no model of ours was trained on it."""


class FirstRun(QWidget):
    """A card with a button for each, and beside it what is seen then.

    Signals:
        demonstration_wanted: The loop of real planes that ships with the program is to be reviewed.
        chosen: What `semc_core.sources.open.open_source` understands.
        file_wanted: A file is to be chosen.
    """

    demonstration_wanted = Signal()
    chosen = Signal(str)
    file_wanted = Signal()

    def __init__(self, owner: QWidget, file: QPushButton) -> None:
        """Hidden at first.

        Args:
            owner: The page.
            file: The button that asks for a file; who made it says on it which key does the same.
        """
        super().__init__()
        file.clicked.connect(self.file_wanted)
        review = button(_("Review real planes"), self.demonstration_wanted.emit)
        scan = button(_("Watch a simulated scan"), lambda: self.chosen.emit(f"simulated:{TEST_PATIENT}"))
        card, layout = panel(owner, _("New here? Three things to try"))
        card.setAccessibleName(_("Three things to try"))
        self._rows = QGridLayout()
        self._rows.setColumnStretch(1, 1)
        self._rows.setHorizontalSpacing(round(0.8 * theme.em(owner)))
        self._add(
            review,
            _("Eleven planes of fetuses, named by the fetal model, which learned from them; correct a name."),
        )
        self._add(
            scan, _("An upper abdomen: planes are found and saved while it runs. No scanner is needed.")
        )
        self._add(file, _("A loop of your own, a video or DICOM, played as if it were live."))
        layout.addLayout(self._rows)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(card)
        self.hide()

    def _add(self, what: QPushButton, about: str) -> None:
        label = PlainLabel(about)
        label.setObjectName("dim")
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        what.setAccessibleDescription(about)
        row = self._rows.rowCount()
        self._rows.addWidget(what, row, 0)
        self._rows.addWidget(label, row, 1)
