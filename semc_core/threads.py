"""What threads are told about each other."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

_NICE: Final = 10


def let_others_go_first() -> None:
    """On a busy processor this thread, and those that it begins, go after the window and what it waits for.

    Only Linux gives threads such priorities one by one; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
