"""Files and folders that only their owner can read, whatever the umask says.

What may say who was examined is made here: sessions and what stands in them, logs, settings, keys, the queue
of sending, pictures kept for a training. What the user hands on keeps the umask. Windows keeps a user's
folders from others by itself, and knows no such modes.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

_FOLDER: Final = 0o700
_FILE: Final = 0o600
_OTHERS: Final = 0o077


def make_private_folder(folder: Path, *, parents: bool = True, exist_ok: bool = True) -> None:
    """Make a folder of mode 0700; one that is there is closed to others.

    Args:
        folder: Where.
        parents: Whether those above it that are missing are made too, of the same mode.
        exist_ok: Whether it may be there already.

    Raises:
        OSError: It could not be made; FileExistsError without `exist_ok`.
    """
    if parents and not folder.parent.exists():
        make_private_folder(folder.parent)
    try:
        folder.mkdir(mode=_FOLDER)
    except FileExistsError:
        if not exist_ok or not folder.is_dir():
            raise
        close_to_others(folder)
        return
    # A umask may take even from the owner.
    folder.chmod(_FOLDER)


def new_private_file(path: Path) -> int:
    """Make a file of mode 0600 that is not there yet, and open it for writing.

    Returns:
        Its descriptor, which the caller closes.

    Raises:
        OSError: It could not be made; FileExistsError where there is one.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, _FILE)
    if os.name != "nt":
        os.fchmod(descriptor, _FILE)
    return descriptor


def keep_private_file(path: Path) -> None:
    """Make a file of mode 0600 for somebody else to write to; one that is there is closed to others.

    Raises:
        OSError: It could not be made.
    """
    try:
        os.close(new_private_file(path))
    except FileExistsError:
        close_to_others(path)


def close_to_others(path: Path) -> None:
    """Take from everybody but the owner what they may do with a file or folder; links are left alone.

    What belongs to somebody else, or lies where there are no modes, stays as it is.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)


def close_folder_to_others(folder: Path) -> None:
    """`close_to_others`, also for the files in `folder` and in the folders right in it.

    Not deeper: a stranger's folder may be of any depth, and nobody gets past the first.
    """
    close_to_others(folder)
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            close_to_others(path)
            if path.is_dir() and not path.is_symlink():
                for inner in path.iterdir():
                    close_to_others(inner)
