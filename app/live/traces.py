"""Confidence of each plane over the last 20 s, with the threshold and marks where a plane was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.live.traces_data import WINDOW_S, TraceHistory
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.plain import plain_tip
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.types import FrameResult, SavedPlane

if TYPE_CHECKING:
    from app.live.plot import TracesPlot


@told_as(Role.StaticText)
class Legend(QWidget):
    """Colour, name and confidence of each plane, in columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colours: dict[str, str] = {}
        self._percents: tuple[int, ...] = ()
        self.setAccessibleName(_("Confidence of each plane"))

    def sizeHint(self) -> QSize:
        """One line for every three planes."""
        rows = max(2, -(-len(self._colours) // 3))
        return QSize(round(16 * theme.em(self)), round(rows * 1.25 * theme.em(self)))

    def set_planes(self, colours: dict[str, str]) -> None:
        """Begin anew with these planes."""
        self._colours, self._percents = colours, (0,) * len(colours)
        self.setToolTip(plain_tip(", ".join(colours)))  # a narrow one cuts the names
        self.updateGeometry()
        self.update()

    def set_percents(self, percents: tuple[int, ...]) -> None:
        """Confidences in the order of the planes."""
        if percents != self._percents:
            self._percents = percents
            self.update()

    def spoken(self) -> str:
        """Each plane's name and confidence."""
        return ", ".join(
            f"{name} {share}%" for name, share in zip(self._colours, self._percents, strict=True)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Three columns."""
        painter, em = QPainter(self), theme.em(self)
        wide, high = self.width() / 3, 1.25 * em
        for_number = painter.fontMetrics().horizontalAdvance("99%") + 0.3 * em
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
            room = round(text.width() - for_number)
            # In the middle: planes of one part of the body begin with the same word.
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(text, Qt.AlignmentFlag.AlignLeft | middle, shown)
            painter.drawText(text, Qt.AlignmentFlag.AlignRight | middle, f"{percent}%")
        painter.end()


def load_curves() -> None:
    """Load what draws them, before the first picture comes: the window stands still for a third of a second.

    On the window's thread: PyQtGraph asks for all of Qt's names, which crashed Qt beside another thread's.
    """
    import app.live.plot  # noqa: F401


class TracesView(QWidget):
    """The plot and its legend. Draws only in `refresh`; the caller says how often."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = TraceHistory()
        self._marks: tuple[SavedPlane, ...] = ()
        self._colours: dict[str, str] = {}
        self._columns: list[int] = []
        self._changed = False
        self._plot: TracesPlot | None = None
        self._legend = Legend()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addStretch(0)
        self._layout.addWidget(self._legend)

    @property
    def marks(self) -> tuple[SavedPlane, ...]:
        """The saved planes that are marked."""
        return self._marks

    @property
    def symbols_drawn(self) -> int:
        """How many pictures of marks are kept."""
        return 0 if self._plot is None else self._plot.symbols_drawn

    def begin(self, spec: ModelSpec | None, threshold: float | None = None) -> None:
        """Begin anew with this model; None knows no planes yet."""
        self._history.clear()
        self._marks = ()
        self._colours = theme.plane_colours(() if spec is None else spec.planes)
        self._columns = [] if spec is None else [spec.classes.index(name) for name in self._colours]
        if spec is not None and self._plot is None:
            from app.live.plot import TracesPlot  # PyQtGraph: a third of a second

            self._plot = TracesPlot()
            self._layout.insertWidget(0, self._plot, 1)
        if self._plot is not None:
            self._plot.begin(self._colours, threshold)
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
        if not self._changed or self._plot is None:
            return
        self._changed = False
        times, values = self._history.curves()
        known = values.shape[1] if values.size else 0
        columns = [values[:, column] if column < known else None for column in self._columns]
        self._plot.draw_curves(times, columns)
        newest = self._history.newest_s
        shown = [p for p in self._marks if p.plane in self._colours and 0 <= newest - p.time_s <= WINDOW_S]
        self._plot.draw_marks(shown, newest)
        if known:
            last = np.round(values[-1] * 100).astype(int)
            self._legend.set_percents(tuple(int(last[column]) for column in self._columns))
