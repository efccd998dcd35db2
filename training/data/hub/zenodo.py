"""A record of Zenodo: its licence, and its files with their checksums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from semc_core.errors import SourceError
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.rules import within
from training.data.hub.catalogue import Offer, OfferedFile
from training.data.hub.download import Progress, download, fetch_text, unpack

ADDRESS: Final = "https://zenodo.org"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a record."""

    key: str
    size: Annotated[int, within(0)]
    checksum: str


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of a record."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a record says of itself."""

    title: str
    license: Licence | None = None


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Record:
    """What is read of a record's answer."""

    metadata: Metadata
    files: tuple[ListedFile, ...]


RECORD: Final = Document(Record)


def offer(record: str, address: str = ADDRESS) -> Offer:
    """What a record offers.

    Raises:
        SourceError: It cannot be had, or is not open.
    """
    answer = fetch_text(f"{address}/api/records/{record}")
    try:
        found = RECORD.parse(answer)
    except DocumentFault as fault:
        raise SourceError(
            f"The record {record} of Zenodo cannot be read ({fault}); it may not be open."
        ) from fault
    about = found.metadata
    licence = "" if about.license is None else about.license.id
    files = tuple(_file(record, each) for each in found.files)
    return Offer(about.title, licence, files, f"{address}/records/{record}")


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


def _file(record: str, listed: ListedFile) -> OfferedFile:
    """Raises SourceError for a name that is no plain file name."""
    name = listed.key
    if Path(name).name != name or name.startswith(".") or "\\" in name:
        raise SourceError(
            f"The record {record} names the file {name[:60]!r}, which is no plain name; download it by hand."
        )
    return OfferedFile(name, listed.size, listed.checksum)
