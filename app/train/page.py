"""The page on which a model is trained: what it learns from, its curves, and whether it is used.

It draws and says what is clicked; the controller decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.train.install_panel import InstallPanel
from app.train.presenter import Curves, TrainView
from app.widgets import theme
from app.widgets.forms import Scrolling, button, empty_out, panel
from app.widgets.plain import PlainLabel, plain_tip
from app.widgets.wrapping import WrapRow

_UNITS = ("minutes", "rounds")


@dataclass(frozen=True, slots=True)
class DataChoice:
    """One thing to learn from.

    Attributes:
        place: As `semc train --data` takes it.
        text: For people.
        chosen: Whether it is ticked at first.
        able: Whether it can be ticked.
    """

    place: str
    text: str
    chosen: bool = True
    able: bool = True


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
        self._data = QVBoxLayout()
        self.length = QDoubleSpinBox()
        self.unit = QComboBox()
        self.go_on = QCheckBox("Start from the model in use")
        self._add_folder = button("Add a folder …", self.folder_wanted.emit)
        self.start = button("Start training", self.start_wanted.emit)
        self.stop = button("Stop", self.stop_wanted.emit)
        self.resume = button("Go on", self.resume_wanted.emit)
        self.fault = PlainLabel()
        self.title, self.detail = PlainLabel(), PlainLabel()
        self.bar = QProgressBar()
        self.install = InstallPanel()
        self.curves = TrainCurves()
        self.compared = PlainLabel()
        self.use = button("Use the new model", self.use_wanted.emit)
        self.force = button("Use it anyway", self.force_wanted.emit)
        self.rollback = button("Go back to the model before", self.rollback_wanted.emit)
        self._versions = QVBoxLayout()
        self._build()

    def show_data(self, choices: Sequence[DataChoice]) -> None:
        """Offer these; one that was there keeps its tick."""
        before = {place: tick.isChecked() for place, tick in self.ticks.items() if tick.isEnabled()}
        empty_out(self._data)
        self.ticks = {}
        for choice in choices:
            tick = QCheckBox(choice.text)
            tick.setToolTip(plain_tip(choice.place))
            tick.setEnabled(choice.able)
            tick.setChecked(choice.able and before.get(choice.place, choice.chosen))
            self.ticks[choice.place] = tick
            self._data.addWidget(tick)
        # It is where it belongs, before the length: they go after it, and it after them.
        _tab_through((self._add_folder, *self.ticks.values(), self._add_folder))

    @property
    def chosen(self) -> tuple[str, ...]:
        """What is ticked."""
        return tuple(place for place, tick in self.ticks.items() if tick.isChecked() and tick.isEnabled())

    @property
    def minutes(self) -> float | None:
        """How long to train; None if it is given in rounds."""
        return self.length.value() if self.unit.currentText() == _UNITS[0] else None

    @property
    def rounds(self) -> float | None:
        """How often to see every picture; None if it is given in minutes."""
        return self.length.value() if self.unit.currentText() == _UNITS[1] else None

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

    def show_comparison(self, text: str, can_use: bool, can_force: bool) -> None:
        """What came out against the model in use, and which buttons there are."""
        self.compared.setText(text)
        self.use.setVisible(can_use)
        self.force.setVisible(can_force)

    def show_models(self, rows: Sequence[ModelRow], can_go_back: bool) -> None:
        """List the user's models, newest first."""
        empty_out(self._versions)
        buttons = []
        for row in rows:
            line = QHBoxLayout()
            mark = PlainLabel("In use" if row.in_use else "")
            mark.setObjectName("heading")
            mark.setMinimumWidth(round(4.5 * theme.em(self)))
            line.addWidget(mark)
            about = PlainLabel(row.text)
            about.setWordWrap(True)
            line.addWidget(about, 1)
            use = button("Use", partial(self.version_wanted.emit, row.number))
            use.setVisible(not row.in_use)
            line.addWidget(use)
            buttons.append(use)
            holder = QWidget()
            line.setContentsMargins(0, 0, 0, 0)
            holder.setLayout(line)
            self._versions.addWidget(holder)
        self.rollback.setEnabled(can_go_back)
        _tab_through((self.stop, *buttons))

    def _build(self) -> None:
        self.length.setRange(1, 10_000)
        self.length.setDecimals(0)
        self.length.setValue(45)
        self.unit.addItems(_UNITS)
        self.length.setAccessibleName("Length of the training")
        self.unit.setAccessibleName("Unit of the length")
        self.unit.setToolTip("A round sees every picture once.")
        self.go_on.setChecked(True)
        self.go_on.setToolTip("Learns faster from few pictures, and forgets less of what the model knows.")
        high = self.start.sizeHint().height()
        for field in (self.length, self.unit):
            field.setMinimumHeight(high)
        for label in (self.detail, self.compared, self.fault):
            label.setWordWrap(True)
        self.fault.setStyleSheet(f"color: {theme.FAULT};")
        self.fault.hide()
        self.title.setFont(theme.scaled_font(self.font(), 1.2, bold=True))
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the training")
        self.bar.setMaximumHeight(round(0.6 * theme.em(self)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(round(0.8 * theme.em(self)))
        row.addWidget(self._left(), 4)
        right = QVBoxLayout()
        right.addWidget(self.install)
        self._progress = self._progress_card()
        right.addWidget(self._progress, 1)
        row.addLayout(right, 6)

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

    def _data_card(self) -> QFrame:
        card, layout = panel(self, "Train a model", "What it learns from. Nothing leaves this computer.")
        layout.addLayout(self._data)
        layout.addWidget(WrapRow(self._add_folder))
        layout.addWidget(WrapRow(PlainLabel("For"), self.length, self.unit))
        layout.addWidget(self.go_on)
        layout.addWidget(WrapRow(self.start, self.resume, self.stop))
        layout.addWidget(self.fault)
        return card

    def _progress_card(self) -> QFrame:
        card, layout = panel(self, "")
        layout.addWidget(self.title)
        layout.addWidget(self.detail)
        layout.addWidget(self.bar)
        layout.addWidget(self.curves, 1)
        layout.addWidget(self.compared)
        layout.addWidget(WrapRow(self.use, self.force))
        layout.addStretch(0)
        return card

    def _models_card(self) -> QFrame:
        card, layout = panel(self, "Your models", "A new scan uses the one in use.")
        layout.addLayout(self._versions)
        layout.addWidget(WrapRow(self.rollback))
        return card


def _tab_through(widgets: Sequence[QWidget]) -> None:
    """Tab goes from the first to the others: what is put into a page later would come last."""
    for one, following in pairwise(widgets):
        QWidget.setTabOrder(one, following)


_F1: Final = "#2fc48d"
_ACCURACY: Final = "#56b4e9"


class TrainCurves(QWidget):
    """Two plots side by side over the steps. Draws only in `show_curves`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loss, self._score = pg.PlotWidget(background=theme.PANEL), pg.PlotWidget(background=theme.PANEL)
        for plot in (self._loss, self._score):
            _prepare(plot, round(3.2 * theme.em(self)))
        self._score.getPlotItem().setYRange(0, 1, padding=0.03)
        self._score.getPlotItem().getAxis("left").setTicks([[(0, "0"), (0.5, "50%"), (1, "100%")]])
        self._raw = _curve(self._loss, theme.BORDER, 1)
        self._smooth = _curve(self._loss, theme.ACCENT, 2)
        self._f1, self._accuracy = _curve(self._score, _F1, 2, "o"), _curve(self._score, _ACCURACY, 2, "s")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(_titled("Loss over the steps", self._loss))
        self._loss.setToolTip("It rises at first: pictures are compared with more and more others.")
        words = (
            f"Validation: <span style='color:{_F1}'>● F1</span> "
            f"<span style='color:{_ACCURACY}'>■ accuracy</span>"
        )
        row.addLayout(_titled(words, self._score))
        self.hide()

    def show_curves(self, curves: Curves) -> None:
        """Draw these; nothing is shown while there are none."""
        self.setVisible(bool(curves.steps))
        self._raw.setData(curves.steps, curves.losses)
        self._smooth.setData(curves.steps, curves.smooth)
        self._f1.setData(curves.validated, curves.f1s)
        self._accuracy.setData(curves.validated, curves.accuracies)

    @property
    def points(self) -> tuple[int, int]:
        """How many points there are of the loss and of the validations."""
        return _count(self._smooth), _count(self._f1)


def _prepare(plot: Any, left: int) -> None:
    item = plot.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setMouseEnabled(False, False)
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        axis.setPen(theme.BORDER)
        axis.setTextPen(theme.DIM)
        axis.enableAutoSIPrefix(False)
    item.getAxis("left").setWidth(left)
    for each in (plot, plot.viewport()):
        each.setFocusPolicy(Qt.FocusPolicy.NoFocus)


def _curve(plot: Any, colour: str, width: int, symbol: str | None = None) -> Any:
    curve = pg.PlotDataItem(
        pen=pg.mkPen(colour, width=width),
        symbol=symbol,
        symbolSize=7,
        symbolBrush=pg.mkBrush(colour),
        symbolPen=None,
    )
    plot.addItem(curve)
    return curve


def _titled(words: str, plot: QWidget) -> QVBoxLayout:
    label = PlainLabel(words)
    # The program's own words, with colours.
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setObjectName("dim")
    column = QVBoxLayout()
    column.addWidget(label)
    column.addWidget(plot, 1)
    return column


def _count(curve: Any) -> int:
    return 0 if curve.xData is None else len(curve.xData)
