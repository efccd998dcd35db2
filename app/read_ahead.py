"""Reads the pictures of the session that is shown while nothing else goes on: an export finds them read.

Not while a scan runs: a reading takes seconds on both cores of a small machine, and a scan's answers are what
it would be in the way of. No Qt here.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.tasks import Background, Post, fault_of
from semc_core.errors import SemcError
from semc_core.extras import installed
from semc_core.review.analysis import ReviewPhase

if TYPE_CHECKING:
    from app.dialogs import DialogHost
    from app.live.controller import ScanController
    from app.live.page import LivePage
    from app.review.controller import ReviewController
    from semc_core.export.ahead import Done
    from semc_core.export.kept_readings import KeptReadings

QUIET_S: Final = 2.0
"""For so long nothing has changed before reading begins."""

Wanted = tuple[Path, object]
"""A session's folder, and what is another when its planes are."""


class ReadAhead:
    """Goes through one session at a time, on a thread that others go before.

    Called by the window's thread, but for `readings_of`.

    Attributes:
        quiet_s: See `QUIET_S`.
    """

    def __init__(self, data: Path, post: Post) -> None:
        """Nothing is read yet.

        Args:
            data: The user's own data, where readings are kept.
            post: See `app.tasks`.
        """
        self.quiet_s = QUIET_S
        self._data = data
        self._work = Background("read-ahead", post, others_first=True)
        self._lock = threading.Lock()
        self._readings: tuple[str, KeptReadings] | None = None
        self._done: tuple[Path | None, set[Done]] = (None, set())
        self._cancel = threading.Event()
        self._wanted: Wanted | None = None
        self._since_s: float | None = None
        self._begun: Wanted | None = None
        self._running = False

    def follow(
        self,
        now_s: float,
        scan: ScanController,
        review: ReviewController,
        live: LivePage,
        dialogs: DialogHost,
    ) -> None:
        """Read what is in review, or was scanned last, when nothing else goes on: to be called often."""
        wanted, idle = to_read(scan, review, live, dialogs)
        self.tick(now_s, wanted, idle=idle)

    def tick(self, now_s: float, wanted: Wanted | None, *, idle: bool) -> None:
        """Begin, go on or leave off: to be called often.

        Args:
            now_s: `time.monotonic()`.
            wanted: What is to be read; None reads nothing.
            idle: Whether nothing else goes on that a reading would be in the way of.
        """
        if not idle or wanted is None or wanted != self._wanted:
            self._cancel.set()
            self._wanted, self._begun = wanted, None
            self._since_s = now_s if idle else None
            return
        if self._since_s is None:
            self._since_s = now_s
        quiet = now_s - self._since_s >= self.quiet_s
        if quiet and not self._running and self._begun != wanted:
            self._begin(wanted)

    def readings_of(self, session_id: str) -> KeptReadings:
        """What was read in the pictures of this session, shared by all who read. For any thread."""
        from semc_core.export.kept_readings import KeptReadings

        with self._lock:
            if self._readings is None or self._readings[0] != session_id:
                self._readings = session_id, KeptReadings(self._data, session_id)
            return self._readings[1]

    def close(self) -> None:
        """Leave off; waits for the end of the picture that is being read."""
        self._cancel.set()
        self._work.close(forget=True)

    def _begin(self, wanted: Wanted) -> None:
        self._begun, self._running = wanted, True
        self._cancel = cancel = threading.Event()
        folder = wanted[0]
        if self._done[0] != folder:
            self._done = folder, set()
        done = self._done[1]
        self._work.start(lambda: self._go_through(folder, cancel, done), self._over)

    def _over(self, future: Future[None]) -> None:
        self._running = False
        error = future.exception()
        # What a session's files lack is told by the export, where somebody waits for it.
        if error is not None and not isinstance(error, SemcError):
            fault_of(error)

    # On its thread.

    def _go_through(self, folder: Path, cancel: threading.Event, done: set[Done]) -> None:
        if not installed("rapidocr"):
            return
        from semc_core.export.ahead import LateFinder, read_ahead
        from semc_core.export.watch import Watch
        from semc_core.io.process import give_back_memory

        try:
            read_ahead(folder, self._data, LateFinder(), self.readings_of, Watch(cancel=cancel), done)
        finally:
            give_back_memory()  # the reader alone is hundreds of MiB


def to_read(
    scan: ScanController, review: ReviewController, live: LivePage, dialogs: DialogHost
) -> tuple[Wanted | None, bool]:
    """The session that is in review, or was scanned last; and whether nothing else goes on."""
    exporting = dialogs.exporting
    busy = scan.running or scan.stopping or dialogs.loops.snapshot.going_on
    busy = busy or (exporting is not None and exporting.running)
    opened = review.open
    if opened is not None:
        busy = busy or review.progress.phase in (ReviewPhase.LOADING, ReviewPhase.ANALYSING)
        return (opened.session.folder, review.snapshot.planes), not busy
    folder = live.session_folder if scan.over else None
    return (None if folder is None else (folder, live.saved)), not busy
