"""What is said of a worklist: pure data and functions. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.keys import first_key
from semc_core.language import N_, _, plural
from semc_core.pacs.destinations import Destination
from semc_core.session.examination import Examination, day_and_time, is_same_patient, plain_name

COLUMNS: Final = (
    N_("When"), N_("Patient"), N_("Patient ID"), N_("Born"), N_("Accession"), N_("Procedure")
)  # fmt: skip
MOST_SHOWN: Final = 500
"""Lines of the table: more are found by typing."""

NO_SERVER: Final = N_(
    "This program knows no server yet. Add the one that has the worklist: its host, port and AE title, which "
    "whoever runs it can tell you. Then press Ctrl+L again. On the command line: semc pacs add NAME HOST "
    "PORT AE_TITLE."
)
NOTHING_CHOSEN: Final = N_("No line is chosen: use the arrow keys, or type until one is left.")

Phase = Literal["looking", "no server", "asking", "shown", "failed"]


@dataclass(frozen=True, slots=True)
class WorklistSnapshot:
    """How the worklist stands.

    Attributes:
        phase: The servers are looked for; there is none; one is asked; it answered; it did not.
        servers: In order of their names.
        server: Name of the one that is or was asked.
        any_day: Whether it was asked for more than today.
        rows: What it answered.
        message: What the user should know, a sentence; or "".
    """

    phase: Phase = "looking"
    servers: tuple[Destination, ...] = ()
    server: str = ""
    any_day: bool = False
    rows: tuple[Examination, ...] = ()
    message: str = ""


def matching(rows: Sequence[Examination], typed: str) -> list[Examination]:
    """Those that hold all words that were typed, whatever their case; first those whose number was typed."""
    words = typed.casefold().split()
    if not words:
        return list(rows)
    found = [row for row in rows if all(word in _searched(row) for word in words)]
    # Of thousands that hold it in theirs only the first are shown.
    return sorted(found, key=lambda row: typed.strip().casefold() not in _numbers(row))


def preselected(rows: Sequence[Examination], typed: str, of_scan: Examination | None) -> int | None:
    """Which line Enter takes before an arrow key was pressed; None for none, as the first is but a guess.

    That is the one whose number was typed, or scanned from a bar code, else the only one that is left; and
    where nothing was typed, the one that the scan has already.

    Args:
        rows: The lines that are shown.
        typed: What they are searched for.
        of_scan: The examination of the scan that one is chosen for.
    """
    word = typed.strip().casefold()
    if not word:
        return rows.index(of_scan) if of_scan is not None and of_scan in rows else None
    exact = [at for at, row in enumerate(rows) if word in _numbers(row)]
    if exact:
        return exact[0] if len(exact) == 1 else None
    return 0 if len(rows) == 1 else None


def _numbers(row: Examination) -> tuple[str, ...]:
    return row.patient_id.strip().casefold(), row.accession_number.strip().casefold()


THE_SCAN: Final = "The scan that runs"
THE_SESSION: Final = "The session in review"
"""What may get another examination; never translated."""
What = Literal["The scan that runs", "The session in review"]


def reassigning(now: Examination | None, chosen: Examination, saved: int, what: What = THE_SCAN) -> str:
    """What is asked before planes of one patient become those of another, a sentence; or "".

    Args:
        now: The examination of what is to get another.
        chosen: That it is to have.
        saved: How many planes it holds.
        what: It is.
    """
    if now is None or not saved or not _who(now) or not _who(chosen):
        return ""
    if is_same_patient(now.patient_name, now.patient_id, chosen):
        return ""
    names = {"now": _who(now), "chosen": _who(chosen)}
    if what == THE_SCAN:
        return plural(
            "The scan that runs is of {now} and holds {count} plane. All of it would become that of "
            "{chosen}. If that is the next patient, stop this scan first.",
            "The scan that runs is of {now} and holds {count} planes. All of it would become that of "
            "{chosen}. If that is the next patient, stop this scan first.",
            saved,
            **names,
        )
    return plural(
        "The session in review is of {now} and holds {count} plane. All of it would become that of {chosen}.",
        "The session in review is of {now} and holds {count} planes. All of it would become that of "
        "{chosen}.",
        saved,
        **names,
    )


def _who(examination: Examination) -> str:
    return plain_name(examination.patient_name) or examination.patient_id


def _searched(row: Examination) -> str:
    """What is looked at: names as they are read, and in all their writings."""
    parts = (plain_name(row.patient_name), row.patient_name, row.patient_id, row.accession_number)
    return "\n".join((*parts, row.procedure, row.step, row.step_id)).casefold()


def cells(row: Examination) -> tuple[str, ...]:
    """A line of the table."""
    born = day_and_time(row.birth_date, "")
    when = day_and_time(row.date, row.time)
    return when, plain_name(row.patient_name), row.patient_id, born, row.accession_number, row.what


def sentence(snapshot: WorklistSnapshot, found: int) -> str:
    """What the dialog says below the table; `found` is how many fit what was typed."""
    if snapshot.phase == "looking":
        return _("Looking for servers …")
    if snapshot.phase == "no server":
        return _(NO_SERVER)
    if snapshot.phase == "asking":
        return _("Asking {server} …", server=snapshot.server)
    if snapshot.phase == "failed" or not snapshot.rows:
        return snapshot.message
    if not found:
        return _("Nothing of the worklist holds what was typed.")
    if found > MOST_SHOWN:
        said = _("The first {most} of {count} are shown; type to find others.", most=MOST_SHOWN, count=found)
    else:
        said = plural("{count} examination.", "{count} examinations.", found)
    return " ".join(part for part in (said, snapshot.message) if part)


Of = Literal["this scan", "the next scan", "this session"]
_NONE_CHOSEN: Final[dict[Of, str]] = {
    "this scan": N_("No examination is chosen for this scan ({key}; by hand {form_key})."),
    "the next scan": N_("No examination is chosen for the next scan ({key}; by hand {form_key})."),
    "this session": N_("No examination is chosen for this session ({key}; by hand {form_key})."),
}
_CHOSEN: Final[dict[Of, str]] = {
    "this scan": N_("Examination of this scan: {words}"),
    "the next scan": N_("Examination of the next scan: {words}"),
    "this session": N_("Examination of this session: {words}"),
}


def examination_line(examination: Examination | None, of: Of, *, used: bool) -> str:
    """What the window says of the examination of a scan.

    Args:
        examination: Or None.
        of: "this scan", "the next scan", or "this session"; never translated.
        used: Whether one was chosen since the program was started: then that there is none is said, too.
    """
    if examination is None:
        if not used:
            return ""
        return _(_NONE_CHOSEN[of], key=first_key("worklist"), form_key=first_key("examination"))
    parts = [plain_name(examination.patient_name), examination.patient_id]
    parts = parts if any(parts) else [_("nobody is named ({key})", key=first_key("examination"))]
    parts.append(examination.what or examination.indication)
    if examination.accession_number:
        parts.append(_("accession {number}", number=examination.accession_number))
    return _(_CHOSEN[of], words=" · ".join(part for part in parts if part))
