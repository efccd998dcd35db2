"""The style sheet of the window, made of the colours of a theme."""

from __future__ import annotations

from app.widgets.colours import Colours
from semc_core.paths import ASSETS


def style_sheet(c: Colours) -> str:
    """Of every widget, in these colours."""
    return "".join(part(c) for part in (_texts_and_panels, _fields, _buttons, _areas))


def _icon(c: Colours, name: str) -> str:
    return (ASSETS / "icons" / f"{name}{c.icons}.svg").as_posix()


def _texts_and_panels(c: Colours) -> str:
    """Labels, cards, the banner. Nothing of Qt's own moves by itself either."""
    return f"""
    * {{ widget-animation-duration: 0; }}
    QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; padding: 0.3em; }}
    QLabel#dim {{ color: {c.dim}; }}
    QLabel#notice {{ color: {c.warning}; }}
    QLabel#heading {{ color: {c.text}; font-weight: 600; }}
    QFrame#panel {{ background: {c.panel}; border: 1px solid {c.border}; border-radius: 6px; }}
    QFrame#banner[tone="fault"] {{
        background: {c.fault_ground}; border: 1px solid {c.fault}; border-radius: 6px; border-left-width: 6px;
    }}
    QFrame#banner[tone="notice"] {{
        background: {c.notice_ground}; border: 1px solid {c.warning}; border-radius: 6px;
    }}
    QFrame#banner QLabel {{ background: transparent; color: {c.text}; }}
    """


def _fields(c: Colours) -> str:
    """What is filled in, and menus."""
    down, up = _icon(c, "down"), _icon(c, "up")
    return f"""
    QPushButton, QLineEdit {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; border-radius: 5px;
        padding: 0.36em 0.86em; min-height: 1.5em;
    }}
    QLineEdit {{ placeholder-text-color: {c.dim}; }}
    QComboBox, QAbstractSpinBox {{
        background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; border-radius: 5px;
        padding: 0 0.57em;
    }}
    QComboBox:disabled, QAbstractSpinBox:disabled, QLineEdit:disabled {{
        color: {c.dim}; border-color: {c.raised};
    }}
    QAbstractSpinBox {{ padding-right: 0; }}
    QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; }}
    QComboBox::drop-down, QSpinBox::up-button, QSpinBox::down-button,
    QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ border: none; width: 1.4em; }}
    QComboBox::down-arrow, QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{
        image: url({down}); width: 0.6em; height: 0.6em;
    }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({up}); width: 0.6em; height: 0.6em; }}
    QComboBox QAbstractItemView, QMenu {{
        background: {c.panel}; color: {c.text}; border: 1px solid {c.dim};
    }}
    QMenu {{ padding: 0.25em 0; }}
    QMenu::item {{ padding: 0.3em 1.5em; }}
    QMenu::item:selected {{ background: {c.accent}; color: {c.ground}; }}
    QMenu::item:disabled {{ background: transparent; color: {c.dim}; }}
    """


def _buttons(c: Colours) -> str:
    """What is pressed."""
    return f"""
    QPushButton:hover, QComboBox:hover, QToolButton:hover {{ border-color: {c.accent}; }}
    QPushButton:focus, QLineEdit:focus {{ border: 2px solid {c.accent}; padding: 0.29em 0.79em; }}
    QComboBox:focus, QAbstractSpinBox:focus {{ border: 2px solid {c.accent}; padding-left: 0.5em; }}
    QToolButton {{ background: {c.raised}; border: 1px solid {c.border}; border-radius: 5px; }}
    QToolButton:pressed {{ background: {c.border}; }}
    QToolButton:disabled {{ color: {c.dim}; border-color: {c.raised}; }}
    QToolButton[autoRaise="true"] {{ background: transparent; border-color: transparent; }}
    QPushButton:pressed {{ background: {c.border}; }}
    QPushButton:checked {{ background: {c.accent}; color: {c.ground}; border-color: {c.accent}; }}
    QPushButton:disabled {{ color: {c.dim}; border-color: {c.raised}; }}
    QPushButton#flat, QPushButton#line {{
        background: transparent; border: none; color: {c.accent}; padding: 0.14em 0.43em;
    }}
    QPushButton#line {{ text-align: left; }}
    QPushButton#flat:hover, QPushButton#flat:focus {{ text-decoration: underline; }}
    QPushButton#line:hover, QPushButton#line:focus {{ text-decoration: underline; }}
    """


def _areas(c: Colours) -> str:
    """What is scrolled, ticked or counted; tables."""
    check = _icon(c, "check")
    return f"""
    QScrollArea {{ border: none; background: transparent; }}
    QScrollArea#keys {{ border: 1px solid transparent; }}
    QScrollArea#keys:focus {{ border-color: {c.accent}; }}
    QPlainTextEdit {{ background: {c.panel}; border: 1px solid {c.border}; border-radius: 5px; }}
    QListWidget {{ border: 1px solid transparent; }}
    QPlainTextEdit:focus, QListWidget:focus {{ border-color: {c.accent}; }}
    QScrollBar {{ background: transparent; border: none; margin: 0; }}
    QScrollBar:vertical {{ width: 0.85em; }}
    QScrollBar:horizontal {{ height: 0.85em; }}
    QScrollBar::handle {{ background: {c.handle}; border: none; border-radius: 3px; margin: 0.14em; }}
    QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {c.dim}; }}
    QScrollBar::handle:vertical {{ min-height: 2em; }}
    QScrollBar::handle:horizontal {{ min-width: 2em; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: none; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QDialog {{ background: {c.panel}; }}
    QDialog QLabel#notice {{ background: transparent; }}
    QCheckBox, QRadioButton {{ spacing: 0.5em; min-height: 1.5em; border: 1px dotted transparent; }}
    QCheckBox:focus, QRadioButton:focus {{ color: {c.accent}; border-color: {c.accent}; }}
    QCheckBox::indicator, QRadioButton::indicator {{
        width: 0.95em; height: 0.95em; background: {c.raised}; border: 1px solid {c.dim}; border-radius: 3px;
    }}
    QRadioButton::indicator {{ border-radius: 0.44em; }}
    QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url({check}); }}
    QRadioButton::indicator:checked {{
        background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5,
            stop: 0 {c.accent}, stop: 0.55 {c.accent}, stop: 0.65 {c.raised}, stop: 1 {c.raised});
        border-color: {c.accent};
    }}
    QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {c.border}; }}
    QProgressBar {{ background: {c.raised}; border: 1px solid {c.border}; border-radius: 4px; }}
    QProgressBar::chunk {{ background: {c.accent}; border-radius: 3px; }}
    QHeaderView::section {{
        background: {c.raised}; color: {c.dim}; border: none; padding: 0.25em 0.5em; font-weight: 600;
    }}
    QTableView {{ background: {c.ground}; border: 1px solid {c.border}; border-radius: 5px; outline: 0; }}
    QTableView:focus {{ border-color: {c.accent}; }}
    QTableView::item {{ padding: 0.15em 0.5em; }}
    QTableView::item:selected {{ background: {c.accent}; color: {c.ground}; }}
    """
