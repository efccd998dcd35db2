"""What stands on the page for training where its packages are not there: which, how large, and the button.

It draws and says what is clicked; the controller decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app.train.installation import InstallPhase, InstallState
from app.widgets import theme
from app.widgets.forms import button, panel
from app.widgets.plain import PlainLabel
from app.widgets.still_bar import StillBar
from app.widgets.wrapping import WrapRow
from semc_core.language import N_, _
from semc_core.text import readable

_ABOUT: Final = N_(
    "PyTorch, Lightning and what they need: about 6 GB of disk on Linux, less elsewhere. They come from "
    "where pip is set up to look, into the Python that runs this program. Scanning goes on meanwhile."
)
_IN_VAIN: Final = N_(
    "pip has installed what it was asked for, but this Python does not find it; close the program, and start "
    "it again."
)
_TITLES: Final = {
    InstallPhase.NONE: N_("Training needs more packages"),
    InstallPhase.RUNNING: N_("Installing what training needs …"),
    InstallPhase.CANCELLING: N_("Stopping …"),
    InstallPhase.CANCELLED: N_("Not installed: you stopped it. What has come is kept for the next time."),
    InstallPhase.DONE: N_("Still missing"),
    InstallPhase.FAILED: N_("Not installed"),
}


@dataclass(frozen=True, slots=True)
class InstallView:
    """What the panel shows.

    Attributes:
        title: One line.
        about: What is missing, what pip does now, or what went wrong.
        fault: Whether that is a fault.
        bar: 0-1; None hides the bar, NaN says that nobody knows how long it takes.
        can_install: Whether the button is there.
        can_cancel: The same of that which stops it.
    """

    title: str
    about: str
    fault: bool = False
    bar: float | None = None
    can_install: bool = True
    can_cancel: bool = False


def install_view(state: InstallState, refused: str = "") -> InstallView:
    """What the panel shows while packages are missing.

    Args:
        state: Of the installation.
        refused: Why the program cannot install anything here, in a sentence; "" if it can.
    """
    phase = state.phase
    working = phase in (InstallPhase.RUNNING, InstallPhase.CANCELLING)
    now = state.lines[-1] if working and state.lines else ""
    vain = phase is InstallPhase.DONE
    return InstallView(
        title=_(_TITLES[phase]),
        about=state.message or refused or now or _(_IN_VAIN if vain else _ABOUT),
        fault=vain or phase is InstallPhase.FAILED,
        bar=state.share if working else None,
        can_install=not working and not refused,
        can_cancel=phase is InstallPhase.RUNNING,
    )


class InstallPanel(QWidget):
    """The card.

    Signals:
        install_wanted, cancel_wanted: The button was clicked.
    """

    install_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.about = PlainLabel(), PlainLabel()
        self.bar = StillBar()
        self.install = button(_("Install"), self.install_wanted.emit)
        self.cancel = button(_("Stop"), self.cancel_wanted.emit)
        self.lines = QPlainTextEdit()
        self._shown: tuple[str, ...] = ()
        self._build()

    def show_view(self, view: InstallView, lines: Sequence[str]) -> None:
        """Show how the installation goes, and the last of what pip said."""
        self.title.setText(view.title)
        self.about.setText(view.about)
        self.about.setStyleSheet(f"color: {theme.FAULT};" if view.fault else "")
        unknown = view.bar is None or math.isnan(view.bar)
        self.bar.setVisible(view.bar is not None)
        self.bar.setRange(0, 0 if unknown else 1000)
        if view.bar is not None and not unknown:
            self.bar.setValue(round(1000 * view.bar))
        self.install.setVisible(view.can_install)
        self.cancel.setVisible(view.can_cancel)
        if tuple(lines) != self._shown:
            self._shown = tuple(lines)
            self.lines.setPlainText(readable("\n".join(lines)))
            self.lines.verticalScrollBar().setValue(self.lines.verticalScrollBar().maximum())
        self.lines.setVisible(bool(lines))

    def _build(self) -> None:
        self.title.setFont(theme.scaled_font(self.font(), 1.2, bold=True))
        for label in (self.title, self.about):
            label.setWordWrap(True)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress of the installation"))
        self.bar.setMaximumHeight(round(0.6 * theme.em(self)))
        self.lines.setReadOnly(True)
        self.lines.setUndoRedoEnabled(False)
        self.lines.setTabChangesFocus(True)
        self.lines.setAccessibleName(_("What pip says"))
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        card, layout = panel(self, "")
        layout.addWidget(self.title)
        layout.addWidget(self.about)
        layout.addWidget(self.bar)
        layout.addWidget(WrapRow(self.install, self.cancel))
        layout.addWidget(self.lines, 1)
        layout.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        for each in (self.bar, self.cancel, self.lines):
            each.hide()
