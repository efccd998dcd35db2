"""The curves of a training: what PyQtGraph draws. Loaded when there is a curve to draw."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.train.presenter import Curves
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.plain import PlainLabel
from semc_core.language import _, decimal

_ACCURACY, _F1 = 1, 2
"""Among the colours of planes."""


told_as(Role.Chart)(pg.PlotWidget)


class TrainPlots(QWidget):
    """Two plots side by side over the steps. Draws only in `draw`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loss, self._score = pg.PlotWidget(background=theme.PANEL), pg.PlotWidget(background=theme.PANEL)
        for plot in (self._loss, self._score):
            _prepare(plot, round(3.2 * theme.em(self)))
        self._loss.setAccessibleName(_("Loss over the steps"))
        self._score.setAccessibleName(_("Validation: F1 and accuracy over the steps"))
        self._score.getPlotItem().setYRange(0, 1, padding=0.03)
        self._score.getPlotItem().getAxis("left").setTicks([[(0, "0"), (0.5, decimal(0.5, 1)), (1, "1")]])
        self._raw = _curve(self._loss, theme.BORDER, 1)
        self._smooth = _curve(self._loss, theme.ACCENT, 2)
        f1, accuracy = theme.PLANES[_F1], theme.PLANES[_ACCURACY]
        self._f1, self._accuracy = _curve(self._score, f1, 2, "o"), _curve(self._score, accuracy, 2, "s")
        self._best = pg.ScatterPlotItem(size=15, pen=pg.mkPen(theme.TEXT, width=2), brush=None)
        self._score.addItem(self._best)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(_titled(_("Loss over the steps"), self._loss))
        self._loss.setToolTip(_("It rises at first: pictures are compared with more and more others."))
        words = (
            _("Validation:") + f" <span style='color:{f1}'>● F1</span> "
            f"<span style='color:{accuracy}'>■ "
            + _("accuracy")
            + f"</span> <span style='color:{theme.TEXT}'>◯ "
            + _("best")
            + "</span>"
        )
        row.addLayout(_titled(words, self._score))

    def draw(self, curves: Curves) -> None:
        """Draw these."""
        self._raw.setData(curves.steps, curves.losses)
        self._smooth.setData(curves.steps, curves.smooth)
        self._f1.setData(curves.validated, curves.f1s)
        self._accuracy.setData(curves.validated, curves.accuracies)
        best = [] if curves.best is None else [curves.best]
        self._best.setData([curves.validated[each] for each in best], [curves.f1s[each] for each in best])

    @property
    def best(self) -> tuple[float, float] | None:
        """Step and F1 of the point that is marked as the best; None if none is."""
        steps, f1s = self._best.getData()
        return (float(steps[0]), float(f1s[0])) if len(steps) else None

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
