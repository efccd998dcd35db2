"""How the window looks: the theme in use, every size relative to the font."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QScrollBar, QStyleFactory, QWidget

from app.widgets import colours
from app.widgets.colours import contrast as contrast
from app.widgets.style_sheet import style_sheet

GROUND = colours.DARK.ground
PANEL = colours.DARK.panel
RAISED = colours.DARK.raised
BORDER = colours.DARK.border
HANDLE = colours.DARK.handle
TEXT = colours.DARK.text
DIM = colours.DARK.dim
ACCENT = colours.DARK.accent
GOOD = colours.DARK.good
WARNING = colours.DARK.warning
FAULT = colours.DARK.fault
FAULT_GROUND = colours.DARK.fault_ground
NOTICE_GROUND = colours.DARK.notice_ground
PLANES = colours.DARK.planes
"""Of the theme in use: see `app.widgets.colours.Colours`. Read them where something is painted."""

LEAST_EM: Final = (46, 32)
"""Width and height of the smallest window, in lines of the font."""
FRAME: Final = 0.94
"""What a window's frame leaves of the screen."""


def plane_colours(planes: Iterable[str]) -> dict[str, str]:
    """One colour for each plane of a model (`ModelSpec.planes`); they repeat after six."""
    return {name: PLANES[i % len(PLANES)] for i, name in enumerate(planes)}


def over_picture(colour: str | None) -> str | None:
    """What means over a picture the same as `colour`, of a plane or of texts, beside it; None for None."""
    over = colours.ON_PICTURE
    same = dict(zip((*PLANES, TEXT), (*over.planes, over.text), strict=True))
    return None if colour is None else same.get(colour, colour)


def tone_colour(tone: str, otherwise: str) -> str:
    """Of a text that is "good", "neutral", "warning" or "fault"; `otherwise` of any other."""
    return {"good": GOOD, "neutral": DIM, "warning": WARNING, "fault": FAULT}.get(tone, otherwise)


def em(widget: QWidget) -> float:
    """Height of a line of the widget's font, pixels: the unit of every size."""
    return QFontMetricsF(widget.font()).height()


def scroll_bar_px() -> int:
    """Width of a vertical scroll bar, height of a horizontal one, pixels.

    Of a bar of our own: Python holds those inside of Qt's areas longer than they live.
    """
    bar = QScrollBar(Qt.Orientation.Vertical)
    bar.ensurePolished()
    return bar.sizeHint().width()


def scaled_font(base: QFont, factor: float, bold: bool = False) -> QFont:
    """`base`, `factor` times as large."""
    font = QFont(base)
    if base.pointSizeF() > 0:
        font.setPointSizeF(base.pointSizeF() * factor)
    else:
        font.setPixelSize(max(1, round(base.pixelSize() * factor)))
    font.setBold(bold)
    return font


def fitted_font(base: QFont, text: str, width: float, height: float) -> QFont:
    """`base` in bold, as large as lets `text` fit into `width` x `height` pixels."""
    font = scaled_font(base, 1.0, bold=True)
    metrics = QFontMetricsF(font)
    wide = width / max(1.0, metrics.horizontalAdvance(text))
    high = height / max(1.0, metrics.height())
    # The last hundredth is kept free, because glyphs do not grow exactly with the size.
    return scaled_font(base, max(0.5, 0.99 * min(wide, high)), bold=True)


def _fit_font(application: QApplication) -> None:
    """Make the font smaller where the smallest window would be larger than the screen."""
    font, screen = application.font(), application.primaryScreen().availableSize()
    line = QFontMetricsF(font).height()
    room = min(screen.width() / LEAST_EM[0], screen.height() / LEAST_EM[1]) * FRAME
    if line > room:
        application.setFont(scaled_font(font, room / line))


def _use(name: str) -> colours.Colours:
    """Let all that is painted from now on have the colours of this theme."""
    table = colours.THEMES[name]
    globals().update({role.name.upper(): getattr(table, role.name) for role in fields(table)})
    return table


def apply_theme(application: QApplication, name: str = "dark", text_percent: int = 100) -> None:
    """Give the whole program its look, before anything of it is made.

    Args:
        application: Of the process.
        name: One of `app.widgets.colours.THEMES`.
        text_percent: How large texts are, of the desktop's size; as large as the screen has room for.
    """
    table = _use(name)
    if text_percent != 100:
        application.setFont(scaled_font(application.font(), text_percent / 100))
    _fit_font(application)
    application.setStyle(QStyleFactory.create("Fusion"))
    # What is derived from these two (edges, shadows, separators) would come from the desktop's theme else.
    palette = QPalette(QColor(RAISED), QColor(GROUND))
    role = QPalette.ColorRole
    for part, colour in (
        (role.Window, GROUND),
        (role.Base, PANEL),
        (role.AlternateBase, RAISED),
        (role.Button, RAISED),
        (role.ToolTipBase, RAISED),
        (role.WindowText, TEXT),
        (role.Text, TEXT),
        (role.ButtonText, TEXT),
        (role.ToolTipText, TEXT),
        (role.PlaceholderText, DIM),
        (role.BrightText, FAULT),
        (role.Link, ACCENT),
        (role.LinkVisited, ACCENT),
        (role.Accent, ACCENT),
        (role.Highlight, ACCENT),
        (role.HighlightedText, GROUND),
    ):
        palette.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, part, QColor(DIM))
    application.setPalette(palette)
    application.setStyleSheet(style_sheet(table))
