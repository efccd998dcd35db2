"""Erasing from a session what may name a patient. Its log goes on, and proves all else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semc_core import paths
from semc_core.errors import SessionError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.regular import read_regular
from semc_core.io.rules import PlainObject
from semc_core.language import _
from semc_core.session.audit_log import ORIGIN
from semc_core.session.erasing.remembered import forget_source
from semc_core.session.files import POSES
from semc_core.session.folder import folder_name
from semc_core.session.proof.head_keeper import list_place
from semc_core.session.proof.known_files import files_there
from semc_core.session.session import Session
from semc_core.session.vault import ERASED, is_hidden

BESIDE: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What came of it.

    Attributes:
        folder: Of the session now: a name that held the source's was changed.
        files: How many files named the source and do so no more.
    """

    folder: Path
    files: int


def forget(folder: Path) -> Forgotten:
    """Erase the name and place of the source, and all that persons typed, from a session and its files.

    The window's settings forget the source, too: that it was opened lately, and a scale that was drawn in it.

    Pictures, clips and recordings stay as they are. May be repeated.

    Args:
        folder: Of the session, which nobody else has open.

    Raises:
        SessionInUse: It is open for writing elsewhere.
        SessionError: It cannot be opened, or an older program wrote names into its log.
        SaveError: It could not be written, or another program reads it.
    """
    with Session.open(folder) as session:
        origin = ORIGIN.from_plain(next(session.audit()).payload)
        if not is_hidden(origin.source.source_id):
            raise SessionError(
                _(
                    "An older program began {folder} and wrote names into its log, which cannot be "
                    "changed; export what you need and delete the folder.",
                    folder=folder.name,
                )
            )
        path = session.source.path
        named = set() if path is None else {session.source.source_id, Path(session.source.source_id).stem}
        if path is not None:
            # First of all: afterwards nothing knows the name that is to be looked for.
            forget_source(paths.settings_files(), {session.source.source_id, path})
        rewritten = _nameless(folder)
        # The log first: should a kill come in between, the files are as they were before, which it knows.
        session.erase({name: hashlib.sha256(content).hexdigest() for name, content in rewritten.items()})
        for name, content in rewritten.items():
            write_atomically(folder / name, content, private=True)
        session.scrub()
    return Forgotten(_renamed(folder, {folder_name(name) for name in named}), len(rewritten))


def _nameless(folder: Path) -> dict[str, bytes]:
    """The session's JSON files that name the source, as they are without it."""
    found = {}
    try:
        for name in files_there(folder):
            if name.endswith(".json") and (content := _without_source(read_regular(folder / name))):
                found[name] = content
    except OSError as error:
        raise save_error(folder, error) from error
    return found


def _without_source(content: bytes) -> bytes | None:
    """The same always, so that a repetition gives the bytes that the log names; None if nothing changes."""
    try:
        told = BESIDE.parse(content)
    except DocumentFault:
        return None
    if told.get("source", ERASED) == ERASED:
        return None
    erased = {**told, "source": ERASED}
    if isinstance(poses := told.get(POSES), list):
        # Names of devices, as their sender calls them.
        erased[POSES] = [
            {**each, "name": ERASED if each.get("name") else ""} for each in poses if isinstance(each, dict)
        ]
    return json.dumps(erased, indent=2).encode()


def _renamed(folder: Path, parts: set[str]) -> Path:
    """The folder under a name without these parts, the longest first."""
    name = folder.name
    for part in sorted(parts, key=len, reverse=True):
        name = name.replace(part, "forgotten")
    if name == folder.name:
        return folder
    number, target = 1, folder.with_name(name)
    while target.exists():
        number += 1
        target = folder.with_name(f"{name}-{number}")
    try:
        folder.rename(target)
    except OSError as error:
        raise save_error(folder, error) from error
    list_place(target)
    return target
