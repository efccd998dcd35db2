"""A user at a display of its own: Xvfb, openbox as window manager, and xdotool for mouse and keys."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEventLoop, QObject, QPoint, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget

from semc_core.errors import SemcError

SCREEN: Final = "1440x900x24"


class StoryError(SemcError):
    """The window did not do what was expected."""


def turn(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def button(within: QObject | None, text: str) -> QAbstractButton:
    """The button on screen that begins with this text."""
    for each in [] if within is None else within.findChildren(QAbstractButton):
        if each.isVisible() and each.text().startswith(text):
            return each
    raise StoryError(f"There is no button {text!r} on screen.")


class User:
    """Sees the screen, moves the mouse, presses keys, and waits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pictures = 0

    def key(self, *names: str) -> None:
        """Press keys, one after the other, as X calls them."""
        for name in names:
            self._xdotool("key", "--clearmodifiers", name)
            turn(0.2)

    def type(self, text: str) -> None:
        """Type this where the keys go."""
        self._xdotool("type", "--delay", "20", text)
        turn(0.2)

    def click(self, on: QWidget, at: QPoint | None = None, mouse_button: int = 1) -> None:
        """Click on a widget, in its middle unless told where; what lies over it is an error."""
        where = on.mapToGlobal(at or on.rect().center())
        hit = QApplication.widgetAt(where)
        if hit is None or (hit is not on and not on.isAncestorOf(hit)):
            raise StoryError(f"A click on {on.accessibleName() or type(on).__name__} would hit {hit}.")
        self._xdotool("mousemove", str(where.x()), str(where.y()))
        turn(0.15)
        self._xdotool("click", str(mouse_button))
        turn(0.25)

    def press(self, within: QObject | None, text: str) -> None:
        """Click on the button with this text, which works."""
        wanted = button(within, text)
        self.until(wanted.isEnabled, f"the button {text!r} works", 20)
        self.click(wanted)

    def choose(self, text: str) -> None:
        """Click on an entry of the menu that is open."""
        menu = QApplication.activePopupWidget()
        if not isinstance(menu, QMenu):
            raise StoryError(f"No menu is open to choose {text!r} from.")
        wanted = next(action for action in menu.actions() if action.text().startswith(text))
        self.click(menu, menu.actionGeometry(wanted).center())

    def until(self, holds: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait until something holds."""
        end_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end_s:
                self.look("not-so")
                raise StoryError(f"Not so within {seconds:.0f} s: {what}.")
            turn(0.05)

    def look(self, name: str) -> None:
        """Write what is on the screen."""
        turn(0.4)
        self._pictures += 1
        path = self._folder / f"{self._pictures:02d}-{name}.png"
        QApplication.primaryScreen().grabWindow(0).save(str(path))
        print(path, flush=True)

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True)


def expect(holds: object, what: str) -> None:
    """Something that must be so now."""
    if not holds:
        raise StoryError(f"Not so: {what}.")


@contextmanager
def display() -> Iterator[str]:
    """A display of its own, with a window manager. Gives its name."""
    reading, writing = os.pipe()
    # It ends with its last client, which is this program: Qt holds on to its display to the end.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp", "-terminate"]
    subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as said:
        name = f":{said.readline().strip()}"
    with subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": name}) as manager:
        try:
            yield name
        finally:
            manager.terminate()
