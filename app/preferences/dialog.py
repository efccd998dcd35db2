"""The dialog with what people set once; each setting is the one that other pages show, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.file_dialogs import PathDialog, Places
from app.preferences.keys_page import KeysPage
from app.preferences.presenter import (
    GROUPS,
    KEYS,
    NOTHING_FOUND,
    Entry,
    Link,
    away_from_default,
    changed_sentence,
    found,
)
from app.preferences.rows import LinkRow, SettingRow
from app.widgets import theme
from app.widgets.forms import Scrolling, button, page_title, panel
from app.widgets.plain import PlainLabel
from semc_core.language import N_, _, plural

_TABS: Final = (N_("Settings"), N_("Keys"))


class PreferencesDialog(QDialog):
    """Groups of settings, a line to find one, and the way back from every change.

    Attributes:
        typed: What is looked for.
        tabs: The settings, and the keys.
        keys: The page with the keys.
        rows: Of each setting, by its key.
        undo: Takes the last change back.
        reset_all: Sets everything to what it was at first.
    """

    def __init__(
        self,
        parts: Sequence[Entry | Link],
        running: Callable[[], bool],
        parent: QWidget,
        places: Places | None = None,
    ) -> None:
        """Show what is set now; `open` shows the dialog.

        Args:
            parts: Settings, and ways to what is set elsewhere.
            running: Whether a scan runs.
            parent: The window.
            places: Where folders and files were chosen last; None: nobody knows.
        """
        super().__init__(parent)
        self.setWindowTitle(_("Preferences"))
        self._parts, self._running = tuple(parts), running
        self._undo: list[list[tuple[Entry, str]]] = []
        self.rows: dict[str, SettingRow] = {}
        self._row_of: list[tuple[Entry | Link, QWidget]] = []
        self._cards: dict[str, QFrame] = {}
        self._paths = PathDialog(self, places)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText(_("Type to find: folder, record, F5"))
        self.typed.setAccessibleName(_("Find a setting"))
        self.typed.setClearButtonEnabled(False)
        self.typed.textChanged.connect(lambda _text: self._filter())
        self._message = PlainLabel()
        self._message.setWordWrap(True)
        self.undo = button(_("Undo  (Ctrl+Z)"), self.take_back)
        self.undo.setEnabled(False)
        self.reset_all = button(_("Reset all"), self.reset_everything)
        QShortcut(QKeySequence("Ctrl+Z"), self, self.take_back)
        self.keys = KeysPage([each for each in self.entries if each.group == KEYS])
        self.keys.chosen.connect(self.change)
        self.keys.message.connect(self.say)
        self.tabs = tuple(QPushButton(_(title)) for title in _TABS)
        self._pages = QStackedWidget()
        self._build()
        em = theme.em(self)
        self.setMinimumSize(round(42 * em), round(24 * em))
        self.resize((parent.size() * 0.94).boundedTo(self.minimumSize() * 1.4))
        self._show_values()

    # What the user does.

    def change(self, entry: Entry, value: str) -> None:
        """Set it, and say from when that counts."""
        before = entry.read()
        if why := entry.refused(value):
            self.say(why)
            return
        entry.write(value)
        if entry.read() != before:
            self._undo.append([(entry, before)])
            self.say(changed_sentence(entry, self._running()))
        self._show_values()

    def reset_everything(self) -> None:
        """Set all to what it was at first; one step to take back."""
        away = away_from_default(self.entries)
        if not away:
            self.say(_("Everything is as it was at first."))
            return
        self._undo.append([(each, each.read()) for each in away])
        for each in away:
            each.write(each.default)
        self.say(
            plural(
                "{count} setting went back to what it was at first; Undo takes that back.",
                "{count} settings went back to what it was at first; Undo takes that back.",
                len(away),
            )
        )
        self._show_values()

    def take_back(self) -> None:
        """Undo the last change."""
        if self._undo:
            step = self._undo.pop()
            for entry, value in step:
                entry.write(value)
            titles = ", ".join(entry.title for entry, _value in step)
            self.say(_("Taken back: {settings}.", settings=titles))
            self._show_values()

    def follow(self, link: Link) -> None:
        """Go to what is set elsewhere; or do it here."""
        if link.asks == "folder":
            self._paths.ask_folder(link.title, partial(self._do, link), "settings")
            return
        if link.asks == "file":
            self._paths.ask_file(link.title, _("Settings") + " (*.json)", partial(self._do, link), "settings")
            return
        if link.stays:
            self._do(link)
            return
        self.reject()
        link.do()

    def _do(self, link: Link, *path: str) -> None:
        """What it changes is one step to take back."""
        before = [(entry, entry.read()) for entry in self.entries]
        self.say(str(link.do(*path) or ""))
        if changed := [(entry, value) for entry, value in before if entry.read() != value]:
            self._undo.append(changed)
        self._show_values()

    def say(self, sentence: str) -> None:
        """Show a sentence below."""
        self._message.setText(sentence)

    @property
    def said(self) -> str:
        """The sentence below."""
        return self._message.text()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The settings."""
        return tuple(each for each in self._parts if isinstance(each, Entry))

    # What it shows.

    def _show_values(self) -> None:
        self.keys.show_rows()
        for row in self.rows.values():
            row.show_value()
        self.undo.setEnabled(bool(self._undo))

    def _filter(self) -> None:
        there = found(self.typed.text(), self._parts)
        keys = [each for each in there if isinstance(each, Entry) and each.group == KEYS]
        self.keys.show_only(keys)
        counts = len(there) - len(keys), len(keys)
        looked_for = bool(self.typed.text().split())
        for tab, title, count in zip(self.tabs, _TABS, counts, strict=True):
            tab.setText(f"{_(title)} ({count})" if looked_for else _(title))
        if looked_for and not counts[self._pages.currentIndex()] and any(counts):
            self.show_page(0 if counts[0] else 1)
        for part, row in self._row_of:
            row.setVisible(part in there)
        for group, card in self._cards.items():
            card.setVisible(any(part.group == group for part in there))
        self.say("" if there else _(NOTHING_FOUND))

    def show_page(self, at: int) -> None:
        """Show the settings, 0, or the keys, 1."""
        self._pages.setCurrentIndex(at)
        self.tabs[at].setChecked(True)

    def _ask_folder(self, entry: Entry) -> None:
        self._paths.ask_folder(entry.title, lambda folder: self.change(entry, folder), "output")

    # Building.

    def _build(self) -> None:
        first, last = QHBoxLayout(), QHBoxLayout()
        first.addWidget(page_title(_("Preferences"), self))
        for at, tab in enumerate(self.tabs):
            tab.setCheckable(True)
            tab.setAutoExclusive(True)
            tab.clicked.connect(partial(self.show_page, at))
            first.addWidget(tab)
        first.addWidget(self.typed, 1)
        last.addWidget(self._message, 1)
        leave = button(_("Close  (Esc)"), self.accept)
        for each in (self.undo, self.reset_all, leave):
            last.addWidget(each, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.addLayout(first)
        self._pages.addWidget(Scrolling(self._groups()))
        self._pages.addWidget(self.keys)
        self.show_page(0)
        layout.addWidget(self._pages, 1)
        layout.addLayout(last)
        self.typed.setFocus()

    def _groups(self) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        for group in GROUPS:
            parts = [each for each in self._parts if each.group == group]
            if not parts:
                continue
            card, inside = panel(self, _(group))
            inside.setSpacing(round(0.6 * theme.em(self)))
            for part in parts:
                row = self._row(part)
                inside.addWidget(row)
                self._row_of.append((part, row))
            column.addWidget(card)
            self._cards[group] = card
        column.addStretch(1)
        return body

    def _row(self, part: Entry | Link) -> QWidget:
        if isinstance(part, Link):
            return LinkRow(part, self.follow)
        row = SettingRow(part)
        row.chosen.connect(self.change)
        row.folder_wanted.connect(self._ask_folder)
        self.rows[part.key] = row
        return row
