"""What a hub offers under a name, known before anything is downloaded."""

from __future__ import annotations

from dataclasses import dataclass


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
