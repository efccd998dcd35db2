"""What assistive technology is told of parts that the program paints itself, and of what happens.

Qt knows what its own widgets are; of one that is only painted it says "client area". A class says with
`told_as` what it is; where it has a method `spoken`, that gives in words what it shows. It is asked only when
somebody wants to know, so that a picture that moves costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QAccessibleWidget, QWidget

Role = QAccessible.Role
Kind = TypeVar("Kind", bound=type[QWidget])

_ROLES: Final[dict[str, tuple[type[QWidget], QAccessible.Role]]] = {}
_VALUED: Final = (Role.Slider, Role.ProgressBar)
_AGAIN_S: Final = 5.0
"""The same sentence is not said again sooner, however often a signal comes and goes."""
_said: dict[str, float] = {}


def told_as(role: QAccessible.Role) -> Callable[[Kind], Kind]:
    """Of a class: its widgets are this."""

    def register(kind: Kind) -> Kind:
        _ROLES[kind.__name__] = (kind, role)
        return kind

    return register


class _Face(QAccessibleWidget):
    """What is told of one widget."""

    def text(self, kind: QAccessible.Text) -> str:
        """As Qt has it; where nothing is described, what the widget shows."""
        owner = self.object()
        if kind is QAccessible.Text.Value and self.role() in _VALUED:
            return spoken(owner)
        if kind is QAccessible.Text.Description and isinstance(owner, QWidget):
            return owner.accessibleDescription() or spoken(owner) or str(super().text(kind))
        return str(super().text(kind))


def spoken(owner: QObject) -> str:
    """What a widget shows, in words; "" where it does not say."""
    say = getattr(owner, "spoken", None)
    return str(say()) if callable(say) else ""


def _face_of(name: str, owner: QObject | None) -> QAccessibleWidget | None:
    kind, role = _ROLES.get(name, (None, Role.NoRole))
    return _Face(owner, role) if kind is not None and isinstance(owner, kind) else None


class _Installed:
    done: bool = False


def install() -> None:
    """From now on it is told. Called once the program has begun; more often does nothing."""
    if not _Installed.done and hasattr(QAccessible, "installFactory"):
        _Installed.done = True
        QAccessible.installFactory(_face_of)


def announce(owner: QWidget, sentence: str, *, urgent: bool = False) -> None:
    """Have this read aloud now, where somebody listens: for what happens, never for what is shown anew.

    Args:
        owner: Of the window in which it happened.
        sentence: What there is to say; "" says nothing.
        urgent: It breaks into what is being read.
    """
    now_s = time.monotonic()
    if not sentence or not QAccessible.isActive() or now_s - _said.get(sentence, -_AGAIN_S) < _AGAIN_S:
        return
    for old in [each for each, said_s in _said.items() if now_s - said_s >= _AGAIN_S]:
        del _said[old]
    _said[sentence] = now_s
    event = QAccessibleAnnouncementEvent(owner, sentence)
    politeness = QAccessible.AnnouncementPoliteness
    event.setPoliteness(politeness.Assertive if urgent else politeness.Polite)
    _send(event)


def _send(event: QAccessibleAnnouncementEvent) -> None:
    QAccessible.updateAccessibility(event)
