"""What is said of earlier studies: pure data and functions. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from semc_core.language import N_, _, plural
from semc_core.pacs.destinations import Server
from semc_core.session.examination import day_and_time, plain_name

if TYPE_CHECKING:
    from semc_core.pacs.priors.find import Study
    from semc_core.pacs.priors.pictures import StudyPicture

STUDY_COLUMNS: Final = (
    N_("When"), N_("Patient"), N_("Patient ID"), N_("Born"), N_("Accession"), N_("Study"), N_("Objects")
)  # fmt: skip
PICTURE_COLUMNS: Final = (N_("Picture"), N_("Made at"), N_("Frames"), N_("Size"), N_("Series"))

Phase = Literal["looking", "no server", "ready", "asking", "found", "getting", "got", "failed"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, as it was typed.

    Attributes:
        patient_id: The whole number.
        name: How the name begins.
        accession: The whole accession number.
        any_kind: Whether studies without ultrasound are wanted, too.
    """

    patient_id: str = ""
    name: str = ""
    accession: str = ""
    any_kind: bool = False

    @property
    def says_something(self) -> bool:
        """Whether anything is typed."""
        return bool(self.patient_id or self.name or self.accession)


@dataclass(frozen=True, slots=True)
class PriorsSnapshot:
    """How it stands.

    Attributes:
        phase: The servers are looked for; there is none; one can be asked; it is; it answered; a study is
            being got; it is here; the last question failed.
        servers: In order of their names.
        server: Name of the one that is or was asked.
        wanted: What it was asked for.
        studies: What it answered.
        pictures: Of the study that was got.
        folder: Where that is.
        done: Objects that have come.
        left: Objects still to come; 0 where the server does not say.
        message: What the user should know, a sentence; or "".
    """

    phase: Phase = "looking"
    servers: tuple[Server, ...] = ()
    server: str = ""
    wanted: Wanted | None = None
    studies: tuple[Study, ...] = ()
    pictures: tuple[StudyPicture, ...] = ()
    folder: Path | None = None
    done: int = 0
    left: int = 0
    message: str = ""

    @property
    def busy(self) -> bool:
        """Whether a server is being asked."""
        return self.phase in ("looking", "asking", "getting")


def study_cells(row: Study) -> tuple[str, ...]:
    """A line of the table of studies."""
    born, when = day_and_time(row.birth_date, ""), day_and_time(row.date, row.time)
    what = " · ".join(part for part in (row.description, row.modalities) if part)
    number = str(row.objects) if row.objects else ""
    return when, plain_name(row.patient_name), row.patient_id, born, row.accession_number, what, number


def picture_cells(row: StudyPicture) -> tuple[str, ...]:
    """A line of the table of pictures."""
    kind = _("Loop") if row.frames > 1 else _("Still")
    size = f"{row.columns} × {row.rows}" if row.rows and row.columns else ""
    name = f"{kind} {row.number}" if row.number else kind
    return name, day_and_time("", row.time), str(row.frames), size, row.description


def whose(study: Study, number: str) -> str:
    """A sentence where the pictures that came name another patient's number than the list did; else ""."""
    if not number or not study.patient_id or number.casefold() == study.patient_id.casefold():
        return ""
    return _(
        "Look whose they are: the pictures say patient ID {shown}, the list {listed}.",
        shown=number[:64], listed=study.patient_id,
    )  # fmt: skip


def sentence(snapshot: PriorsSnapshot) -> str:
    """What the dialog says below the table."""
    said = {
        "looking": _("Looking for servers …"),
        "no server": _("There is no server yet: press Add a server, and name the one that has the studies."),
        "ready": _("Type whose studies are looked for; of a name its beginning is enough."),
        "asking": _("Asking {server} …", server=snapshot.server),
        "found": _number(snapshot.studies),
        "getting": _progress(snapshot),
        "got": plural(
            "{count} picture: choose which to review.",
            "{count} pictures: choose which to review.",
            len(snapshot.pictures),
        ),
    }.get(snapshot.phase, "")
    return " ".join(part for part in (said, snapshot.message) if part)


def _number(studies: Sequence[Study]) -> str:
    return plural("{count} study.", "{count} studies.", len(studies)) if studies else ""


def _progress(snapshot: PriorsSnapshot) -> str:
    if not snapshot.done:
        return _("Getting it from {server} …", server=snapshot.server)
    if not snapshot.left:
        return _("Getting it from {server}: {done} …", server=snapshot.server, done=snapshot.done)
    return _(
        "Getting it from {server}: {done} of {total} …",
        server=snapshot.server, done=snapshot.done, total=snapshot.done + snapshot.left,
    )  # fmt: skip
