"""Fresh processes until their first painted window: a bare one of Qt's, and the program's own. No Qt here."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from semc_core.cli.bench.window import Start, Until
from semc_core.errors import SemcError, UsageError
from semc_core.io.process import own_command

_BARE: Final = Path(__file__).with_name("bare.py")
_LONGEST_S: Final = 120
"""By then the program ends by itself, should this one be gone."""
OPENED: Final = ("live", "--painted", "--seconds", str(_LONGEST_S))
"""What the program is given to tell when its window was first painted, and when all of it is loaded."""


def measure_starts(runs: int, *, offscreen: bool) -> tuple[list[Start], list[Start]]:
    """Start both in turns, `runs` times, after one start of each that is not counted.

    Returns:
        The bare window's, and the program's.

    Raises:
        SemcError: One of them did not show a window.
        UsageError: This program is one file, without a Python to start the bare window with.
    """
    if getattr(sys, "frozen", False):
        raise UsageError("This measurement needs SEMC Live as a Python package; install it with pip.")
    own = [*own_command(), *OPENED]
    bare = [sys.executable, str(_BARE), *(("-platform", "offscreen") if offscreen else ())]
    kinds = (bare, 1), ([*own, "--offscreen"] if offscreen else own, 2)
    starts: tuple[list[Start], list[Start]] = ([], [])
    for run in range(runs + 1):
        for (arguments, lines), kept in zip(kinds, starts, strict=True):
            start = start_of(arguments, lines)
            if run:
                kept.append(start)
    return starts


def start_of(command: Sequence[str], lines: int) -> Start:
    """Start a program, and end it when it has told so many times where it is.

    Raises:
        SemcError: It ended before.
    """
    begun_s = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as process:
        try:
            told = [_told(process.stdout, begun_s) for _ in range(lines)]
        finally:
            process.kill()
    return Start(told[0], told[-1])


def _told(output: IO[str] | None, begun_s: float) -> Until:
    line = "" if output is None else output.readline()
    if not line:
        raise SemcError("The window did not open; start semc live by itself to see why.")
    return Until(time.perf_counter() - begun_s, float(line))
