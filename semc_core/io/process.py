"""How many threads make sense, which go first, and what this process and others are doing."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

import psutil

from semc_core.paths import ASSETS

_NICE: Final = 10


def usable_cores() -> int:
    """Processor cores that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def let_others_go_first() -> None:
    """On a busy processor this thread, and those that it begins, go after the window and what it waits for.

    Only Linux gives threads such priorities one by one; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def own_command() -> list[str]:
    """How this program is called as a process: the words before those of a command."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, str(ASSETS.parent / "main.py")]


def is_running(pid: int) -> bool:
    """Whether a process of this number is at work; one that has ended and was not waited for is not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True  # somebody else's


def resident_mib() -> float:
    """Memory that this process holds now, MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def give_back_memory() -> None:
    """Give the system what this process freed. To be called when something large is over.

    glibc keeps what threads freed, each in a place of its own: hundreds of MiB after a few exports.
    Elsewhere nothing happens.
    """
    if (trim := _malloc_trim()) is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], object] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
