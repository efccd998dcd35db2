"""The figures of the new model and of the one in use, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QGridLayout, QWidget

from app.widgets import theme
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _, decimal, in_both
from semc_core.model.comparison import Comparison


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of both models, in words.

    Attributes:
        name: What is measured.
        new: Of the new model.
        old: Of the one in use.
        change: The difference, with its interval where there is one.
    """

    name: str
    new: str
    old: str
    change: str


def figure_rows(comparison: Comparison) -> tuple[FigureRow, ...]:
    """Both models side by side; none where they could not be compared."""
    new, old = comparison.candidate, comparison.current
    if old is None or comparison.difference is None:
        return ()
    change = _signed(comparison.difference)
    if comparison.low is not None and comparison.high is not None:
        change = _(
            "{change} ({low} to {high})",
            change=change,
            low=_signed(comparison.low),
            high=_signed(comparison.high),
        )
    others = (
        (_("Accuracy"), new.accuracy, old.accuracy),
        (_("Calibration error"), new.calibration_error, old.calibration_error),
    )
    return (
        FigureRow("F1", decimal(new.f1, 3), decimal(old.f1, 3), change),
        *(
            FigureRow(name, decimal(mine, 3), decimal(theirs, 3), _signed(mine - theirs))
            for name, mine, theirs in others
        ),
    )


def _signed(value: float) -> str:
    sign = "-" if round(value, 3) < 0 else "+"
    return in_both(lambda number: sign + number, decimal(abs(value), 3))


class Figures(QWidget):
    """A small table. Draws only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(_("Both models side by side"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(round(0.6 * theme.em(self)))
        self._grid.setColumnStretch(3, 1)
        self._rows: tuple[FigureRow, ...] = ()

    @property
    def rows(self) -> tuple[FigureRow, ...]:
        """What is shown."""
        return self._rows

    def show_rows(self, rows: Sequence[FigureRow]) -> None:
        """Show these."""
        if tuple(rows) == self._rows:
            return
        self._rows = tuple(rows)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        heads = ("", _("New model"), _("In use"), _("Difference (95 % interval)"))
        texts = [heads, *((row.name, row.new, row.old, row.change) for row in rows)]
        for line, cells in enumerate(texts):
            for column, text in enumerate(cells):
                label = PlainLabel(text, self)
                label.setWordWrap(line == 0 or column in (0, len(cells) - 1))
                label.setToolTip(plain_tip(text))
                if line == 0 or column == 0:
                    label.setObjectName("dim")
                self._grid.addWidget(label, line, column)
