"""The page of the preferences on which commands get other keys: those of a foot pedal, say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QTableWidget, QVBoxLayout, QWidget

from app.key_sequences import pressed
from app.preferences.presenter import Entry
from app.widgets.forms import button, tab_in_order
from app.widgets.plain import PlainLabel
from app.widgets.tables import chosen_row, fill_rows, show_rows
from app.widgets.wrapping import WrapRow
from semc_core.language import N_, _

_COLUMNS: Final = (N_("Command"), N_("Keys"), N_("What it does"))
_NOTE: Final = N_(
    "The digits that name planes stay as they are, and so do the letters that name them during a scan."
)
_NO_KEY: Final = N_("That key cannot be used; press another one, or Esc.")


class KeyLine(QLabel):
    """Says that a key is waited for, and takes every key that is pressed meanwhile.

    Signals:
        pressed: The key, as `QKeySequence` writes it.
        left: Esc was pressed, or something else was clicked.
        unknown: What was pressed cannot be a key of a command.
    """

    pressed = Signal(str)
    left = Signal()
    unknown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName("notice")
        self.setWordWrap(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def event(self, event: QEvent) -> bool:
        """Nothing of a key goes to anything else: not Tab, not Enter, no key of the dialog."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._take(event)
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Who clicks elsewhere does not want a key any more."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self.left.emit()

    def _take(self, event: QKeyEvent) -> None:
        event.accept()
        held = event.modifiers() != Qt.KeyboardModifier.NoModifier
        if event.key() == Qt.Key.Key_Escape and not held:
            self.left.emit()
        elif key := pressed(event):
            self.pressed.emit(key)
        elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_unknown):
            self.unknown.emit()


class KeysPage(QWidget):
    """A table of commands; below it the keys of the one that is chosen, each of which can be another.

    Signals:
        chosen: The setting of a command, and the keys wanted for it, with spaces between them.
        message: A sentence for the dialog.

    Attributes:
        table: The commands.
        asks: Waits for a key.
        add: Gives the command another key.
        reset: Gives it its usual ones.
    """

    chosen = Signal(object, str)
    message = Signal(str)

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._all = self._shown = tuple(entries)
        self._replaced: str | None = None
        self.table = QTableWidget(0, len(_COLUMNS))
        show_rows(self.table, [_(title) for title in _COLUMNS])
        self.table.setAccessibleName(_("Commands and their keys"))
        self.table.setTabKeyNavigation(False)
        self.table.itemSelectionChanged.connect(self._show_command)
        self.asks = KeyLine()
        self.asks.pressed.connect(self._take)
        self.asks.left.connect(self._show_command)
        self.asks.unknown.connect(lambda: self.message.emit(_(_NO_KEY)))
        self.add = button(_("Add a key …"), lambda: self._ask(""))
        self.take_away = button(_("Take it away"), self._take_away)
        self.leave = button(_("Leave it  (Esc)"), self._show_command)
        self.reset = button(_("Reset"), self._reset)
        self._title, self._keys = PlainLabel(), WrapRow()
        self._title.setObjectName("heading")
        self._buttons: list[QPushButton] = []
        self._build()
        self.show_rows()

    @property
    def entry(self) -> Entry | None:
        """The command that is chosen."""
        row = chosen_row(self.table)
        return self._shown[row] if row is not None and row < len(self._shown) else None

    @property
    def key_buttons(self) -> tuple[QPushButton, ...]:
        """The keys of the command that is chosen; a click asks for another in its place."""
        return tuple(self._buttons)

    def show_only(self, entries: Sequence[Entry]) -> None:
        """Show these commands."""
        self._shown = tuple(entries)
        self.show_rows()

    def show_rows(self) -> None:
        """Show the keys as they are now; the command that was chosen stays so."""
        row = min(max(0, self.table.currentRow()), max(0, len(self._shown) - 1))
        rows = [(each.title, each.value_title(each.read()), each.about) for each in self._shown]
        fill_rows(self.table, rows, row if rows else None)
        self.table.show()  # an empty one keeps its place
        self._show_command()

    def _show_command(self) -> None:
        entry = self.entry
        self._title.setText("" if entry is None else entry.title)
        self._buttons = []
        keys = () if entry is None else entry.read().split()
        for key in keys:
            made = button(entry.value_title(key) if entry else key, partial(self._ask, key))
            made.setToolTip(_("Press another key in its place, or take it away."))
            made.setAccessibleName(_("Change the key {key}", key=made.text()))
            self._buttons.append(made)
        old, self._keys = self._keys, WrapRow(*self._buttons)
        self._row.replaceWidget(old, self._keys)
        self._row.setStretchFactor(self._keys, 1)
        old.hide()
        old.deleteLater()
        tab_in_order(self)
        usual = entry is None or entry.read() == entry.default
        self.reset.setEnabled(not usual and entry is not None and not entry.locked)
        self.add.setEnabled(entry is not None and not entry.locked)
        for each in self._buttons:
            each.setEnabled(entry is not None and not entry.locked)
        self._waits(False)

    def _ask(self, replaced: str) -> None:
        entry = self.entry
        if entry is None:
            return
        self._replaced = replaced
        if replaced:
            asked = _(
                "Press the key or the foot pedal for “{command}” in place of {key}.",
                command=entry.title,
                key=entry.value_title(replaced),
            )
        else:
            asked = _("Press the key or the foot pedal for “{command}”.", command=entry.title)
        self.asks.setText(asked)
        self._waits(True)
        self.take_away.setVisible(bool(replaced))
        self.asks.setFocus()

    def _waits(self, on: bool) -> None:
        for each in (self.asks, self.leave, self.take_away):
            each.setVisible(on)
        for other in (self._title, self.add, self.reset, self._keys):
            other.setVisible(not on)

    def _take(self, key: str) -> None:
        entry, old = self.entry, self._replaced
        if entry is None:
            return
        keys = entry.read().split()
        wanted = [key if each == old else each for each in keys] if old else [*keys, key]
        self.chosen.emit(entry, " ".join(dict.fromkeys(wanted)))
        self._show_command()
        self.table.setFocus()

    def _take_away(self) -> None:
        if self.entry is not None:
            kept = [each for each in self.entry.read().split() if each != self._replaced]
            self.chosen.emit(self.entry, " ".join(kept))
            self._show_command()

    def _reset(self) -> None:
        if self.entry is not None:
            self.chosen.emit(self.entry, self.entry.default)

    def _build(self) -> None:
        card = QFrame()
        card.setObjectName("panel")
        row = self._row = QHBoxLayout(card)
        row.addWidget(self._title)
        row.addWidget(self.asks, 1)
        row.addWidget(self._keys, 1)
        for each in (self.take_away, self.leave, self.add, self.reset):
            # A click on one of these is no click elsewhere: it answers.
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(each)
        note = PlainLabel(_(_NOTE))
        note.setObjectName("dim")
        note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table, 1)
        column.addWidget(card)
        column.addWidget(note)
