"""One writer per folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError, SessionInUse
from semc_core.io.atomic import save_error
from semc_core.language import _

LOCK_NAME: Final = "session.lock"
SHOWN_NAME: Final = "shown.lock"
"""Held by a window whose live page shows the scan of a session: it must not be deleted meanwhile."""


class WriterLock:
    """Held from construction to `release`.

    The lock is on a file of its own: closing a second handle of SQLite's file would drop SQLite's locks.
    """

    def __init__(self, folder: Path, name: str = LOCK_NAME) -> None:
        """Take the lock of what is in `folder`.

        Args:
            folder: Of a session, or of something else that is written by one at a time.
            name: Of the lock's file.

        Raises:
            SessionInUse: Another program, or another part of this one, has it.
            SaveError: The folder cannot be written to, or its file system knows no locks.
        """
        self._path = folder / name
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise save_error(folder, error) from error
            try:
                if os.name != "nt":
                    os.fchmod(descriptor, 0o600)
                free = _lock(descriptor)
                current = free and self._is_current(descriptor)
            except OSError as error:  # Some file systems of networks know no locks.
                os.close(descriptor)
                raise save_error(folder, error) from error
            if current:
                self._descriptor: int | None = descriptor
                return
            os.close(descriptor)
            if not free:
                raise SessionInUse(
                    _("The session {folder} is open elsewhere; close it there first.", folder=folder.name)
                )
            # The last holder removed the file between our opening and our locking it.

    def release(self) -> None:
        """Give the lock back. May be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            if sys.platform != "win32":
                # While it is still ours: the next one makes a new file. One that stays is locked by nobody.
                with contextlib.suppress(OSError):
                    self._path.unlink()
        finally:
            os.close(descriptor)
        if sys.platform == "win32":
            _remove_if_free(self._path)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


def is_held(folder: Path, name: str = LOCK_NAME) -> bool:
    """Whether somebody has the lock of what is in `folder`; where its file is not there none is made."""
    if not (folder / name).exists():
        return False
    try:
        WriterLock(folder, name).release()
    except SessionInUse:
        return True
    except SaveError:
        return False  # it cannot be written to, so nobody does
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _remove_if_free(path: Path) -> None:
        # Windows does not remove a file that somebody has open: then it is the next one's.
        with contextlib.suppress(OSError):
            path.unlink()
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
