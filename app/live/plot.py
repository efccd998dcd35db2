"""The curves of the traces with their axes: what PyQtGraph draws. Loaded when there is a curve to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent

from app.live.traces_data import WINDOW_S
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from semc_core.language import _
from semc_core.types import SavedPlane

_MARK_PX: Final = 11
_DASHES: Final = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


@told_as(Role.Chart)
class TracesPlot(pg.PlotWidget):  # type: ignore[misc]  # PyQtGraph has no types
    """Draws what it is told, over the last 20 s."""

    def __init__(self) -> None:
        super().__init__(background=theme.PANEL)
        self._prepare()
        self.setAccessibleName(_("Confidence over the last 20 s"))
        self._curves: list[Any] = []
        self._threshold = pg.InfiniteLine(
            angle=0, pen=pg.mkPen(theme.DIM, width=1, style=Qt.PenStyle.DashLine), movable=False
        )
        self._scatter = pg.ScatterPlotItem(pxMode=True, antialias=False)
        # PyQtGraph keeps a picture of every brush and pen object it has ever been given.
        self._mark_pen = pg.mkPen(theme.TEXT, width=1)
        self._mark_brushes: dict[str, Any] = {}
        self.addItem(self._scatter)

    def _prepare(self) -> None:
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.disableAutoRange()
        item.setRange(xRange=(-WINDOW_S, 0), yRange=(0, 1), padding=0)
        item.setClipToView(True)
        for side, ticks in (
            ("left", [(0, "0"), (0.5, "50%"), (1, "100%")]),
            ("bottom", [(-20, "-20 s"), (-15, "-15"), (-10, "-10"), (-5, "-5"), (0, _("now"))]),
        ):
            axis = item.getAxis(side)
            axis.setTicks([ticks])
            axis.setPen(theme.BORDER)
            axis.setTextPen(theme.DIM)
            axis.setStyle(tickLength=4, hideOverlappingLabels=False)
        item.getAxis("left").setWidth(round(3.2 * theme.em(self)))
        item.layout.setContentsMargins(0, 6, round(1.5 * theme.em(self)), 0)
        for each in (self, self.viewport()):
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A mark at 100 % is seen whole, however low the plot is."""
        super().resizeEvent(event)
        item = self.getPlotItem()
        if item is not None:  # while it is made there is none
            high_px = max(1.0, item.getViewBox().height())
            item.setYRange(0, 1 + 0.6 * _MARK_PX / max(_MARK_PX, high_px), padding=0)

    @property
    def symbols_drawn(self) -> int:
        """How many pictures of marks PyQtGraph keeps."""
        return len(self._scatter.fragmentAtlas)

    def begin(self, colours: dict[str, str], threshold: float | None) -> None:
        """Begin anew with a curve for each of these planes, in these colours."""
        for curve in self._curves:
            self.removeItem(curve)
        self.removeItem(self._threshold)
        self._mark_brushes = {name: pg.mkBrush(colour) for name, colour in colours.items()}
        self._curves = []
        for i, colour in enumerate(colours.values()):
            dash = _DASHES[i // 6 % len(_DASHES)]
            curve = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1, style=dash), antialias=False)
            self._curves.append(curve)
            self.addItem(curve)
        if threshold is not None:
            self._threshold.setPos(threshold)
            self.addItem(self._threshold)

    def draw_curves(self, times: NDArray[np.float64], values: Sequence[NDArray[np.floating] | None]) -> None:
        """Draw a curve for each plane over `times`; None draws none."""
        for curve, of_plane in zip(self._curves, values, strict=True):
            if of_plane is None:
                curve.clear()
            else:
                curve.setData(times, of_plane)

    def draw_marks(self, planes: Sequence[SavedPlane], now_s: float) -> None:
        """Mark these planes, where `now_s` is at the right end."""
        self._scatter.setData(
            [
                {
                    "pos": (p.time_s - now_s, min(p.confidence, 0.99)),
                    "symbol": "s" if p.by_hand else "o",
                    "size": _MARK_PX,
                    "brush": self._mark_brushes[p.plane],
                    "pen": self._mark_pen,
                }
                for p in planes
            ]
        )
