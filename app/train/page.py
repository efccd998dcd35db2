"""The page on which a model is trained: what it learns from, its curves, and whether it is used.

It draws and says what is clicked; the controller decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app.train.data import DataChoice
from app.train.figures import FigureRow, Figures
from app.train.install_panel import InstallPanel
from app.train.presenter import Curves, TrainView
from app.widgets import theme
from app.widgets.fitted import FittedBox
from app.widgets.forms import Scrolling, button, empty_out, panel
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.still_bar import StillBar
from app.widgets.wrapping import WrapRow
from semc_core.language import N_, _

if TYPE_CHECKING:
    from app.train.plots import TrainPlots

_UNITS = (N_("minutes"), N_("rounds"))


@dataclass(frozen=True, slots=True)
class Form:
    """What is chosen for a training.

    Attributes:
        chosen: Places to learn from.
        length: How long.
        in_rounds: Whether that is in rounds, not in minutes.
        go_on: Whether it starts from the model in use.
    """

    chosen: tuple[str, ...]
    length: float
    in_rounds: bool
    go_on: bool


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One of the user's models.

    Attributes:
        number: Of the version; 0 came with the program.
        text: When it was taken in, and how good it was.
        in_use: Whether it is.
    """

    number: int
    text: str
    in_use: bool


class TrainPage(QWidget):
    """The page.

    Signals:
        start_wanted, stop_wanted, resume_wanted: The button was clicked.
        folder_wanted: A folder to learn from is to be chosen.
        use_wanted: The new model is to be used.
        force_wanted: It is to be used although it is refused.
        version_wanted: The number of the model to use.
        rollback_wanted: The model before is to be used.
    """

    start_wanted = Signal()
    stop_wanted = Signal()
    resume_wanted = Signal()
    folder_wanted = Signal()
    use_wanted = Signal()
    force_wanted = Signal()
    version_wanted = Signal(int)
    rollback_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ticks: dict[str, QCheckBox] = {}
        self._choices: dict[str, DataChoice] = {}
        self._locked = False
        self._data = QVBoxLayout()
        self.apart = PlainLabel(
            _("Only one kind of scan is learned at a time: ticking one takes away the other.")
        )
        self.length = QDoubleSpinBox()
        self.unit = FittedBox()
        self.go_on = QCheckBox(_("Start from the model in use"))
        self._add_folder = button(_("Add a folder …"), self.folder_wanted.emit)
        self.start = button(_("Start training"), self.start_wanted.emit)
        self.stop = button(_("Stop"), self.stop_wanted.emit)
        self.resume = button(_("Go on"), self.resume_wanted.emit)
        self.fault = PlainLabel()
        self.title, self.about, self.detail = PlainLabel(), PlainLabel(), PlainLabel()
        self.bar = StillBar()
        self.install = InstallPanel()
        self.curves, self.figures = TrainCurves(), Figures()
        self.compared, self.announced = PlainLabel(), PlainLabel()
        self.compare = button(_("Compare"), self._show_figures)
        self.use = button(_("Use the new model"), self.use_wanted.emit)
        self.force = button(_("Use it anyway"), self.force_wanted.emit)
        self.rollback = button(_("Go back to the model before"), self.rollback_wanted.emit)
        self.back = PlainLabel()
        self._versions = QVBoxLayout()
        self._build()

    def show_data(self, choices: Sequence[DataChoice]) -> None:
        """Offer these; one that was there keeps its tick."""
        before = {place: tick.isChecked() for place, tick in self.ticks.items() if tick.isEnabled()}
        empty_out(self._data)
        self.ticks, self._choices = {}, {choice.place: choice for choice in choices}
        for choice in choices:
            tick = QCheckBox(choice.text)
            tick.setToolTip(plain_tip(choice.tip or choice.place))
            tick.setEnabled(choice.able and not self._locked)
            tick.setChecked(choice.able and before.get(choice.place, choice.chosen))
            tick.toggled.connect(partial(self._take_away_others, choice))
            self.ticks[choice.place] = tick
            self._data.addWidget(tick)
        for choice in choices:
            # What the person ticked stays, not what is offered since.
            self._take_away_others(choice, before.get(choice.place, False))
        self.apart.setVisible(any(choice.apart for choice in choices))
        # It is where it belongs, before the length: they go after it, and it after them.
        _tab_through((self._add_folder, *self.ticks.values(), self._add_folder))

    def _take_away_others(self, choice: DataChoice, on: bool) -> None:
        for place in choice.apart if on else ():
            if place in self.ticks:
                self.ticks[place].setChecked(False)

    def show_form(self, form: Form) -> None:
        """Show what another training was given."""
        for place, tick in self.ticks.items():
            tick.setChecked(place in form.chosen)
        self.length.setValue(form.length)
        self.unit.setCurrentIndex(int(form.in_rounds))
        self.go_on.setChecked(form.go_on)

    def lock(self, locked: bool) -> None:
        """The form only shows what the training that runs was given; or it may be filled again."""
        if locked == self._locked:
            return
        self._locked = locked
        for place, tick in self.ticks.items():
            tick.setEnabled(self._choices[place].able and not locked)
        for field in (self._add_folder, self.length, self.unit, self.go_on):
            field.setEnabled(not locked)

    @property
    def chosen(self) -> tuple[str, ...]:
        """What is ticked."""
        return tuple(place for place, tick in self.ticks.items() if tick.isChecked() and tick.isEnabled())

    @property
    def minutes(self) -> float | None:
        """How long to train; None if it is given in rounds."""
        return self.length.value() if self.unit.currentIndex() == 0 else None

    @property
    def rounds(self) -> float | None:
        """How often to see every picture; None if it is given in minutes."""
        return self.length.value() if self.unit.currentIndex() == 1 else None

    def show_view(self, view: TrainView) -> None:
        """Show how the training goes."""
        self.title.setText(view.title)
        self.detail.setText(view.detail)
        name = {"fault": "fault", "notice": "notice"}.get(view.tone, "dim")
        if name != self.detail.objectName():
            self.detail.setObjectName(name)
            self.detail.setStyleSheet(f"color: {theme.FAULT};" if name == "fault" else "")
            self.detail.style().unpolish(self.detail)
            self.detail.style().polish(self.detail)
        self.bar.setVisible(view.bar is not None)
        unknown = view.bar is None or math.isnan(view.bar)
        self.bar.setRange(0, 0 if unknown else 1000)
        if view.bar is not None and not unknown:
            self.bar.setValue(round(1000 * view.bar))
        self.start.setEnabled(view.can_start)
        self.stop.setVisible(view.can_stop)
        self.resume.setVisible(view.can_resume)

    def show_installing(self, wanted: bool) -> None:
        """Show that packages are missing in place of how a training goes, or take it away."""
        self.install.setVisible(wanted)
        self._progress.setVisible(not wanted)

    def show_fault(self, text: str) -> None:
        """Say what could not be done; "" takes it away."""
        self.fault.setText(text)
        self.fault.setVisible(bool(text))

    def show_about(self, text: str) -> None:
        """Say what the training learns from, and with what; "" says nothing."""
        self.about.setText(text)
        self.about.setVisible(bool(text))

    def show_comparison(
        self,
        text: str,
        can_use: bool,
        can_force: bool,
        announced: str = "",
        figures: Sequence[FigureRow] = (),
    ) -> None:
        """What came out against the model in use, which buttons there are, and what using it would do.

        Args:
            text: What came out.
            can_use: It may be used.
            can_force: It is refused, and may be used all the same.
            announced: What happens when it is used, said before.
            figures: Both models side by side; none where they were not compared.
        """
        self.compared.setText(text)
        self.use.setVisible(can_use)
        self.force.setVisible(can_force)
        self.announced.setText(announced)
        self.announced.setVisible(bool(announced))
        self.compare.setVisible(bool(figures))
        self.compare.setChecked(self.compare.isChecked() and bool(figures))
        self.figures.show_rows(figures)
        self._show_figures()

    def _show_figures(self) -> None:
        """The figures stand in the place of the curves."""
        wanted = self.compare.isChecked()
        self.figures.setVisible(wanted)
        self.curves.cover(wanted)

    def show_models(self, rows: Sequence[ModelRow], can_go_back: bool, back: str = "") -> None:
        """List the user's models, newest first; `back` says what going back would do."""
        empty_out(self._versions)
        buttons = []
        for row in rows:
            holder = QWidget()
            line = QHBoxLayout(holder)  # a button that is shown without a parent would be a window
            mark = PlainLabel(_("In use") if row.in_use else "")
            mark.setObjectName("heading")
            mark.setMinimumWidth(round(4.5 * theme.em(self)))
            line.addWidget(mark)
            about = PlainLabel(row.text)
            about.setWordWrap(True)
            line.addWidget(about, 1)
            use = button(_("Use"), partial(self.version_wanted.emit, row.number))
            use.setAccessibleName(_("Use: {model}", model=row.text))
            line.addWidget(use)
            use.setVisible(not row.in_use)
            buttons.append(use)
            line.setContentsMargins(0, 0, 0, 0)
            self._versions.addWidget(holder)
        self.rollback.setEnabled(can_go_back)
        self.back.setText(back)
        self.back.setVisible(bool(back))
        _tab_through((self.stop, *buttons))

    def _build(self) -> None:
        self.length.setRange(1, 10_000)
        self.length.setDecimals(0)
        self.length.setValue(45)
        self.unit.addItems([_(unit) for unit in _UNITS])
        self.length.setAccessibleName(_("Length of the training"))
        self.unit.setAccessibleName(_("Unit of the length"))
        self.unit.setToolTip(_("A round sees every picture once."))
        self.go_on.setChecked(True)
        self.go_on.setToolTip(_("Learns faster from few pictures, and forgets less of what the model knows."))
        high = self.start.sizeHint().height()
        for field in (self.length, self.unit):
            field.setMinimumHeight(high)
        for label in (
            self.detail,
            self.compared,
            self.fault,
            self.about,
            self.announced,
            self.back,
            self.apart,
        ):
            label.setWordWrap(True)
        for label in (self.about, self.announced, self.back, self.apart):
            label.setObjectName("dim")
            label.hide()
        self.compare.setCheckable(True)
        self.compare.setToolTip(_("The figures of both models side by side, in place of the curves"))
        self.compare.hide()
        self.figures.hide()
        self.fault.setStyleSheet(f"color: {theme.FAULT};")
        self.fault.hide()
        self.title.setFont(theme.scaled_font(self.font(), 1.2, bold=True))
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress of the training"))
        self.bar.setMaximumHeight(round(0.6 * theme.em(self)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(round(0.8 * theme.em(self)))
        row.addWidget(self._left(), 4)
        row.addWidget(self._right(), 6)

    def _left(self) -> Scrolling:
        """What is learned from, above the models; scrolls in a small window."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(round(0.8 * theme.em(self)))
        column.addWidget(self._data_card())
        column.addWidget(self._models_card())
        column.addStretch(1)
        return Scrolling(holder)

    def _right(self) -> Scrolling:
        """How the training goes, or what it needs first; scrolls in a small window."""
        self._progress = self._progress_card()
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.install)
        column.addWidget(self._progress, 1)
        return Scrolling(holder)

    def _data_card(self) -> QFrame:
        card, layout = panel(
            self, _("Train a model"), _("What it learns from. Nothing leaves this computer.")
        )
        layout.addLayout(self._data)
        layout.addWidget(self.apart)
        layout.addWidget(WrapRow(self._add_folder))
        layout.addWidget(WrapRow(PlainLabel(_("For")), self.length, self.unit))
        layout.addWidget(self.go_on)
        layout.addWidget(WrapRow(self.start, self.resume, self.stop))
        layout.addWidget(self.fault)
        return card

    def _progress_card(self) -> QFrame:
        card, layout = panel(self, "")
        layout.addWidget(self.title)
        layout.addWidget(self.about)
        layout.addWidget(self.detail)
        layout.addWidget(self.bar)
        layout.addWidget(self.curves, 1)
        layout.addWidget(self.compared)
        layout.addWidget(self.figures)
        layout.addWidget(self.announced)
        layout.addWidget(WrapRow(self.use, self.force, self.compare))
        layout.addStretch(0)
        return card

    def _models_card(self) -> QFrame:
        card, layout = panel(self, _("Your models"), _("A new scan uses the one in use."))
        layout.addLayout(self._versions)
        layout.addWidget(self.back)
        layout.addWidget(WrapRow(self.rollback))
        return card


def _tab_through(widgets: Sequence[QWidget]) -> None:
    """Tab goes from the first to the others: what is put into a page later would come last."""
    for one, following in pairwise(widgets):
        QWidget.setTabOrder(one, following)


class TrainCurves(QWidget):
    """The curves, once there are some."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots: TrainPlots | None = None
        self._some = self._covered = False
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def show_curves(self, curves: Curves) -> None:
        """Draw these; nothing is shown while there are none."""
        some = self._some = bool(curves.steps or curves.validated)
        self.setVisible(some and not self._covered)
        if some and self._plots is None:
            from app.train.plots import TrainPlots  # PyQtGraph: a third of a second

            self._plots = TrainPlots()
            self._row.addWidget(self._plots)
        if self._plots is not None:
            self._plots.draw(curves)

    def cover(self, covered: bool) -> None:
        """Something else stands in their place, or no longer does."""
        self._covered = covered
        self.setVisible(self._some and not covered)

    @property
    def points(self) -> tuple[int, int]:
        """How many points there are of the loss and of the validations."""
        return (0, 0) if self._plots is None else self._plots.points

    @property
    def best(self) -> tuple[float, float] | None:
        """Step and F1 of the validation that is marked as the best; None if none is."""
        return None if self._plots is None else self._plots.best
