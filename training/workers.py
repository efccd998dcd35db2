"""Processes that work side by side."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool


@contextmanager
def workers(count: int) -> Iterator[Pool]:
    """So many processes. Ctrl+C is for this one, which ends them; each would print where it was.

    Windows keeps it from none of them.
    """
    with _ignoring_ctrl_c():
        pool = multiprocessing.get_context("spawn").Pool(count)
    with pool:
        yield pool


@contextmanager
def _ignoring_ctrl_c() -> Iterator[None]:
    """What is started in here ignores it, too, from its first moment. Only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
