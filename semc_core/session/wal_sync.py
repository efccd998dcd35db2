"""Bringing commits to the disk itself, on a thread of its own.

A commit is in the system's hands when it returns: a killed program loses nothing of it. Only a power cut
could, until the system writes it out, so this thread asks for that at once. Nobody waits for it: a slow disk
would hold up the frames that come, and a person's work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from semc_core.errors import SaveError
from semc_core.io.atomic import save_error


class WalSync:
    """Flush a file whenever asked to. For any thread; the thread is started by the first request."""

    def __init__(self, path: Path, flushed: Callable[[], None]) -> None:
        """Nothing is started yet.

        Args:
            path: SQLite's write-ahead log, on which SQLite holds no lock that our closing would drop.
            flushed: Called after each flush, on the thread.
        """
        self._path = path
        self._flushed = flushed
        self._changed = threading.Condition()
        self._wanted = False
        self._closed = False
        self._error: SaveError | None = None
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Flush soon; does not wait. Ignored after `close`."""
        with self._changed:
            if self._closed:
                return
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="session-sync")
                self._thread.start()
            self._changed.notify_all()

    def raise_fault(self) -> None:
        """Raises SaveError, once, if a flush failed."""
        with self._changed:
            error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """End the thread. What was not flushed yet is flushed by closing the database."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._next():
            try:
                descriptor = os.open(self._path, os.O_RDWR)
            except FileNotFoundError:
                # The database was closed, and all is in its main file.
                continue
            except OSError as error:
                self._fail(error)
                continue
            try:
                os.fsync(descriptor)
            except OSError as error:
                self._fail(error)
            else:
                self._flushed()
            finally:
                os.close(descriptor)

    def _next(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted)
            self._wanted = False
            return not self._closed

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self._error = save_error(self._path.parent, error)
