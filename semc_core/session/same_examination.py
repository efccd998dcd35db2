"""Which sessions are scans of one examination: a person said that one goes on with the one before.

Each scan stays a session of its own. Its log holds the number of the session that it goes on with, and
nothing of the patient.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from semc_core.errors import SemcError, SessionError
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import PlainObject
from semc_core.session.listing import session_folders
from semc_core.session.records import PERSON
from semc_core.session.session import Session
from semc_core.session.view import SessionView

ENTRY: Final = "same examination"
"""Kind of the log's entry: `session` is the number of the scan before; "" begins a new examination."""
SAME: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)
"""What that entry says."""


def go_on_with(session: Session, before: str) -> None:
    """Say that the scan goes on with the examination of the session of this number; "" takes it back.

    A session that was closed meanwhile is opened once more.

    Raises:
        SemcError: It could not be written.
    """
    try:
        session.log(PERSON, ENTRY, {"session": before})
    except SessionError:
        with Session.open(session.folder) as again:
            again.log(PERSON, ENTRY, {"session": before})


def goes_on_with(session: SessionView) -> str:
    """The number of the session whose examination this one goes on with; "" where it is a new one."""
    said = ""
    for payload in session.payloads(ENTRY):
        try:
            said = str(SAME.parse(payload).get("session", ""))
        except DocumentFault:
            continue
    return said


def scans_of_examination(folder: Path) -> tuple[Path, ...]:
    """The sessions of the examination that the one in `folder` belongs to, with it, in the order of time.

    They are looked for beside it; what cannot be read is left out. Reads the disk: not for the window.
    """
    began: dict[Path, str] = {}
    number: dict[str, Path] = {}
    before: dict[Path, str] = {}
    try:
        known = session_folders(folder.parent)
    except OSError:
        known = []
    for path in dict.fromkeys((folder, *known)):
        try:
            with Session.open(path, read_only=True) as session:
                began[path], before[path] = session.created_utc, goes_on_with(session)
                number.setdefault(session.id, path)
        except SemcError:
            continue
    linked: dict[Path, set[Path]] = {path: set() for path in began}
    for path, name in before.items():
        if (other := number.get(name)) is not None:
            linked[path].add(other)
            linked[other].add(path)
    found, waiting = {folder}, [folder]
    while waiting:
        for other in linked.get(waiting.pop(), set()) - found:
            found.add(other)
            waiting.append(other)
    return tuple(sorted(found, key=lambda path: (began.get(path, ""), path.name)))
