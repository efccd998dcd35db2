"""Public data sets that are known by name: where they are and under what terms.

What a hub offers under a name, known before anything is downloaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from semc_core.errors import UsageError

_ZENODO: Final = re.compile(r"zenodo:(\d{1,12})")
_HUGGING_FACE: Final = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set.

    Attributes:
        name: As typed, and the name of its folder.
        about: What it is, one sentence.
        licence: As published; "" where the hub is asked.
        record: Number of its record on Zenodo, or "".
        repository: OWNER/NAME on the Hugging Face hub, or "".
        revision: Of the repository; "" for the newest.
        page: Where a person gets it, if no program may or can.
    """

    name: str
    about: str
    licence: str = ""
    record: str = ""
    repository: str = ""
    revision: str = ""
    page: str = ""


KNOWN: Final = (
    Entry(
        "FETAL_PLANES_DB",
        "12,400 fetal screening pictures of 1,792 patients, six classes (Burgos-Artizzu et al. 2020).",
        licence="CC BY 4.0",
        record="3904280",
    ),
    Entry(
        "HC18",
        "1,334 fetal head planes for measuring the circumference (van den Heuvel et al. 2018).",
        licence="CC BY 4.0",
        record="1327317",
    ),
    Entry(
        "CAMUS",
        "Apical two- and four-chamber loops of 500 patients (Leclerc et al. 2019).",
        licence="its own terms, for research only",
        page="https://www.creatis.insa-lyon.fr/Challenge/camus/",
    ),
    Entry(
        "FPUS23",
        "15,728 pictures of a fetal phantom (Prabakaran et al. 2023).",
        licence="MIT, as its repository says",
        page="https://github.com/bharathprabakaran/FPUS23",
    ),
    Entry(
        "LP2025",
        "9,369 pictures of six liver planes and none (SEMC paper).",
        licence="see the paper",
        page="its authors, named in the SEMC paper",
    ),
)


def find(name: str) -> Entry:
    """The entry of a known name, of "zenodo:RECORD", or of "hf:OWNER/NAME[@REVISION]".

    Raises:
        UsageError: It is none of them.
    """
    for entry in KNOWN:
        if entry.name.casefold() == name.casefold().replace("-", "_"):
            return entry
    if found := _ZENODO.fullmatch(name):
        return Entry(f"zenodo-{found[1]}", "", record=found[1])
    if found := _HUGGING_FACE.fullmatch(name):
        return Entry(found[1].replace("/", "-"), "", repository=found[1], revision=found[2] or "")
    known = ", ".join(entry.name for entry in KNOWN)
    raise UsageError(f"{name!r} is not known; choose {known}, zenodo:RECORD or hf:OWNER/NAME.")


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """One file: name, bytes, and "md5:...", "sha256:..." or "git:..." (the name of a git blob)."""

    name: str
    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A data set of a hub: title, licence as the hub states it ("" if it does not), files, page, version."""

    title: str
    licence: str
    files: tuple[OfferedFile, ...]
    page: str
    version: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files)
