"""How the window looks: a dark theme for a dark room, every size relative to the font.

Pairs of text and ground keep a contrast of at least 4.5 to 1 (WCAG AA); `contrast` measures it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QScrollBar, QStyleFactory, QWidget

from semc_core.paths import ASSETS

GROUND: Final = "#0d1117"
PANEL: Final = "#161b22"
RAISED: Final = "#232a33"
BORDER: Final = "#3a434e"
HANDLE: Final = "#6a7684"
"""Of a scroll bar: 3 to 1 against every ground that it lies on."""
TEXT: Final = "#f2f5f8"
DIM: Final = "#a9b4c0"
ACCENT: Final = "#6cb6ff"
GOOD: Final = "#4cc38a"
WARNING: Final = "#f0c24b"
FAULT: Final = "#ff8a80"
FAULT_GROUND: Final = "#3b1418"
NOTICE_GROUND: Final = "#332a0d"

LEAST_EM: Final = (46, 32)
"""Width and height of the smallest window, in lines of the font."""
FRAME: Final = 0.94
"""What a window's frame leaves of the screen."""

# After Okabe and Ito, lightened for a dark ground: told apart with any kind of colour vision.
_PLANE_COLOURS: Final = ("#f5a623", "#56b4e9", "#2fc48d", "#f0e442", "#f2702b", "#d78fbf")


def plane_colours(planes: Iterable[str]) -> dict[str, str]:
    """One colour for each plane of a model (`ModelSpec.planes`); they repeat after six."""
    return {name: _PLANE_COLOURS[i % len(_PLANE_COLOURS)] for i, name in enumerate(planes)}


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours "#rrggbb", 1-21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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


def apply_theme(application: QApplication) -> None:
    """Give the whole program its look."""
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
    application.setStyleSheet(_style_sheet())


def _style_sheet() -> str:
    check, down, up = ((ASSETS / "icons" / f"{name}.svg").as_posix() for name in ("check", "down", "up"))
    return f"""
    QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 0.3em; }}
    QLabel#dim {{ color: {DIM}; }}
    QLabel#notice {{ color: {WARNING}; }}
    QLabel#heading {{ color: {TEXT}; font-weight: 600; }}
    QFrame#panel {{ background: {PANEL}; border: 1px solid {BORDER}; border-radius: 6px; }}
    QFrame#banner[tone="fault"] {{
        background: {FAULT_GROUND}; border: 1px solid {FAULT}; border-radius: 6px;
    }}
    QFrame#banner[tone="notice"] {{
        background: {NOTICE_GROUND}; border: 1px solid {WARNING}; border-radius: 6px;
    }}
    QFrame#banner QLabel {{ background: transparent; color: {TEXT}; }}
    QPushButton, QLineEdit {{
        background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; border-radius: 5px;
        padding: 0.36em 0.86em; min-height: 1.5em;
    }}
    QComboBox, QAbstractSpinBox {{
        background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; border-radius: 5px;
        padding: 0 0.57em;
    }}
    QLineEdit {{ placeholder-text-color: {DIM}; }}
    QAbstractSpinBox {{ padding-right: 0; }}
    QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; }}
    QComboBox::drop-down, QSpinBox::up-button, QSpinBox::down-button,
    QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ border: none; width: 1.4em; }}
    QComboBox::down-arrow, QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{
        image: url({down}); width: 0.6em; height: 0.6em;
    }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({up}); width: 0.6em; height: 0.6em; }}
    QComboBox QAbstractItemView, QMenu {{ background: {PANEL}; color: {TEXT}; border: 1px solid {DIM}; }}
    QMenu {{ padding: 0.25em 0; }}
    QMenu::item {{ padding: 0.3em 1.5em; }}
    QMenu::item:selected {{ background: {ACCENT}; color: {GROUND}; }}
    QMenu::item:disabled {{ background: transparent; color: {DIM}; }}
    QPushButton:hover, QComboBox:hover, QToolButton:hover {{ border-color: {ACCENT}; }}
    QPushButton:focus, QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{
        border: 1px solid {ACCENT};
    }}
    QToolButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 5px; }}
    QToolButton:pressed {{ background: {BORDER}; }}
    QToolButton:disabled {{ color: {DIM}; border-color: {RAISED}; }}
    QToolButton[autoRaise="true"] {{ background: transparent; border-color: transparent; }}
    QPushButton:pressed {{ background: {BORDER}; }}
    QPushButton:disabled {{ color: {DIM}; border-color: {RAISED}; }}
    QPushButton#flat, QPushButton#line {{
        background: transparent; border: none; color: {ACCENT}; padding: 0.14em 0.43em;
    }}
    QPushButton#line {{ text-align: left; }}
    QPushButton#flat:hover, QPushButton#flat:focus {{ text-decoration: underline; }}
    QPushButton#line:hover, QPushButton#line:focus {{ text-decoration: underline; }}
    QScrollArea {{ border: none; background: transparent; }}
    QScrollBar {{ background: transparent; border: none; margin: 0; }}
    QScrollBar:vertical {{ width: 0.85em; }}
    QScrollBar:horizontal {{ height: 0.85em; }}
    QScrollBar::handle {{ background: {HANDLE}; border: none; border-radius: 3px; margin: 0.14em; }}
    QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {DIM}; }}
    QScrollBar::handle:vertical {{ min-height: 2em; }}
    QScrollBar::handle:horizontal {{ min-width: 2em; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: none; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QDialog {{ background: {PANEL}; }}
    QDialog QLabel#notice {{ background: transparent; }}
    QCheckBox, QRadioButton {{ spacing: 0.5em; min-height: 1.5em; }}
    QCheckBox:focus, QRadioButton:focus {{ color: {ACCENT}; }}
    QCheckBox::indicator, QRadioButton::indicator {{
        width: 0.95em; height: 0.95em; background: {RAISED}; border: 1px solid {DIM}; border-radius: 3px;
    }}
    QRadioButton::indicator {{ border-radius: 0.44em; }}
    QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; image: url({check}); }}
    QRadioButton::indicator:checked {{
        background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5,
            stop: 0 {ACCENT}, stop: 0.55 {ACCENT}, stop: 0.65 {RAISED}, stop: 1 {RAISED});
        border-color: {ACCENT};
    }}
    QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {BORDER}; }}
    QProgressBar {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 4px; }}
    QProgressBar::chunk {{ background: {ACCENT}; border-radius: 3px; }}
    QHeaderView::section {{
        background: {RAISED}; color: {DIM}; border: none; padding: 0.25em 0.5em; font-weight: 600;
    }}
    QTableWidget {{ background: {GROUND}; border: 1px solid {BORDER}; border-radius: 5px; outline: 0; }}
    QTableWidget::item {{ padding: 0.15em 0.5em; }}
    QTableWidget::item:selected {{ background: {ACCENT}; color: {GROUND}; }}
    """
