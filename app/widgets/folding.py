"""A panel that is opened and closed by the user, or by itself where there is little room."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.widgets import theme


class FoldingPanel(QFrame):
    """What it shows open and closed is drawn by who derives from it, in `follow`.

    Signals:
        toggled: The user opened or closed it.
    """

    toggled = Signal()

    def __init__(self, least_em: float, closed_em: float, parent: QWidget | None = None) -> None:
        """Open, with room enough.

        Args:
            least_em: With less room than this it is closed at first; in heights of a line, as below.
            closed_em: It is always given so much.
            parent: As of every widget.
        """
        super().__init__(parent)
        self._least_em, self._closed_em = least_em, closed_em
        self._fold = False
        self._narrow = False
        self._insists = False

    @property
    def filled(self) -> bool:
        """Whether there is anything to show."""
        raise NotImplementedError

    def follow(self) -> None:
        """Draw what `is_open` and `narrow` say."""
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        """Whether all of it is shown."""
        return self.filled and (self._insists if self._narrow else not self._fold)

    @property
    def narrow(self) -> bool:
        """Whether there is too little room for all of it beside others."""
        return self._narrow

    @property
    def takes_all(self) -> bool:
        """Whether it is open though there is little room: what is below must give way."""
        return self._narrow and self.is_open

    @property
    def closed_by_user(self) -> bool:
        """Whether it is to be closed where there is room, too."""
        return self._fold

    def fold(self, on: bool) -> None:
        """Close it, or open it."""
        self._fold = on
        self.follow()

    def give_room(self, height_px: int, most_px: int) -> None:
        """How high it may be beside others; and how high alone, when the user opens it all the same."""
        em = theme.em(self)
        self._narrow = height_px < self._least_em * em
        self._insists = self._insists and self._narrow
        self.setMaximumHeight(max(most_px if self._narrow else height_px, round(self._closed_em * em)))
        self.follow()

    def toggle(self) -> None:
        """The user closes it, or opens it."""
        if not self.filled:
            return
        if self._narrow:
            self._insists = not self._insists
        else:
            self._fold = not self._fold
        self.follow()
        self.toggled.emit()
