"""The bar that commands show while they go through files, and lines where there is no terminal for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

_EVERY_S: Final = 5.0


class ProgressLines:
    """Says on standard error how far something is, a line every few seconds at most."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Something begins now."""
        self._now_s = now_s
        self._said_s = now_s()

    def show(self, step: str, done: int, total: int) -> None:
        """So many are done of `total`, which is 0 where that is not known."""
        if self._now_s() - self._said_s < _EVERY_S:
            return
        self._said_s = self._now_s()
        print(f"{step}: {done} of {total}" if total else step, file=sys.stderr, flush=True)


class _RateColumn(TextColumn):
    """So many per second."""

    def __init__(self, things: str) -> None:
        super().__init__("")
        self._things = things

    def render(self, task: Any) -> Text:
        """The mean rate of one bar since its start."""
        elapsed_s = task.finished_time or task.elapsed
        return Text(f"{task.completed / elapsed_s:.0f} {self._things}/s" if elapsed_s else "")


def progress_bar(console: Console, things: str) -> Progress:
    """A bar for each task, on `console`; `things` are what is counted, "frames"."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(things),
        TimeRemainingColumn(),
        console=console,
    )


def passing_bar(console: Console | None = None, *, hidden: bool = False) -> Progress:
    """A bar that leaves nothing behind; where there is no terminal, nothing is shown at all.

    There rich's own would print an empty line at its end.
    """
    there = Console() if console is None else console
    return Progress(console=there, transient=True, disable=hidden or not there.is_interactive)
