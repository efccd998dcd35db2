"""Keys as Qt reads them: of a text that is stored, and of what is pressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from app import keys

_ALONE: Final = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
)
_FORMAT: Final = QKeySequence.SequenceFormat.PortableText


def canonical(text: str) -> str:
    """One key as Qt writes it, "Ctrl+B" for "ctrl+b"; "" for what is none, or more than one."""
    read = QKeySequence(text, _FORMAT)
    written = read.toString(_FORMAT)
    moves = written.split("+")[-1] in ("Tab", "Backtab")
    return "" if read.count() != 1 or moves or " " in written else written  # spaces part keys where stored


def pressed(event: QKeyEvent) -> str:
    """The key that is pressed, as `canonical` writes it; "" while only Shift or the like is."""
    key = event.key()
    held = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier)
    if 0x20 < key < 0x100 and not chr(key).isalnum():
        held &= ~Qt.KeyboardModifier.ShiftModifier  # "?" is what it is, wherever the keyboard has it
    return "" if key in _ALONE else canonical(_written(held, key))


def use_stored(stored: Mapping[str, str]) -> tuple[str, ...]:
    """Let commands have the keys that are stored, by their names; says what cannot be, in sentences."""
    read = {}
    for name, text in stored.items():
        each = tuple(dict.fromkeys(canonical(key) for key in text.split()))
        read[name] = () if "" in each else each
    good, wrong = keys.checked(read)
    keys.use(good)
    return wrong


def _written(held: Qt.KeyboardModifier, key: int) -> str:
    try:
        return QKeySequence(QKeyCombination(held, Qt.Key(key))).toString(_FORMAT)
    except ValueError:  # a key that Qt has no name for
        return ""
