"""Which planes are handed over: a list of them with ticks, by mouse or by keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.export.presenter import plane_row
from app.widgets import theme
from app.widgets.forms import button, side_by_side
from semc_core.language import _
from semc_core.session.records import PlaneEntry

_ROWS: Final = 5
"""So many are seen at once; the others are scrolled to."""


class PlanesList(QWidget):
    """The planes of a session, all ticked at first. Up and Down go through them, Space ticks.

    Signals:
        changed: Another tick.
        looked_at: The place of a plane that is to be shown.
    """

    changed = Signal()
    looked_at = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setAccessibleName(_("Planes to export"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.all = button(_("All"), lambda: self._tick(True))
        self.none = button(_("None"), lambda: self._tick(False))
        for each, told in ((self.all, _("Tick all planes")), (self.none, _("Tick no plane"))):
            each.setObjectName("flat")
            each.setToolTip(told)
            each.setAccessibleName(told)
        self._planes: tuple[PlaneEntry, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(round(0.2 * theme.em(self)))
        column.addWidget(self.list)
        row = side_by_side(self.all, self.none)
        row.addStretch(1)
        column.addLayout(row)
        self.list.itemChanged.connect(lambda _item: self.changed.emit())
        self.list.currentRowChanged.connect(self.looked_at)

    def show_planes(self, planes: Sequence[PlaneEntry]) -> None:
        """Offer these. The same again leaves the ticks as they are."""
        if tuple(planes) == self._planes:
            return
        self._planes = tuple(planes)
        with QSignalBlocker(self.list):
            self.list.clear()
            for plane in planes:
                item = QListWidgetItem(plane_row(plane))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked)
                self.list.addItem(item)
            self.list.setCurrentRow(0)
        row = self.list.sizeHintForRow(0) if planes else 0
        shown = min(_ROWS, max(1, len(planes)))
        self.list.setFixedHeight(row * shown + 2 * self.list.frameWidth() + 2)

    def look_at(self, at: int) -> None:
        """The plane at this place is shown."""
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(at)

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """Numbers of the planes that are ticked; None where all are."""
        ticked = tuple(
            plane.plane_id
            for at, plane in enumerate(self._planes)
            if self.list.item(at).checkState() is Qt.CheckState.Checked
        )
        return None if len(ticked) == len(self._planes) else ticked

    def _tick(self, on: bool) -> None:
        with QSignalBlocker(self.list):
            for at in range(self.list.count()):
                self.list.item(at).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.changed.emit()
