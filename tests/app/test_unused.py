"""Widgets that nobody holds any longer are taken apart by the window's thread."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.unused import clear_what_is_due, cleared_by_this_thread

_MADE = 40_000
"""Far more than Python makes between two looks for what is unused."""


class HoldsItself(QObject):
    """As a dialog does whose actions are its own methods."""

    def __init__(self, ended_on: list[threading.Thread]) -> None:
        super().__init__()
        self.itself = self
        self.ended_on = ended_on

    def __del__(self) -> None:
        self.ended_on.append(threading.current_thread())


def test_what_another_thread_makes_ends_no_widget_there(qtbot: QtBot) -> None:
    ended_on: list[threading.Thread] = []
    made: list[list[int]] = []
    with cleared_by_this_thread():
        HoldsItself(ended_on)
        other = threading.Thread(target=lambda: made.extend([] for _ in range(_MADE)))
        other.start()
        other.join()
        assert not ended_on
        qtbot.waitUntil(lambda: bool(ended_on), timeout=30_000)
    assert ended_on == [threading.main_thread()]


def test_what_is_there_before_the_window_is_not_searched_while_it_is_open() -> None:
    with cleared_by_this_thread():
        assert gc.get_freeze_count() > 10_000
    assert gc.get_freeze_count() == 0, "given back: libraries complain of what they take for lost"


def test_what_was_held_for_long_is_ended_in_time() -> None:
    ended_on: list[threading.Thread] = []
    with cleared_by_this_thread():
        held = HoldsItself(ended_on)
        gc.collect(0)
        gc.collect(1)
        del held
        made: list[list[list[int]]] = []
        while not ended_on and len(made) < 2000:
            made.append([[] for _ in range(1000)])
            clear_what_is_due()
    assert len(ended_on) == 1
    assert len(made) > 1
