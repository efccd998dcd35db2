"""How far an export is, and whether it is still wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from semc_core.errors import ExportCancelled
from semc_core.language import _

Progress = Callable[[str, int, int], None]
"""Told of each step: what is done now ("Report", in English, marked), how many are done, of how many."""


def no_progress(step: str, done: int, total: int) -> None:
    """For callers who do not watch."""


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What all steps of one export are watched by.

    Attributes:
        progress: Told of each step.
        cancel: Set by any thread to end the export.
    """

    progress: Progress = no_progress
    cancel: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """To be called between any two pieces of work.

        Raises:
            ExportCancelled: The user has had enough.
        """
        if self.cancel.is_set():
            raise ExportCancelled(_("The export was cancelled; nothing was written."))
