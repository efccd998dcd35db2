"""The examination that a scan belongs to, as a worklist or a person names it: who is examined, and why.

It is kept where a session keeps what persons typed: the log holds a keyed hash of it, the text lies in the
table that `erasing.forget` empties.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Final
from unicodedata import category

from semc_core.errors import UsageError
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.rules import checked
from semc_core.language import _

ENTRY: Final = "examination"
"""Kind of the log's entry, and the name of its field."""

_LONGEST_LO: Final = 64
_LONGEST_SH: Final = 16
_DATE: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_WRITTEN: Final = "\u200c\u200d"
"""Zero width non-joiner and joiner."""
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")


def is_written(text: str) -> bool:
    """Whether text can be read as it stands: no controls, nothing that turns the direction of writing.

    Spaces of all scripts are (Japanese names have a wide one), and the joiners that Persian and Indic need.
    """
    return all(each.isprintable() or each in _WRITTEN or category(each) == "Zs" for each in text)


def _is_text(longest: int, text: str) -> None:
    if len(text) > longest or "\\" in text or not is_written(text):
        raise ValueError(f"must have at most {longest} printable characters, and no backslash")


def _is_long(text: str) -> None:
    _is_text(_LONGEST_LO, text)


def _is_short(text: str) -> None:
    _is_text(_LONGEST_SH, text)


def _is_date(text: str) -> None:
    if text and not _DATE.fullmatch(text):
        raise ValueError("must be eight digits (YYYYMMDD), or empty")


def _is_sex(text: str) -> None:
    if text not in ("M", "F", "O", ""):
        raise ValueError("must be M, F or O, or empty")


def _is_uid(text: str) -> None:
    if text and (len(text) > _LONGEST_LO or not _UID.fullmatch(text)):
        raise ValueError("must be a UID, or empty")


_Long = Annotated[str, checked(_is_long)]
_Short = Annotated[str, checked(_is_short)]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Examination:
    """Who is examined, and what was asked for. What nobody said is "".

    Attributes:
        patient_name: As DICOM writes it, "Last^First".
        patient_id: Number of the patient.
        birth_date: YYYYMMDD.
        sex: "M", "F", "O" or "".
        accession_number: Of the request.
        study_uid: Study Instance UID that the objects are to have.
        step_id: Scheduled Procedure Step ID.
        step: Its description.
        procedure_id: Requested Procedure ID.
        procedure: Its description.
        referring_physician: As DICOM writes a name.
        modality: "US", mostly.
        date: YYYYMMDD for which it is scheduled.
        time: HHMM or HHMMSS.
        indication: Why it was asked for (Reason for the Requested Procedure).
        operator: Who scans, as DICOM writes a name.
        institution: Where.
        site: Where in it: a department, a ward, a room.
    """

    patient_name: _Long = ""
    patient_id: _Long = ""
    birth_date: Annotated[str, checked(_is_date)] = ""
    sex: Annotated[str, checked(_is_sex)] = ""
    accession_number: _Short = ""
    study_uid: Annotated[str, checked(_is_uid)] = ""
    step_id: _Short = ""
    step: _Long = ""
    procedure_id: _Short = ""
    procedure: _Long = ""
    referring_physician: _Long = ""
    modality: _Short = ""
    date: Annotated[str, checked(_is_date)] = ""
    time: _Short = ""
    indication: _Long = ""
    operator: _Long = ""
    institution: _Long = ""
    site: _Long = ""

    @property
    def what(self) -> str:
        """What is to be done, in the words of the request; or ""."""
        return self.procedure or self.step

    @property
    def names_patient(self) -> bool:
        """Whether it says who is examined: by hand an indication alone may be typed."""
        return bool(plain_name(self.patient_name) or self.patient_id.strip())

    @property
    def requested(self) -> Examination:
        """What of it is requested: the same whoever scans, where, and why."""
        return replace(self, indication="", operator="", institution="", site="")

    def to_text(self) -> str:
        """As text, the same always."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


EXAMINATION: Final = Document(Examination)


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class _Worklist:
    """What `semc pacs worklist --json` prints."""

    examinations: tuple[Examination, ...] = ()


WORKLIST: Final = Document(_Worklist)


def read_examination(path: Path) -> Examination:
    """One examination from a file: as `semc pacs worklist --json` prints it, alone or in its list.

    Raises:
        UsageError: It cannot be read, names nobody, or holds several.
    """
    try:
        listed = WORKLIST.read(path).examinations or (EXAMINATION.read(path),)
    except (DocumentFault, OSError):
        # The cause is left out: it quotes values.
        raise UsageError(
            _(
                "{name} holds no examination that can be read; take one that semc pacs worklist --json "
                "lists.",
                name=path.name,
            )
        ) from None
    if len(listed) > 1:
        raise UsageError(
            _(
                "{name} holds {count} examinations; leave the one of the scan in it.",
                name=path.name,
                count=len(listed),
            )
        )
    (one,) = listed
    if not one.names_patient:
        raise UsageError(_("The examination in {name} names no patient; choose another.", name=path.name))
    return one


def examination_of(text: str) -> Examination | None:
    """What `Examination.to_text` wrote; None where it was erased, or is of nothing."""
    try:
        return EXAMINATION.parse(text) if text else None
    except DocumentFault:
        return None


def plain_name(name: str) -> str:
    """A name as people read it: "Last, First Middle"; of several writings the first that says something."""
    written = next((each for each in name.split("=") if each.strip("^ ")), "")
    parts = written.split("^")
    last, rest = parts[0].strip(), " ".join(part.strip() for part in parts[1:3] if part.strip())
    return f"{last}, {rest}" if last and rest else last or rest


def is_same_patient(name: str, patient_id: str, examination: Examination) -> bool:
    """Whether somebody of this name and number is whom the examination is of.

    The numbers are held, as names are corrected and written in several ways; where one of the two has no
    number, the names.
    """
    numbers = patient_id.strip(), examination.patient_id.strip()
    if all(numbers):
        return numbers[0] == numbers[1]
    return _letters(name) == _letters(examination.patient_name)


def _letters(name: str) -> str:
    """What two writings of one name share: case, spaces and empty parts are left aside."""
    return " ".join(re.sub(r"[\^\s,]+", " ", plain_name(name)).casefold().split())


def day_and_time(date: str, time: str) -> str:
    """ "2026-11-30 08:56"; what is not known is left out."""
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else ""
    clock = f"{time[:2]}:{time[2:4]}" if len(time) >= 4 else ""
    return f"{day} {clock}".strip()
