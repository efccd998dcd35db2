"""Who clears away what Python finds unused: the window's thread, and no other while there is a window.

Python looks for objects that only hold each other on whichever thread happens to make one more, and stops all
threads for it. Were a widget among them, Qt would take it apart on a thread that is not its own, and the
program would die of it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QTimer

_LOOK_MS: Final = 250
_FULL_EVERY: Final = 40
"""Rounds of the middle generation between two looks at all objects, which take longest."""


@contextmanager
def cleared_by_this_thread() -> Iterator[None]:
    """What becomes unused is cleared by this thread, between Qt's events; what is there now is left alone.

    To look through all that the libraries made would take 40-80 ms, in which every thread stands. At the end
    it is given back, for libraries that look whether theirs is gone.
    """
    before = gc.isenabled()
    gc.disable()
    gc.freeze()
    timer = QTimer()
    timer.timeout.connect(clear_what_is_due)
    timer.start(_LOOK_MS)
    try:
        yield
    finally:
        timer.stop()
        gc.unfreeze()
        if before:
            gc.enable()


def leave_alone() -> None:
    """In such a context, leave alone what is there by now, too: libraries that were loaded in it."""
    if gc.get_freeze_count():
        gc.freeze()


def clear_what_is_due() -> None:
    """Look through the generations whose count is over its limit, as Python would; the oldest less often."""
    young, middle, old = gc.get_count()
    limits = gc.get_threshold()
    if old > _FULL_EVERY:
        gc.collect(2)
    elif middle > limits[1]:
        gc.collect(1)
    elif young > limits[0]:
        gc.collect(0)
