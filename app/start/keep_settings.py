"""How long sessions are kept, a row on the start page."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.widgets.fitted import FittedBox
from app.widgets.forms import side_by_side, tell_choice
from app.widgets.plain import PlainLabel
from semc_core.language import N_, _
from semc_core.session.erasing.rule import Retention

CHOICES: Final = (
    Retention(),
    *(Retention(days=days) for days in (30, 90, 365)),
    *(Retention(most_bytes=gb * 10**9) for gb in (50, 200, 1000)),
)

_BY_DAYS: Final = N_(
    "Each time the program starts it deletes sessions that nobody changed for {days} days, with pictures and "
    "recordings, for good. A session that was never exported, is open or cannot be read stays."
)
_BY_SIZE: Final = N_(
    "Each time the program starts it deletes the oldest sessions while all are larger than {size} GB, with "
    "pictures and recordings, for good. A session that was never exported, is open or cannot be read stays."
)
_BOTH: Final = N_(
    "Each time the program starts it deletes sessions that nobody changed for {days} days and the oldest "
    "sessions while all are larger than {size} GB, with pictures and recordings, for good. A session that "
    "was never exported, is open or cannot be read stays."
)


def title(rule: Retention) -> str:
    """ "for ever", "90 days", "up to 50 GB"."""
    parts = []
    if rule.days is not None:
        parts.append(_("{days} days", days=f"{rule.days:g}"))
    if rule.most_bytes is not None:
        parts.append(_("up to {size} GB", size=_gigabytes(rule)))
    return ", ".join(parts) or _("for ever")


def sentence(rule: Retention) -> str:
    """What becomes of sessions; "" where they are kept for ever."""
    if rule.days is None and rule.most_bytes is None:
        return ""
    text = _BOTH
    if rule.days is None or rule.most_bytes is None:
        text = _BY_SIZE if rule.days is None else _BY_DAYS
    return _(text, days="" if rule.days is None else f"{rule.days:g}", size=_gigabytes(rule))


def _gigabytes(rule: Retention) -> str:
    return "" if rule.most_bytes is None else f"{rule.most_bytes / 1e9:g}"


class KeepSettings(QWidget):
    """A choice, and what it means.

    Signals:
        chosen: A `Retention`, from the next start on.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = FittedBox()
        self.choice.setAccessibleName(_("How long sessions are kept"))
        self.choice.setMinimumHeight(QPushButton().sizeHint().height())
        tell_choice(self.choice)
        self._offered: list[Retention] = []
        self._meaning, self._done = PlainLabel(), PlainLabel()
        label = PlainLabel(_("Keep sessions"))
        label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(side_by_side(label, self.choice, stretch=1))
        for each in (self._meaning, self._done):
            each.setObjectName("dim")
            each.setWordWrap(True)
            each.hide()
            column.addWidget(each)
        self.choice.activated.connect(self._choose)
        self.show_rule(Retention())

    @property
    def text(self) -> str:
        """What it says below the choice."""
        return "\n".join(filter(None, (self._meaning.text(), self._done.text())))

    def show_rule(self, rule: Retention) -> None:
        """Show this as chosen; one that is not among those offered is offered, too."""
        self._offered = [*CHOICES, *([] if rule in CHOICES else [rule])]
        self.choice.clear()
        for each in self._offered:
            self.choice.addItem(title(each))
        self.choice.setCurrentIndex(self._offered.index(rule))
        self._say(self._meaning, sentence(rule))

    def show_done(self, text: str) -> None:
        """What was deleted at this start; "" for nothing."""
        self._say(self._done, text)

    def _choose(self, at: int) -> None:
        self._say(self._meaning, sentence(self._offered[at]))
        self.chosen.emit(self._offered[at])

    @staticmethod
    def _say(label: PlainLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))
