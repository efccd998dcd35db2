"""The row below the picture: play, step, speed, where in the loop, how far the analysis is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.widgets import theme

_ACTIONS = ("previous_plane", "step_back", "play", "step_on", "next_plane", "slower", "faster")
_SIGNS = {
    "previous_plane": "|◀",
    "step_back": "◀|",
    "play": "▶",
    "step_on": "|▶",
    "next_plane": "▶|",
    "slower": "−",
    "faster": "+",
}


class ProgressLine(QWidget):
    """How far the analysis is: a text over a bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._text, self._short, self._share = "", "", 0.0

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def show_progress(self, texts: tuple[str, str], share: float) -> None:
        """Say this, at length or in short; the bar is filled to `share`, 0-1."""
        text, short = texts
        if (text, short, share) != (self._text, self._short, self._share):
            self._text, self._short, self._share = text, short, share
            self.setAccessibleName(text)
            self.setToolTip(text)
            self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        em = theme.em(self)
        return QSize(round(16 * em), round(1.7 * em))

    def minimumSizeHint(self) -> QSize:
        """The text is shortened where there is no room."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text on the right, a thin bar below while there is work left."""
        painter, em = QPainter(self), theme.em(self)
        painter.setPen(QColor(theme.DIM))
        room = QRectF(self.rect())
        fits = painter.fontMetrics().horizontalAdvance(self._text) <= self.width()
        # A number that is cut short would be read as another one.
        text = self._text if fits else self._short
        if painter.fontMetrics().horizontalAdvance(text) > self.width():
            text = ""  # the tool tip has it
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        if 0 < self._share < 1:
            bar = QRectF(0, self.height() - 0.18 * em, self.width(), 0.18 * em)
            painter.fillRect(bar, QColor(theme.RAISED))
            bar.setWidth(bar.width() * self._share)
            painter.fillRect(bar, QColor(theme.ACCENT))
        painter.end()


def _follow(button: QToolButton, action: QAction) -> None:
    """Works as the action does, and is called so."""
    button.setEnabled(action.isEnabled())
    button.setAccessibleName(action.text())


class TransportBar(QWidget):
    """Buttons that follow the window's actions, and what there is to know of the place in the loop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.progress = ProgressLine()
        self._where = QLabel()
        self._where.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._speed = QLabel()
        self._speed.setObjectName("dim")
        self._speed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(3)
        self._play: QToolButton | None = None
        em = theme.em(self)
        self._speed.setFixedWidth(round(3.2 * em))
        self._where.setContentsMargins(round(0.6 * em), 0, round(0.6 * em), 0)

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """Make the buttons; they do and look as the actions with their names. Called once."""
        for name in _ACTIONS:
            button = QToolButton()
            button.setText(_SIGNS[name])
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setFixedSize(round(2.3 * theme.em(self)), round(1.8 * theme.em(self)))
            action = actions[name]
            button.clicked.connect(action.trigger)
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text())
            action.changed.connect(lambda b=button, a=action: _follow(b, a))
            if name == "faster":
                self._row.addWidget(self._speed)
            self._row.addWidget(button)
            if name == "play":
                self._play = button
        self._row.addWidget(self._where)
        self._row.addWidget(self.progress, 1)

    @property
    def where(self) -> str:
        """The place in the loop, as shown."""
        return self._where.text()

    def show_place(self, where: tuple[str, str], playing: bool, speed: float) -> None:
        """Where the review is, at length and in short; whether it plays, and how fast."""
        room = self.width() - self._where.x() - self._where.contentsMargins().right() * 2
        long = self.fontMetrics().horizontalAdvance(where[0]) <= room
        text = where[0] if long else where[1]
        if text != self._where.text():
            self._where.setText(text)
        speed_text = f"{speed:g}x"
        if speed_text != self._speed.text():
            self._speed.setText(speed_text)
        sign = "❚❚" if playing else "▶"
        if self._play is not None and self._play.text() != sign:
            self._play.setText(sign)
