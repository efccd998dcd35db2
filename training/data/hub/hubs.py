"""Getting a public data set: what is offered, then all of it, proved and ready to be read."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError, SourceError
from semc_core.io.atomic import save_error, write_atomically
from training.data.hub import hugging_face, zenodo
from training.data.hub.catalogue import Entry, Offer
from training.data.hub.download import Progress

SOURCE_FILE: Final = "semc_source.json"
"""Says where a downloaded data set is from. It is written last: where it is, all is there."""

_ROOM: Final = 2.2
"""Of the bytes offered, so that an archive and what it holds fit."""


def look_up(entry: Entry, address: str | None = None) -> Offer:
    """What the hub offers under this name.

    Args:
        entry: See there.
        address: Of the hub; None for the real one.

    Raises:
        SourceError: A person must get it by hand, or the hub cannot be reached.
    """
    if entry.page:
        raise SourceError(
            f"{entry.name} ({entry.licence}) is not given to programs; get it from {entry.page}, unpack it, "
            "and check it with `semc data check FOLDER`."
        )
    if entry.record:
        return zenodo.offer(entry.record, address or zenodo.ADDRESS)
    return hugging_face.offer(entry.repository, entry.revision, address or hugging_face.ADDRESS)


def is_complete(folder: Path) -> bool:
    """Whether a data set was downloaded into this folder to its end."""
    return (folder / SOURCE_FILE).is_file()


def get(entry: Entry, offered: Offer, folder: Path, progress: Progress, address: str | None = None) -> None:
    """Download all files. After a broken transfer, call it again: it goes on.

    Args:
        entry: See there.
        offered: As `look_up` gave it.
        folder: Made if missing.
        progress: Told how many bytes are there, of how many.
        address: Of the hub; None for the real one.

    Raises:
        SourceError: A file cannot be had, or is not the one published.
        SaveError: There is no room, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise save_error(folder, error) from error
    if free < _ROOM * offered.size:
        raise SaveError(
            f"{entry.name} needs {_ROOM * offered.size / 1e9:.1f} GB of room, and {free / 1e9:.1f} GB are "
            "free; choose another folder with --out."
        )
    if entry.record:
        zenodo.fetch(offered, entry.record, folder, progress, address or zenodo.ADDRESS)
    else:
        hugging_face.fetch(offered, entry.repository, folder, progress, address or hugging_face.ADDRESS)
    facts = {**asdict(offered), "name": entry.name, "downloaded_utc": datetime.now(UTC).isoformat()}
    write_atomically(folder / SOURCE_FILE, json.dumps(facts, indent=2).encode())
