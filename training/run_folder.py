"""Folders that a training writes to: a fault becomes a sentence, and one program writes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from semc_core.errors import SessionInUse, UsageError
from semc_core.io.atomic import save_error
from semc_core.io.lock import WriterLock

_LOCK_NAME: Final = "writing.lock"


@contextmanager
def saving_to(folder: Path) -> Iterator[None]:
    """In here a fault of the disk is told as one of writing to `folder`.

    Raises:
        SaveError: Something could not be written.
    """
    try:
        yield
    except OSError as error:
        raise save_error(folder, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        SaveError: It cannot be made.
    """
    with saving_to(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """In here no other command writes its results to `folder`, which is made if missing.

    Raises:
        UsageError: Another one does already.
        SaveError: The folder cannot be written to.
    """
    make_folder(folder)
    try:
        lock = WriterLock(folder, _LOCK_NAME)
    except SessionInUse as error:
        raise UsageError(
            f"Another command is writing to {folder}; wait for its end, or choose another --out."
        ) from error
    try:
        yield
    finally:
        lock.release()
