"""One setting, or one way to what is set elsewhere, as a row of the preferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.preferences.presenter import BY_SITE, OFF, ON, Entry, Link
from app.widgets import theme
from app.widgets.fitted import FittedBox, FittedLabel, tell_whole
from app.widgets.forms import button, tell_choice
from app.widgets.plain import PlainLabel
from semc_core.language import _

_FIELD_EM: Final = 15.0


def _texts(title: str, about: str) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(0)
    for text, name in ((title, "heading"), (about, "dim")):
        label = PlainLabel(text)
        label.setObjectName(name)
        label.setWordWrap(True)
        column.addWidget(label)
    return column


class SettingRow(QWidget):
    """What it is called and does, its value, and the way back to what it was at first.

    Signals:
        chosen: The entry, and the value wanted of it.
        folder_wanted: Another folder is to be chosen for the entry.

    Attributes:
        entry: The setting.
        field: What it is set by.
        reset: The button that takes it back.
    """

    chosen = Signal(object, str)
    folder_wanted = Signal(object)

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(round(0.6 * theme.em(self)))
        about = f"{entry.about} {_(BY_SITE)}" if entry.locked else entry.about
        row.addLayout(_texts(entry.title, about), 1)
        self.reset = button(_("Reset"), lambda: self.chosen.emit(entry, entry.default))
        self.reset.setAccessibleName(_("Reset: {setting}", setting=entry.title))
        self.reset.setToolTip(_("As at first: {value}", value=entry.value_title(entry.default)))
        self.field: QCheckBox | QComboBox | QPushButton
        self._path = FittedLabel()
        holder = QWidget()
        holder.setFixedWidth(round(_FIELD_EM * theme.em(self)))
        inside = QHBoxLayout(holder)
        inside.setContentsMargins(0, 0, 0, 0)
        if entry.is_switch:
            inside.addWidget(self._switch())
        elif entry.choices:
            inside.addWidget(self._list())
        else:
            inside.addWidget(self._path, 1)
            inside.addWidget(self._folder())
        self.field.setAccessibleName(entry.title)
        self.field.setEnabled(not entry.locked)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(holder, 0, top)
        row.addWidget(self.reset, 0, top)
        self.show_value()

    def show_value(self) -> None:
        """Show what it is now."""
        value = self.entry.read()
        if isinstance(self.field, QCheckBox):
            self.field.setChecked(value == ON)
        elif isinstance(self.field, QComboBox):
            if self.field.findData(value) < 0:  # set elsewhere, by hand say
                self.field.addItem(self.entry.value_title(value), value)
            self.field.setCurrentIndex(self.field.findData(value))
        else:
            tell_whole(self._path, value)
        self.reset.setEnabled(not self.entry.locked and value != self.entry.default)

    def _switch(self) -> QWidget:
        self.field = box = QCheckBox(_("On"))
        box.setMinimumHeight(self.reset.sizeHint().height())
        box.clicked.connect(lambda on: self.chosen.emit(self.entry, ON if on else OFF))
        return box

    def _list(self) -> QWidget:
        self.field = box = FittedBox()
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.setMinimumHeight(self.reset.sizeHint().height())
        for value, title in self.entry.choices:
            box.addItem(title, value)
        tell_choice(box)
        box.activated.connect(lambda _at: self.chosen.emit(self.entry, str(box.currentData())))
        return box

    def _folder(self) -> QWidget:
        self.field = made = button(_("Choose …"), lambda: self.folder_wanted.emit(self.entry))
        return made


class LinkRow(QWidget):
    """A button to what is set elsewhere."""

    def __init__(self, link: Link, follow: Callable[[Link], None]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        about = PlainLabel(link.about)
        about.setObjectName("dim")
        about.setWordWrap(True)
        row.addWidget(about, 1)
        row.addWidget(button(link.title, lambda: follow(link)), 0, Qt.AlignmentFlag.AlignTop)
