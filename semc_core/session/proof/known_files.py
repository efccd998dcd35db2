"""Which files of a session its log names, with their hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from semc_core.io.lock import LOCK_NAME, SHOWN_NAME
from semc_core.session.database import DATABASE_FILES
from semc_core.session.recording.parts import TABLE_SUFFIX, videos_there
from semc_core.session.recording.proof import Recordings
from semc_core.session.records import AuditEntry
from semc_core.session.state import Edit
from semc_core.session.vault import FORGOTTEN

HASHES: Final = "hashes"
"""Under this an entry names files that were written, and their SHA-256."""
WRITTEN: Final = "files written"
"""Kind of an entry that says nothing else."""
SET_ASIDE: Final = "set-aside"
"""Folder, in that of a session, of what was found beside a killed session and is none of it."""
_OF_SYSTEMS: Final = frozenset((".DS_Store", ".directory", "Thumbs.db", "desktop.ini"))
"""What file managers leave everywhere."""


def logged_hashes(hashes: Mapping[str, str]) -> dict[str, Any]:
    """The part of an entry's payload that names files."""
    return {HASHES: dict(hashes)} if hashes else {}


def hashes_of(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The last SHA-256 that the log says of each file that was written beside pictures and clips."""
    found: dict[str, str] = {}
    for entry in entries:
        found.update(entry.payload.get(HASHES, {}))
    return found


def hashes_before_erasing(entries: Iterable[AuditEntry]) -> dict[str, set[str]]:
    """SHA-256 that files had before patient data was erased from them: a kill may have come in between."""
    known: dict[str, str] = {}
    found: dict[str, set[str]] = {}
    for entry in entries:
        hashes = entry.payload.get(HASHES, {})
        if entry.kind == FORGOTTEN:
            for name in hashes.keys() & known.keys():
                found.setdefault(name, set()).add(known[name])
        known.update(hashes)
    return found


def replaced_hashes(entries: Iterable[AuditEntry]) -> dict[str, set[str]]:
    """SHA-256 of each picture and clip that any plane ever had, by name."""
    found: dict[str, set[str]] = {}
    for row in _rows(edit for entry in entries for edit in entry.payload.get("edits", ())):
        for column in ("png", "clip"):
            if isinstance(name := row.get(column), str):
                found.setdefault(name, set()).add(str(row.get(f"{column}_sha256")))
    return found


def _rows(edits: Iterable[Edit]) -> Iterator[Mapping[str, Any]]:
    for edit in edits:
        if edit["table"] == "planes":
            yield from (row for row in (edit["before"], edit["after"]) if row is not None)


def recording_names(told: Recordings, folder: Path, *, unlogged: bool) -> set[str]:
    """Videos and tables of the recordings that the log names; with `unlogged` also others that are there."""
    videos = {*told.to_hash, *told.hashed}
    if unlogged:
        videos |= {video.name for video in videos_there(folder)}
    return videos | {str(Path(name).with_suffix(TABLE_SUFFIX)) for name in videos}


def files_there(folder: Path) -> list[str]:
    """Names of all files in a session's folder and below, with "/", but for SQLite's own and locks.

    Raises:
        OSError: The folder cannot be read.
    """
    ours = {*DATABASE_FILES, LOCK_NAME, SHOWN_NAME}
    names = (
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )
    return sorted(name for name in names if name not in ours)


def is_of_system(name: str) -> bool:
    """Whether a file manager left this file: it is told, and convicts nobody."""
    return Path(name).name in _OF_SYSTEMS
