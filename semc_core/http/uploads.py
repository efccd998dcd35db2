"""Files that were sent, while they are needed: for the owner alone, under names of the service's own."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError
from semc_core.http.bounds import Bounds, Refusal
from semc_core.io.atomic import save_error
from semc_core.io.leftovers import leftovers, work_done, work_path
from semc_core.io.private import make_private_folder, new_private_file

MEGABYTE: Final = 1_000_000
_CHECKED_EVERY: Final = 16 * MEGABYTE
STEM: Final = "upload"
"""What each file is called, and with it its source, whatever its sender calls it."""
_FULL: Final = "There is too little room on the disk of the service; make room, and send it again."


class Uploads:
    """A folder for what is sent. What a service that was killed left in it is removed at once.

    Several services may share a folder: each has one of its own in it.
    """

    def __init__(self, folder: Path) -> None:
        """Make it ready.

        Raises:
            SaveError: It cannot be written to.
        """
        try:
            make_private_folder(folder)
            for path, name, _ in leftovers(folder):
                if name == STEM and path.is_dir():
                    shutil.rmtree(path)
            self._work = work_path(folder / STEM)
            make_private_folder(self._work, exist_ok=False)
        except OSError as error:
            raise save_error(folder, error) from error
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._work, ignore_errors=True)
        work_done(self._work)

    def new(self, suffix: str) -> Path:
        """Where the next one is written; its folder is there.

        Raises:
            Refusal: There is no room.
        """
        folder = self._work / str(next(self._numbers))
        try:
            make_private_folder(folder)
        except OSError as error:
            raise Refusal(507, _FULL) from error
        return folder / f"{STEM}{suffix}"

    def remove(self, path: Path) -> None:
        """Take away what `new` gave. May be called twice."""
        shutil.rmtree(path.parent, ignore_errors=True)

    def check_room(self, bounds: Bounds, needed: int = 0) -> None:
        """Raises Refusal where the disk has too little room for so many more bytes."""
        try:
            free = shutil.disk_usage(self._work).free
        except OSError as error:
            raise SaveError("The folder for uploads is gone; start the service again.") from error
        if free - needed < bounds.least_free_mb * MEGABYTE:
            raise Refusal(507, _FULL)


async def receive(
    chunks: AsyncIterator[bytes], uploads: Uploads, path: Path, bounds: Bounds, patience: asyncio.Timeout
) -> None:
    """Write what comes to a new file of `uploads`, within bounds and while `patience` lasts.

    Raises:
        Refusal: It is too large, too slow or nothing, or there is no room.
    """
    size = unchecked = 0
    try:
        async with patience:
            with open(new_private_file(path), "wb") as file:  # noqa: PTH123 - a descriptor
                while chunk := await _next(chunks, bounds.silence_s):
                    size += len(chunk)
                    if size > bounds.most_mb * MEGABYTE:
                        raise Refusal(413, too_large(bounds))
                    file.write(chunk)
                    # Others fill the disk too, and not every sender says how much there is.
                    unchecked += len(chunk)
                    if unchecked >= _CHECKED_EVERY:
                        unchecked = 0
                        uploads.check_room(bounds)
    except TimeoutError as error:
        raise Refusal(408, "The file came too slowly; send it again over a faster connection.") from error
    except OSError as error:
        raise Refusal(507, _FULL) from error
    if not size:
        raise Refusal(422, "Nothing was sent; send the file itself as the body of the request.")


def too_large(bounds: Bounds) -> str:
    """The sentence."""
    return f"The file is larger than {bounds.most_mb} MB; send a shorter loop, or analyse it by semc analyse."


async def _next(chunks: AsyncIterator[bytes], silence_s: float) -> bytes:
    """The next bytes; none at the end."""
    async with asyncio.timeout(silence_s):
        async for chunk in chunks:
            if chunk:
                return chunk
    return b""
