"""Confidence of each plane over the last 20 s, with the threshold and marks where a plane was saved."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.live.traces_data import WINDOW_S, TraceHistory
from app.widgets import theme
from semc_core.model.spec import ModelSpec
from semc_core.types import FrameResult, SavedPlane

_MARK_PX: Final = 11
_DASHES: Final = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class Legend(QWidget):
    """Colour, name and confidence of each plane, in columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colours: dict[str, str] = {}
        self._percents: tuple[int, ...] = ()

    def sizeHint(self) -> QSize:
        """One line for every three planes."""
        rows = max(2, -(-len(self._colours) // 3))
        return QSize(round(16 * theme.em(self)), round(rows * 1.25 * theme.em(self)))

    def set_planes(self, colours: dict[str, str]) -> None:
        """Begin anew with these planes."""
        self._colours, self._percents = colours, (0,) * len(colours)
        self.updateGeometry()
        self.update()

    def set_percents(self, percents: tuple[int, ...]) -> None:
        """Confidences in the order of the planes."""
        if percents != self._percents:
            self._percents = percents
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Three columns."""
        painter, em = QPainter(self), theme.em(self)
        wide, high = self.width() / 3, 1.25 * em
        for i, ((name, colour), percent) in enumerate(
            zip(self._colours.items(), self._percents, strict=True)
        ):
            box = QRectF(i % 3 * wide, i // 3 * high, wide - 0.6 * em, high)
            painter.fillRect(
                QRectF(box.left(), box.center().y() - 0.1 * em, 0.8 * em, 0.2 * em), QColor(colour)
            )
            text = box.adjusted(1.1 * em, 0, 0, 0)
            painter.setPen(QColor(theme.TEXT if percent >= 50 else theme.DIM))
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(text, Qt.AlignmentFlag.AlignLeft | middle, name)
            painter.drawText(text, Qt.AlignmentFlag.AlignRight | middle, f"{percent}%")
        painter.end()


class TracesView(QWidget):
    """The plot and its legend. Draws only in `refresh`; the caller says how often."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = TraceHistory()
        self._marks: tuple[SavedPlane, ...] = ()
        self._colours: dict[str, str] = {}
        self._columns: list[int] = []
        self._changed = False
        self._plot = pg.PlotWidget(background=theme.PANEL)
        self._prepare_plot()
        self._curves: list[Any] = []
        self._threshold = pg.InfiniteLine(
            angle=0, pen=pg.mkPen(theme.DIM, width=1, style=Qt.PenStyle.DashLine), movable=False
        )
        self._scatter = pg.ScatterPlotItem(pxMode=True, antialias=False)
        # PyQtGraph keeps a picture of every brush and pen object it has ever been given.
        self._mark_pen = pg.mkPen(theme.TEXT, width=1)
        self._mark_brushes: dict[str, Any] = {}
        self._plot.addItem(self._scatter)
        self._legend = Legend()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot, 1)
        layout.addWidget(self._legend)

    def _prepare_plot(self) -> None:
        item = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.disableAutoRange()
        item.setRange(xRange=(-WINDOW_S, 0), yRange=(0, 1), padding=0)
        item.setClipToView(True)
        for side, ticks in (
            ("left", [(0, "0"), (0.5, "50%"), (1, "100%")]),
            ("bottom", [(-20, "-20 s"), (-15, "-15"), (-10, "-10"), (-5, "-5"), (0, "now")]),
        ):
            axis = item.getAxis(side)
            axis.setTicks([ticks])
            axis.setPen(theme.BORDER)
            axis.setTextPen(theme.DIM)
            axis.setStyle(tickLength=4, hideOverlappingLabels=False)
        item.getAxis("left").setWidth(round(3.2 * theme.em(self)))
        item.layout.setContentsMargins(0, 6, round(1.5 * theme.em(self)), 0)
        for each in (self._plot, self._plot.viewport()):
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A mark at 100 % is seen whole, however low the plot is."""
        high_px = max(1.0, self._plot.getPlotItem().getViewBox().height())
        top = 1 + 0.6 * _MARK_PX / max(_MARK_PX, high_px)
        self._plot.getPlotItem().setYRange(0, top, padding=0)

    @property
    def marks(self) -> tuple[SavedPlane, ...]:
        """The saved planes that are marked."""
        return self._marks

    @property
    def symbols_drawn(self) -> int:
        """How many pictures of marks PyQtGraph keeps."""
        return len(self._scatter.fragmentAtlas)

    def begin(self, spec: ModelSpec | None, threshold: float | None = None) -> None:
        """Begin anew with this model; None knows no planes yet."""
        self._history.clear()
        self._marks = ()
        for curve in self._curves:
            self._plot.removeItem(curve)
        self._plot.removeItem(self._threshold)
        self._colours = theme.plane_colours(() if spec is None else spec.planes)
        self._columns = [] if spec is None else [spec.classes.index(name) for name in self._colours]
        self._mark_brushes = {name: pg.mkBrush(colour) for name, colour in self._colours.items()}
        self._curves = []
        for i, colour in enumerate(self._colours.values()):
            dash = _DASHES[i // 6 % len(_DASHES)]
            curve = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1, style=dash), antialias=False)
            self._curves.append(curve)
            self._plot.addItem(curve)
        if threshold is not None:
            self._threshold.setPos(threshold)
            self._plot.addItem(self._threshold)
        self._legend.set_planes(self._colours)
        self._changed = True

    def add(self, result: FrameResult) -> None:
        """Take the next result; nothing is drawn yet."""
        self._history.add(result.packet.pts_s, result.smoothed)
        self._changed = True

    def mark(self, planes: tuple[SavedPlane, ...]) -> None:
        """Mark where these planes were saved; one that was not written is not marked."""
        self._marks = tuple(plane for plane in planes if plane.png is not None)
        self._changed = True

    def refresh(self) -> None:
        """Draw what has changed."""
        if not self._changed:
            return
        self._changed = False
        times, values = self._history.curves()
        known = values.shape[1] if values.size else 0
        for curve, column in zip(self._curves, self._columns, strict=True):
            if column < known:
                curve.setData(times, values[:, column])
            else:
                curve.clear()
        newest = self._history.newest_s
        shown = [p for p in self._marks if p.plane in self._colours and 0 <= newest - p.time_s <= WINDOW_S]
        self._scatter.setData(
            [
                {
                    "pos": (p.time_s - newest, min(p.confidence, 0.99)),
                    "symbol": "s" if p.by_hand else "o",
                    "size": _MARK_PX,
                    "brush": self._mark_brushes[p.plane],
                    "pen": self._mark_pen,
                }
                for p in shown
            ]
        )
        if known:
            last = np.round(values[-1] * 100).astype(int)
            self._legend.set_percents(tuple(int(last[column]) for column in self._columns))
