"""The dialog of one capture card or stream: a card's modes, and how its pictures are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from app.scan_options import CardChoice
from app.start.controller import SourceLists
from app.start.recent import CardModes
from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import add_row, tell_choice
from app.widgets.plain import PlainLabel
from semc_core.language import N_, _
from semc_core.picture_options import PictureOptions, choices, picture_options
from semc_core.sources.devices.measured import in_words
from semc_core.types import CaptureInfo

_TITLES: Final = {
    "range": N_("Levels"),
    "aspect": N_("Shape"),
    "deinterlace": N_("Deinterlace"),
    "flip": N_("Flip"),
}
_VALUES: Final = {
    ("range", "auto"): N_("as the source says"),
    ("range", "full"): N_("full: black is 0, white 255"),
    ("range", "limited"): N_("limited: black is 16, white 235"),
    ("aspect", "auto"): N_("as the source says"),
    ("deinterlace", "auto"): N_("when it is marked"),
    ("deinterlace", "on"): N_("always"),
    ("deinterlace", "off"): N_("never"),
    ("flip", "none"): N_("not flipped"),
    ("flip", "horizontal"): N_("left and right"),
    ("flip", "vertical"): N_("top and bottom"),
    ("flip", "180"): N_("turned by 180 degrees"),
}

_NO_MODES: Final = N_("It does not tell its modes; the best that it grants is used.")


class CardMemory(Protocol):
    """Remembers what was chosen for each card."""

    def card(self, identity: str) -> CardChoice:
        """What was chosen last."""
        ...

    def remember_card(self, identity: str, choice: CardChoice) -> None:
        """Keep it."""
        ...


class Scan(Protocol):
    """Knows the card that is scanned from."""

    @property
    def capture(self) -> CaptureInfo | None:
        """What it was asked for and what it gives; None where no card is."""
        ...


class CardDialog(QDialog):
    """What the next scan asks of a card, and how its pictures are read.

    Attributes:
        mode: Its modes.
        fields: By the name of each picture option.
        note: What is waited for, or why there are no modes.
        given: What the card gives at the moment, measured.
        save: The button.
        over: It was closed: what comes now is too late.
    """

    def __init__(self, name: str, memory: CardMemory, parent: QWidget | None = None) -> None:
        """Make it; `show_card` says what the card has.

        Args:
            name: Of the card.
            memory: What was chosen before.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle(name)
        self._memory, self._identity = memory, ""
        self._choice = CardChoice()
        self.over = False
        self.mode = FittedBox()
        self.mode.setAccessibleName(_("Mode"))
        # A card may have modes with long names, which would push the words beside them away.
        self.mode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.mode.setMinimumContentsLength(24)
        tell_choice(self.mode)
        self.note = PlainLabel(_("Asking the card for its modes …"))
        self.note.setObjectName("dim")
        self.note.setWordWrap(True)
        self.fields = {field: QComboBox() for field in _TITLES}
        form = self._form = QFormLayout()
        add_row(form, _("Size, rate, format"), self.mode)
        form.addRow("", self.note)
        for field, box in self.fields.items():
            box.setAccessibleName(_(_TITLES[field]))
            for value in choices(field):
                box.addItem(_(_VALUES.get((field, value), value)), value)
            add_row(form, _(_TITLES[field]), box)
        self.given = PlainLabel()
        self.given.setWordWrap(True)
        self.given.hide()
        hint = self._hint = PlainLabel(
            _("Kept for this card, whatever its number is. From the next scan on.")
        )
        hint.setObjectName("dim")
        hint.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.addButton(QDialogButtonBox.StandardButton.Save)
        self.save.setEnabled(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.given)
        layout.addWidget(hint)
        layout.addWidget(buttons)
        self.setMinimumWidth(round(30 * theme.em(self)))
        self.accepted.connect(lambda: memory.remember_card(self._identity, self.choice))
        self.finished.connect(self._end)
        self._offer(())

    @property
    def choice(self) -> CardChoice:
        """What is chosen now."""
        return CardChoice(str(self.mode.currentData()), self._options())

    def show_card(self, card: CardModes, scanned: CaptureInfo | None) -> None:
        """Offer what the card has, and what was chosen for it before.

        Args:
            card: Its modes; none are known of some.
            scanned: What is known of the card that is scanned from, which may be another; or None.
        """
        if self.over:
            return
        self._identity, self._choice = card.identity, self._memory.card(card.identity)
        untold = not card.modes and not card.stream
        self.note.setText(_(_NO_MODES) if untold else "")
        self.note.setVisible(untold)
        if card.stream:
            self._form.setRowVisible(self.mode, False)
            kept = N_("Kept for {address}, whoever is named in it. From the next scan on.")
            self._hint.setText(_(kept, address=card.identity))
        self.mode.clear()
        self._offer(card.modes, card.best)
        for field, box in self.fields.items():
            box.setCurrentIndex(box.findData(getattr(self._choice.options, field)))
        if scanned is not None and scanned.device == card.identity and scanned.width:
            given = in_words(scanned.width, scanned.height, scanned.rate)
            text = N_("Now it gives {given}, measured; {asked} was asked for.")
            text = text if scanned.asked else N_("Now it gives {given}, measured; nothing was asked for.")
            self.given.setText(_(text, given=given, asked=scanned.asked))
            self.given.show()
        self.save.setEnabled(True)

    def show_fault(self, sentence: str) -> None:
        """Its modes cannot be had, and why."""
        if not self.over:
            self.note.setText(sentence)

    def _offer(self, modes: Sequence[str], best: str = "") -> None:
        kept = self.mode.currentData() if self.mode.count() else self._choice.mode
        self.mode.clear()
        self.mode.addItem(_("the best ({mode})", mode=best) if best else _("the best that it has"), "")
        for mode in dict.fromkeys([*modes, *([kept] if kept else [])]):
            self.mode.addItem(mode, mode)
        self.mode.setCurrentIndex(max(0, self.mode.findData(kept)))

    def _end(self) -> None:
        self.over = True
        self.deleteLater()

    def _options(self) -> PictureOptions:
        return picture_options({field: box.currentData() for field, box in self.fields.items()})


def choose_for_card(
    source: str,
    name: str,
    memory: CardMemory,
    lists: SourceLists,
    scan: Scan,
    parent: QWidget | None,
) -> CardDialog:
    """Let the user choose the mode of the card that `source` names, and how its pictures are read."""
    dialog = CardDialog(name, memory, parent)
    lists.look_at_card(source, lambda card: dialog.show_card(card, scan.capture), dialog.show_fault)
    dialog.open()
    return dialog
