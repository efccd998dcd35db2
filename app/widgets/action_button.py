"""A button that follows an action: what it says, whether it is able, and whether it is on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction, QColor, QPainter
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.widgets import theme


class ActionButton(QAbstractButton):
    """Filled while its action is on. What stands in it is painted by what is made of it."""

    def __init__(
        self,
        action: QAction,
        wide: QSizePolicy.Policy,
        high: QSizePolicy.Policy,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._action = action
        # The keys work wherever the focus is; a button that takes it would only confuse Space and Return.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(wide, high)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)

    def paint_ground(self, painter: QPainter) -> QRectF:
        """Paint the box, and return where it is."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        able = self.isEnabled()
        hover = able and self.underMouse()
        ground = theme.ACCENT if self._action.isChecked() else theme.BORDER if self.isDown() else theme.RAISED
        painter.setPen(QColor(theme.ACCENT if hover else theme.BORDER if able else theme.RAISED))
        painter.setBrush(QColor(ground if able else theme.GROUND))
        painter.drawRoundedRect(box, 5, 5)
        return box

    def ink(self, usual: str) -> QColor:
        """The colour of what stands in it; `usual` while it is neither on nor unable."""
        able = self.isEnabled()
        return QColor(theme.GROUND if self._action.isChecked() and able else usual if able else theme.DIM)

    def _follow(self) -> None:
        self.setText(self._action.text())
        self.setToolTip(self._action.toolTip())
        self.setAccessibleName(self._action.text())
        self.setEnabled(self._action.isEnabled())
        # So that it is told, too, whether it is on.
        self.setCheckable(self._action.isCheckable())
        self.setChecked(self._action.isChecked())
        self.updateGeometry()
        self.update()
