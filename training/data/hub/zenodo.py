"""A record of Zenodo: its licence, and its files with their checksums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from semc_core.errors import SourceError
from training.data.hub.catalogue import Offer, OfferedFile
from training.data.hub.download import Progress, download, fetch_text, unpack

ADDRESS: Final = "https://zenodo.org"


def offer(record: str, address: str = ADDRESS) -> Offer:
    """What a record offers.

    Raises:
        SourceError: It cannot be had, or is not open.
    """
    answer = fetch_text(f"{address}/api/records/{record}")
    try:
        found: dict[str, Any] = json.loads(answer)
        about = found["metadata"]
        files = tuple(_file(each) for each in found["files"])
        licence = about.get("license") or {}
        return Offer(str(about["title"]), str(licence.get("id", "")), files, f"{address}/records/{record}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"The record {record} of Zenodo cannot be read; it may not be open.") from error


def fetch(
    offered: Offer, record: str, folder: Path, progress: Progress, address: str = ADDRESS, pause_s: float = 2
) -> None:
    """Get a record's files into `folder`; a ZIP file becomes a folder of its name.

    Raises:
        SourceError: See `download` and `unpack`.
        SaveError: Something cannot be written.
    """
    done = 0
    for each in offered.files:
        before = done
        unpacked = folder / Path(each.name).stem
        done += each.size
        if each.name.lower().endswith(".zip") and unpacked.is_dir():
            progress(done, offered.size)
            continue
        url = f"{address}/api/records/{record}/files/{quote(each.name)}/content"
        path = folder / each.name

        def told(there: int, _: int, before: int = before) -> None:
            progress(before + there, offered.size)

        download(url, path, each.size, each.checksum, told, pause_s)
        if each.name.lower().endswith(".zip"):
            unpack(path, unpacked)
            path.unlink()


def _file(plain: dict[str, Any]) -> OfferedFile:
    """Raises SourceError for a name that is no plain file name."""
    name = str(plain["key"])
    if Path(name).name != name or name.startswith(".") or "\\" in name:
        raise SourceError(f"The record names the file {name!r}, which is no plain name; download it by hand.")
    return OfferedFile(name, int(plain["size"]), str(plain["checksum"]))
