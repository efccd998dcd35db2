"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import IO, Final

from semc_core.errors import SaveError
from semc_core.io.private import new_private_file
from semc_core.io.process import is_running
from semc_core.io.regular import is_folder
from semc_core.language import _

_SUFFIX: Final = ".tmp"
_LEFT_OVER_AFTER_S: Final = 60.0
_MOST_DIGITS: Final = 9
"""Of the number of a process."""


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file so that a reader, or a restart after a kill, sees all of it or none of it.

    Written under a temporary name in the same folder, flushed to the disk, then renamed.

    Args:
        path: Where.
        content: All of it.
        private: Whether only its owner may read it; else the umask holds.

    Raises:
        SaveError: The file could not be written; an older file of that name is untouched.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        try:
            with _opened(temporary, private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        flush(path.parent)
    except OSError as error:
        raise save_error(path.parent, error) from error


def _opened(temporary: Path, private: bool) -> IO[bytes]:
    if not private:
        return temporary.open("wb")
    # What a killed program of the same number left.
    temporary.unlink(missing_ok=True)
    return os.fdopen(new_private_file(temporary), "wb")


def flush(path: Path) -> None:
    """Flush a file, or a folder with the names in it, to the disk: both survive a power cut.

    Windows flushes no folders and needs not to, and a file only when it is writable.

    Raises:
        OSError: The disk did not take it.
    """
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, older_than_s: float = _LEFT_OVER_AFTER_S) -> None:
    """Remove temporary files that a killed program left in `folder`, its folders and their clips.

    At once where the program of the number in their names does not run; young ones of another may be in work,
    and stay.

    Raises:
        SaveError: The folder could not be read or a leftover could not be removed.
    """
    if not is_folder(folder):
        return
    newest_s = time.time() - older_than_s
    try:
        for pattern in (f"*{_SUFFIX}", f"*/*{_SUFFIX}", f"*/clips/*{_SUFFIX}"):
            for path in folder.glob(pattern):
                if _is_ours(path) and (_writer_is_gone(path) or path.stat().st_mtime <= newest_s):
                    path.unlink(missing_ok=True)
    except OSError as error:
        raise save_error(folder, error) from error


def save_error(folder: Path, error: OSError) -> SaveError:
    """The sentence for a failed write to `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SaveError(
            _("The disk is full; free space for {folder}, or choose another folder.", folder=folder)
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SaveError(
            _("{folder} may not be written to; choose another folder for the results.", folder=folder)
        )
    reason = error.strerror or type(error).__name__
    return SaveError(
        _(
            "Nothing could be written to {folder} ({reason}); check it, or choose another folder.",
            folder=folder,
            reason=reason,
        )
    )


def _writer_is_gone(path: Path) -> bool:
    """Whether no program has the number in the name; one that has may be the writer."""
    number = path.name.split(".")[-2]
    return len(number) <= _MOST_DIGITS and not is_running(int(number))


def _is_ours(path: Path) -> bool:
    """Whether the name is one that `write_atomically` gives: NAME.SUFFIX.PID.tmp."""
    parts = path.name.split(".")
    return len(parts) >= 4 and parts[-2].isdigit() and parts[-3] in ("png", "json", "csv", "mkv", "npy", "md")
