"""The exports of all loops that are done, one after the other into one folder. No Qt here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.tasks import Background, Post, fault_of
from semc_core.errors import ExportCancelled, SemcError
from semc_core.io.atomic import save_error
from semc_core.language import _, joined, plural
from semc_core.session.session import Session

if TYPE_CHECKING:
    from semc_core.export.options import ExportOptions

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exporting:
    """How the exports stand.

    Attributes:
        total: How many loops are exported; 0 before the first time.
        done: How many came to their end, made or failed.
        made: How many exports were made.
        waiting: How many of them left planes out until somebody answers for text.
        failures: Of each that failed its loop and why, sentences.
        running: Whether they go on.
        cancelled: Whether a person ended them; those that were made stay.
        folder: Where they go.
    """

    total: int = 0
    done: int = 0
    made: int = 0
    waiting: int = 0
    failures: tuple[str, ...] = ()
    running: bool = False
    cancelled: bool = False
    folder: Path = Path()

    @property
    def words(self) -> str:
        """All that is to be said of them, sentences; "" before the first time."""
        if not self.total:
            return ""
        if self.running and self.cancelled:
            return _("Cancelling")
        if self.running:
            now = _("Exporting: {done} of {total}.", done=self.done, total=self.total)
            return joined((now, *self.failures))
        made = plural(
            "{made} of {count} loop is exported into {folder}.",
            "{made} of {count} loops are exported into {folder}.",
            self.total, made=self.made, folder=self.folder,
        )  # fmt: skip
        ended = _("The export was stopped; what was made stays.") if self.cancelled else ""
        waits = ""
        if self.waiting:
            waits = plural(
                "In {count} export planes wait for your answer: review the loop, and export it by itself.",
                "In {count} exports planes wait for your answer: review each loop, and export it by itself.",
                self.waiting,
            )
        return joined((ended, made, waits, *self.failures))


class LoopExports:
    """Called by the window's thread; only `close` waits.

    Attributes:
        state: How they stand.
        data: Where masks and the key of exports are kept.
        on_change: `state` is another.
    """

    def __init__(self, post: Post) -> None:
        """Nothing is exported yet."""
        self.state = Exporting()
        self.data: Callable[[], Path | None] = lambda: None
        self.on_change: Callable[[], object] = lambda: None
        self._post = post
        self._cancel = threading.Event()
        self._work = Background("loops-export", post)

    def start(self, sessions: Sequence[Path], folder: Path, options: ExportOptions) -> None:
        """Export these sessions with the same options; nothing happens while others are exported.

        Args:
            sessions: Their folders.
            folder: Where each gets a folder, or a ZIP file, of its own.
            options: The user's choices; of no single scan.
        """
        if self.state.running or not sessions:
            return
        self._cancel.clear()
        self._become(Exporting(len(sessions), running=True, folder=folder))
        data = self.data()
        for session in sessions:
            self._work.start(
                partial(self._export, session, folder, options, data), partial(self._ended, session)
            )

    def cancel(self) -> None:
        """Make no other; the one that is being made is not, and those that were made stay."""
        if self.state.running:
            self._cancel.set()
            self._become(replace(self.state, cancelled=True))

    def close(self) -> None:
        """Cancel, and wait for the end."""
        self._cancel.set()
        self._work.close(forget=True)

    def _export(self, folder: Path, into: Path, options: ExportOptions, data: Path | None) -> int:
        """On a thread. Returns how many planes wait for an answer."""
        from semc_core.export.bundle import export_session
        from semc_core.protocols.standing import Standings

        if self._cancel.is_set():
            raise ExportCancelled(_("The export was cancelled; nothing was written."))
        try:
            with Session.open(folder) as session:
                own = replace(options, protocol=Standings().protocol_of(session) if options.report else None)
                result = export_session(session, _free(into), own, cancel=self._cancel, data=data)
        except OSError as error:
            raise save_error(into, error) from error
        return len(result.held)

    def _ended(self, session: Path, future: Future[int]) -> None:
        state, error = self.state, future.exception()
        if error is None:
            waits = state.waiting + (future.result() > 0)
            state = replace(state, made=state.made + 1, waiting=waits)
        elif not isinstance(error, ExportCancelled):
            if not isinstance(error, SemcError):
                # The type only: an error may name a file, and a file may be named after a patient.
                _log.error("An export of a list failed: %s", type(error).__name__)
            told = _("{loop}: {problem}", loop=session.name, problem=fault_of(error))
            state = replace(state, failures=(*state.failures, told))
        done = state.done + 1
        self._become(replace(state, done=done, running=done < state.total))

    def _become(self, state: Exporting) -> None:
        self.state = state
        self.on_change()


def _free(folder: Path) -> Path:
    """A name that nothing there has. A number alone: a session may be named after its source."""
    number = 1
    while any((folder / f"export-{number:03d}{tail}").exists() for tail in ("", ".zip")):
        number += 1
    return folder / f"export-{number:03d}"
