"""Reading files that are files: a pipe or a device in the place of one would be waited for without end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Final

from semc_core.language import N_

_SPECIAL: Final = (
    (stat.S_ISDIR, N_("a folder")),
    (stat.S_ISFIFO, N_("a pipe")),
    (stat.S_ISSOCK, N_("a socket")),
    (stat.S_ISCHR, N_("a device")),
    (stat.S_ISBLK, N_("a device")),
)


def is_folder(path: Path) -> bool:
    """Whether it is one that can be seen.

    `Path.is_dir` raises instead where a folder above may not be entered, a network drive does not answer,
    or the name is too long. Here that is as if it were not there: who goes on to open it is told why.
    """
    return _seen(path.is_dir)


def is_file(path: Path) -> bool:
    """As `is_folder`, of a file."""
    return _seen(path.is_file)


def is_there(path: Path) -> bool:
    """As `is_folder`, whatever it is."""
    return _seen(path.exists)


def _seen(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError:
        return False


def special_kind(mode: int) -> str:
    """What a file of this mode (`os.stat`) is, "a pipe" for example; "" of a regular file."""
    return next((what for is_kind, what in _SPECIAL if is_kind(mode)), "")


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading.

    Raises:
        OSError: It cannot be opened, or is something else, as its `strerror` says.
    """
    # Before it is opened: that alone can make a device do something. And after, for what was changed between.
    _check(path, path.stat().st_mode)
    file = os.fdopen(os.open(path, os.O_RDONLY | _NOT_WAITING), "rb")
    try:
        _check(path, os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path) -> bytes:
    """All of a file. Raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return file.read()


_NOT_WAITING: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _check(path: Path, mode: int) -> None:
    what = special_kind(mode)
    if what == "a folder":
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
    if what:
        raise OSError(errno.EINVAL, f"It is {what}, not a file", str(path))
