"""The window's actions with their keys, and the rows of buttons that follow them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QWidget

from app.commands import (
    ANNOTATE,
    BINDINGS,
    TOOL_BARS,
    Situation,
    checked_actions,
    enabled_actions,
    start_title,
)
from app.keys import correcting_tips, first_key, keys_of, start_tip, tool_tip
from app.widgets import theme
from app.widgets.action_button import ActionButton
from app.widgets.plain import plain_tip
from semc_core.language import _

MEASURE_TOOLS: Final = tuple(one.name for one in BINDINGS if one.name.startswith(("measure_", "live_")))
_CHECKABLE: Final = (
    "record",
    "freeze",
    "heat_map",
    "region",
    "checklist",
    "reference",
    "better",
    "add",
    "mark",
    "loop",
    "compare",
    "link",
    *MEASURE_TOOLS,
    *ANNOTATE,
)


def make_actions(window: QWidget, do: Callable[[str], object]) -> dict[str, QAction]:
    """One action for each key binding, added to `window`; its keys work whatever has the focus.

    Args:
        window: Owns the actions.
        do: Does what the binding of that name does.
    """
    actions = {}
    for binding in BINDINGS:
        action = QAction(_(binding.title), window)
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        action.setAutoRepeat(binding.repeats)
        action.setCheckable(binding.name in _CHECKABLE)
        action.triggered.connect(lambda _on=False, name=binding.name: do(name))
        window.addAction(action)
        actions[binding.name] = action
    show_keys(actions)
    return actions


def show_keys(actions: Mapping[str, QAction]) -> None:
    """Let the actions have the keys that their commands have now."""
    for binding in BINDINGS:
        action = actions[binding.name]
        action.setShortcuts([QKeySequence(key) for key in keys_of(binding.name)])
        action.setToolTip(tool_tip(binding))


def show_situation(actions: Mapping[str, QAction], now: Situation) -> None:
    """Which of the actions work now, and what they say. It takes a millisecond: not with every picture."""
    for name, on in enabled_actions(now).items():
        actions[name].setEnabled(on)
    for name, tip in correcting_tips(now).items():
        actions[name].setToolTip(plain_tip(tip))
    actions["start_stop"].setText(start_title(now))
    actions["start_stop"].setToolTip(start_tip(now))


def show_checked(actions: Mapping[str, QAction], now: Situation) -> None:
    """Which of the actions are on; Qt changes that of one which is pressed, whatever comes of it."""
    for name, on in checked_actions(now).items():
        actions[name].setChecked(on)


class KeyButton(ActionButton):
    """A button of the tool bar: what it does, and below it the key."""

    def __init__(self, action: QAction, name: str, parent: QWidget | None = None) -> None:
        super().__init__(action, QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed, parent)
        self._name = name
        self._follow()

    def sizeHint(self) -> QSize:
        """Two lines."""
        em = theme.em(self)
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 0.9 * em
        return QSize(round(max(3.6 * em, wide)), round(2.9 * em))

    def minimumSizeHint(self) -> QSize:
        """The text must fit."""
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 0.3 * theme.em(self)
        return QSize(round(max(2.4 * theme.em(self), wide)), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Filled while it is on."""
        painter, em = QPainter(self), theme.em(self)
        box = self.paint_ground(painter)
        upper = QRectF(box.left(), box.top() + 0.2 * em, box.width(), box.height() * 0.52)
        lower = QRectF(box.left(), upper.bottom(), box.width(), box.bottom() - upper.bottom() - 0.15 * em)
        painter.setPen(self.ink(theme.TEXT))
        fitted = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, round(upper.width())
        )
        painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, fitted)
        painter.setFont(theme.scaled_font(self.font(), 0.85))
        painter.setPen(self.ink(theme.DIM))
        painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, first_key(self._name))
        painter.end()


class ToolBars(QStackedWidget):
    """One row of buttons for each page; they follow the window's actions."""

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._bars: dict[str, QWidget] = {}
        for page, names in TOOL_BARS.items():
            bar = QWidget()
            row = QHBoxLayout(bar)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(round(0.22 * theme.em(self)))
            for name in names:
                row.addWidget(KeyButton(actions[name], name))
            self._bars[page] = bar
            self.addWidget(bar)

    def show_page(self, page: str) -> None:
        """Show the buttons of this page."""
        self.setCurrentWidget(self._bars[page])
