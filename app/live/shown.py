"""The session of the scan on the page is not deleted by other programs as long as it is shown. No Qt here."""

from __future__ import annotations

import logging
from pathlib import Path

from app.tasks import Background, Post
from semc_core.errors import SemcError
from semc_core.io.lock import SHOWN_NAME, WriterLock

_log = logging.getLogger(__name__)


class ShownSession:
    """Holds its lock. Called by the window's thread; only `close` waits."""

    def __init__(self, post: Post) -> None:
        """Nothing is shown yet; for `post` see `app.tasks`."""
        self._work = Background("shown-session", post)
        self._folder: Path | None = None
        self._lock: WriterLock | None = None

    def follow(self, folder: Path | None) -> None:
        """The session in this folder is shown now, and no other; None for none: to be called often."""
        if folder != self._folder:
            self._folder = folder
            self._work.start(lambda: self._hold(folder), lambda _future: None)

    def close(self) -> None:
        """Nothing is shown any more."""
        self.follow(None)
        self._work.close()

    def _hold(self, folder: Path | None) -> None:
        """On a thread of its own: the disk may be slow."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if folder is not None:
            try:
                self._lock = WriterLock(folder, SHOWN_NAME)
            except SemcError as error:
                # This window itself deletes it not, whatever others do.
                _log.warning("A session that is shown is not locked: %s", type(error).__name__)
