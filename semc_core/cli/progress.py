"""The bar that commands show while they go through files."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text


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
