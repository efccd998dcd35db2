"""What is said of sessions: pure data and functions. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from app.keys import first_key
from semc_core.language import N_, _, decimal, plural
from semc_core.text import short

COLUMNS: Final = (
    N_("When"), N_("State"), N_("Source"), N_("Planes"), N_("Checklist"), N_("Length"), N_("Size"),
    N_("Protocol"), N_("Patient"),
)  # fmt: skip
NOT_READ: Final = N_("cannot be read")
OPEN: Final = N_("open")
NEVER_CLOSED: Final = N_("never closed")
_NONE: Final = N_(
    "There is no session in this folder yet. Each scan and each review makes one: close this list and press "
    "{key} to scan."
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the list.

    Attributes:
        folder: Of the session.
        when: Local time at which it began; of one that cannot be read when it was changed, if that is known.
        source: What was scanned or reviewed; of one that cannot be read its folder's name.
        protocol: Title of the one that its words are on, or that its model is for; or "".
        planes: How many it holds, without the rejected ones.
        settled: Of how many of the protocol's required items nothing is left to do.
        required: How many those are; 0 without a protocol.
        length_s: From its first frame to its last, seconds.
        size: Of its files, bytes.
        patient: Name and number, where an examination names somebody; or "".
        exported: Whether it was ever exported.
        open: Whether it is open for writing, here or in another program.
        closed: Whether it came to a proper end.
        picture: File name of its most confident plane's picture, or None.
        plane: Name of that plane, or "".
        fault: Why it cannot be read, a sentence; or "".
    """

    folder: Path
    when: datetime | None
    source: str
    protocol: str = ""
    planes: int = 0
    settled: int = 0
    required: int = 0
    length_s: float = 0.0
    size: int = 0
    patient: str = ""
    exported: bool = False
    open: bool = False
    closed: bool = True
    picture: str | None = None
    plane: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SessionsSnapshot:
    """How the list stands.

    Attributes:
        rows: Those that were read so far, the newest first.
        total: How many there are; None while that is not known.
        reading: Whether more come.
        deleting: Folder of the one that is being deleted, or None.
        message: What the user should know, a sentence; or "".
    """

    rows: tuple[SessionRow, ...] = ()
    total: int | None = None
    reading: bool = True
    deleting: Path | None = None
    message: str = ""


def newest_first(rows: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    """In the order of the list; one of which no time is known comes last."""

    def moment(row: SessionRow) -> tuple[float, str]:
        return (row.when.timestamp() if row.when is not None else 0.0, row.folder.name)

    return tuple(sorted(rows, key=moment, reverse=True))


def matching(rows: Sequence[SessionRow], typed: str) -> list[SessionRow]:
    """Those that hold all words that were typed, whatever their case."""
    words = typed.casefold().split()
    return [row for row in rows if all(word in _searched(row) for word in words)] if words else list(rows)


def _searched(row: SessionRow) -> str:
    """What is looked at: day and time, source, protocol, patient, and how it stands."""
    parts = (_when(row), row.source, row.protocol, row.patient, _(state(row)))
    return "\n".join(parts).casefold()


def state(row: SessionRow) -> str:
    """How it stands, in a word or two of English."""
    if row.open:
        return OPEN
    if row.fault:
        return NOT_READ
    if not row.closed:
        return NEVER_CLOSED
    return N_("exported") if row.exported else N_("not exported")


def cells(row: SessionRow) -> tuple[str, ...]:
    """A line of the table."""
    if row.fault:
        return _when(row), _(state(row)), row.source, "", "", "", size_text(row.size), "", ""
    length = f"{int(row.length_s) // 60}:{int(row.length_s) % 60:02d}"
    done = _("complete")
    if row.settled < row.required:
        done = _("{settled} of {required}", settled=row.settled, required=row.required)
    return (
        _when(row), _(state(row)), row.source, str(row.planes), done if row.required else "", length,
        size_text(row.size), row.protocol, row.patient,
    )  # fmt: skip


def size_text(size: int) -> str:
    """ "12.3 MB"."""
    if size >= 1e9:
        return f"{decimal(size / 1e9, 2, grouped=True)} GB"
    return f"{decimal(size / 1e6, 1, grouped=True)} MB"


def _when(row: SessionRow) -> str:
    return "" if row.when is None else f"{row.when:%Y-%m-%d %H:%M}"


def sentence(snapshot: SessionsSnapshot, found: int, typed: str, chosen: SessionRow | None) -> str:
    """What the dialog says below the table.

    Args:
        snapshot: How the list stands.
        found: How many fit what was typed.
        typed: That.
        chosen: The line that is chosen, or None.
    """
    parts = [snapshot.message, _count(snapshot, found, typed)]
    if chosen is not None and chosen.fault:
        parts.append(chosen.fault)
    return " ".join(part for part in parts if part)


def _count(snapshot: SessionsSnapshot, found: int, typed: str) -> str:
    if snapshot.reading:
        if not snapshot.total:
            return _("Reading the sessions …")
        return _("Reading the sessions: {done} of {total} …", done=len(snapshot.rows), total=snapshot.total)
    if not snapshot.rows:
        return _(_NONE, key=first_key("start_stop"))
    whole = len(snapshot.rows)
    if typed.strip() and not found:
        return plural(
            "The {count} session does not hold what was typed: delete it to see all (Backspace).",
            "None of {count} sessions holds what was typed: delete it to see all (Backspace).",
            whole,
        )
    if typed.strip():
        return plural(
            "{found} of {count} session hold what was typed.",
            "{found} of {count} sessions hold what was typed.",
            whole,
            found=found,
        )
    size = size_text(sum(row.size for row in snapshot.rows))
    return plural("{count} session, {size} in all.", "{count} sessions, {size} in all.", whole, size=size)


def refusal(row: SessionRow) -> str:
    """Why a session is not deleted, and what to do, as far as its line says; else ""."""
    if row.open:
        return _("It stays: it is open, here or in another program. Close it there first.")
    if row.fault:
        return _("It stays: it cannot be read, so nobody knows what would be lost. Look into its folder.")
    if not row.closed:
        return _("It stays: it was never closed. Open it in review once (Enter), which puts it right.")
    return ""


def question(row: SessionRow) -> str:
    """What is asked before a session is deleted."""
    size = size_text(row.size)
    holds = _("It holds no planes in {size}.", size=size)
    if row.planes:
        one, many = N_("It holds {count} plane in {size}."), N_("It holds {count} planes in {size}.")
        holds = plural(one, many, row.planes, size=size)
    exported = _("It was never exported: there is no other copy of it.")
    return " ".join(
        (
            _("Delete the session of {when} ({source})?", when=_when(row), source=short(row.source)),
            holds,
            _("It was exported.") if row.exported else exported,
            _("Pictures, clips, recordings and corrections are gone for good."),
        )
    )
