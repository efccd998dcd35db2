"""The page on which a model is trained: what it learns from, how it goes, and whether it is used.

It draws and says what is clicked; `train_control` decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.train.curves import TrainCurves
from app.train.presenter import TrainView
from app.widgets import theme
from app.widgets.buttons import button
from app.widgets.layouts import empty_out, panel, side_by_side

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
        self.fault = QLabel()
        self.title, self.detail = QLabel(), QLabel()
        self.bar = QProgressBar()
        self.curves = TrainCurves()
        self.compared = QLabel()
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
            tick.setToolTip(choice.place)
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
            mark = QLabel("In use" if row.in_use else "")
            mark.setObjectName("heading")
            mark.setMinimumWidth(round(4.5 * theme.em(self)))
            line.addWidget(mark)
            line.addWidget(QLabel(row.text), 1)
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
        row.addWidget(self._progress_card(), 6)

    def _left(self) -> QScrollArea:
        """What is learned from, above the models; scrolls in a small window."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(round(0.8 * theme.em(self)))
        column.addWidget(self._data_card())
        column.addWidget(self._models_card())
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(holder)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(
            holder.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width()
        )
        return scroll

    def _data_card(self) -> QFrame:
        card, layout = panel(self, "Train a model", "What it learns from. Nothing leaves this computer.")
        layout.addLayout(self._data)
        layout.addLayout(side_by_side(self._add_folder))
        layout.addLayout(side_by_side(QLabel("For"), self.length, self.unit))
        layout.addWidget(self.go_on)
        layout.addLayout(side_by_side(self.start, self.resume, self.stop))
        layout.addWidget(self.fault)
        return card

    def _progress_card(self) -> QFrame:
        card, layout = panel(self, "")
        layout.addWidget(self.title)
        layout.addWidget(self.detail)
        layout.addWidget(self.bar)
        layout.addWidget(self.curves, 1)
        layout.addWidget(self.compared)
        layout.addLayout(side_by_side(self.use, self.force))
        layout.addStretch(0)
        return card

    def _models_card(self) -> QFrame:
        card, layout = panel(self, "Your models", "A new scan uses the one in use.")
        layout.addLayout(self._versions)
        layout.addLayout(side_by_side(self.rollback))
        return card


def _tab_through(widgets: Sequence[QWidget]) -> None:
    """Tab goes from the first to the others: what is put into a page later would come last."""
    for one, following in pairwise(widgets):
        QWidget.setTabOrder(one, following)
