"""Rows of a form whose label stands in the middle of its field."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLayout, QLineEdit, QSpinBox, QWidget


def add_row(form: QFormLayout, title: str, field: QWidget | QLayout) -> None:
    """Add a field; lists and numbers are made as high as a line of text."""
    high = QLineEdit().sizeHint().height()
    label = QLabel(title)
    label.setMinimumHeight(high)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    if isinstance(field, QComboBox | QSpinBox):
        field.setMinimumHeight(high)
    if isinstance(field, QWidget):
        label.setBuddy(field)
    form.addRow(label, field)
