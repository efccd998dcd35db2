"""A server's modality worklist: which examinations are scheduled (C-FIND of Modality Worklist).

Whatever a server answers, an answer here is bounded, in rows and in time. Nothing of it is logged.
"""

from __future__ import annotations

import datetime
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pynetdicom import build_context

from semc_core.errors import PacsError
from semc_core.io.documents import DocumentFault
from semc_core.language import N_, _, day_text, plural
from semc_core.pacs.answers import LONGEST_ANSWERS, name_of, read_answers, text_of
from semc_core.pacs.association import (
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    AssociationFault,
    DicomAssociation,
)
from semc_core.pacs.destinations import Destination
from semc_core.session.examination import EXAMINATION, Examination, is_same_patient
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings

MOST_ROWS: Final = 10_000
"""Examinations of one answer; what comes after these is not read."""
ULTRASOUND: Final = "US"

WORKLIST: Final = "1.2.840.10008.5.1.4.31"  # Modality Worklist Information Model
_DATE: Final = "%Y%m%d"
_OTHER_DAYS_ROWS: Final = 200
"""Enough to see whether a day without examinations is the fault of a clock."""
_TOP: Final = {
    "SpecificCharacterSet": "ISO_IR 192",
    **dict.fromkeys(
        (
            "AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
            "ReferringPhysicianName", "StudyInstanceUID", "RequestedProcedureID",
            "RequestedProcedureDescription", "ReasonForTheRequestedProcedure",
        ),
        "",
    ),
}  # fmt: skip
_STEP: Final = (
    "ScheduledStationAETitle", "ScheduledProcedureStepStartTime", "ScheduledProcedureStepDescription",
    "ScheduledProcedureStepID",
)  # fmt: skip
_NUMBERS: Final = ("patient_id", "accession_number", "step_id", "procedure_id")
_OUT_OF_RESOURCES: Final = 0xA700
_NOT_ALLOWED: Final = 0x0124
_UNKNOWN: Final = "\ufffd"
"""What stands for bytes that the character set does not have."""


@dataclass(frozen=True, slots=True)
class WorklistQuestion:
    """Which examinations are asked for.

    Attributes:
        day: For which they are scheduled; None for any.
        modality: Such as "US"; "" for any.
        station: AE title of the station that they are scheduled for; "" for any.
    """

    day: datetime.date | None
    modality: str = ULTRASOUND
    station: str = ""


@dataclass(frozen=True, slots=True)
class Worklist:
    """What a server answered.

    Attributes:
        rows: In the order of their times.
        left_out: How many it named that cannot be used: a value is none that DICOM allows there.
        whole: Whether it came to an end: not, where there were too many, or it took too long.
        notice: What the user should know, a sentence; or "".
    """

    rows: tuple[Examination, ...]
    left_out: int = 0
    whole: bool = True
    notice: str = ""


def ask_worklist(
    server: Destination,
    question: WorklistQuestion,
    *,
    opened: Callable[[socket.socket], None] | None = None,
    today: datetime.date | None = None,
) -> Worklist:
    """Ask a server for examinations.

    Where it has none for the day, it is asked once more for other days: a clock that is wrong shows so.

    Args:
        server: Which.
        question: What is asked.
        opened: Told of the connection once there is one: shutting it down ends any wait.
        today: By this computer's clock; None looks.

    Raises:
        PacsError: It cannot be reached, has no worklist, or answers with a fault.
    """
    with WorklistAssociation(server, opened) as link:
        found = link.ask(question, MOST_ROWS)
        if found.rows or found.left_out or question.day is None:
            return found
        others = Worklist(())
        with suppress(PacsError):  # Some answer for a day alone: then there is none that day.
            others = link.ask(WorklistQuestion(None, question.modality, question.station), _OTHER_DAYS_ROWS)
    notice = _none_that_day(server.name, question, others, today or datetime.date.today())
    return Worklist((), notice=notice)


class WorklistAssociation(DicomAssociation):
    """An association for questions of a worklist."""

    def __init__(self, server: Destination, opened: Callable[[socket.socket], None] | None = None) -> None:
        """Connect.

        Raises:
            AssociationFault: The server cannot be reached, refuses, or has no worklist.
        """
        # Verification is among them, so that a server without a worklist accepts, and it is told apart.
        contexts = [build_context(each, list(UNCOMPRESSED)) for each in (WORKLIST, VERIFICATION)]
        super().__init__(server, contexts, opened=opened)
        self._need(WORKLIST, no_worklist(server.name))

    def ask(self, question: WorklistQuestion, most: int) -> Worklist:
        """Ask; at most `most` rows are read.

        Raises:
            PacsError: The connection was lost, or the server answers with a fault.
        """
        self._check_open()
        self._association.dimse_timeout = wait_s = self._destination.answer_s
        found = read_answers(
            self._association.send_c_find(identifier_of(question), WORKLIST, self._next_message()),
            row_of, most, LONGEST_ANSWERS * wait_s,
        )  # fmt: skip
        if found is None:
            raise self._lost()
        if found.status != SUCCESS:
            raise PacsError(fault(self._server, found.status))
        stopped = ""
        if found.stopped == "too many":
            stopped = _(
                "{server} lists more than {most} examinations; ask for one day and modality.",
                server=self._server,
                most=most,
            )
        elif found.stopped:
            stopped = _(
                "{server} took too long; what came until then is shown. Ask for less.", server=self._server
            )
        if stopped:
            # It would go on to send what nobody reads.
            self._association.abort()
        rows, left_out = list(found.rows), found.left_out
        rows.sort(key=lambda each: (each.date, each.time, each.patient_name))
        told = stopped, _what_is_wrong(self._server, rows, left_out)
        return Worklist(tuple(rows), left_out, not stopped, " ".join(filter(None, told)))


def no_worklist(name: str) -> AssociationFault:
    """The fault of a server that answers, and has no worklist."""
    return AssociationFault(
        _(
            "{server} answers, but has no worklist at this port and AE title; ask who runs it which has.",
            server=name,
        ),
        permanent=True,
    )


def identifier_of(question: WorklistQuestion) -> Dataset:
    """The question as the standard has it: what is empty is asked for, the rest must match."""
    step = Dataset()
    step.Modality = question.modality
    step.ScheduledProcedureStepStartDate = "" if question.day is None else question.day.strftime(_DATE)
    for name in _STEP:
        setattr(step, name, "")
    step.ScheduledStationAETitle = question.station
    asked = Dataset()
    for name, value in _TOP.items():
        setattr(asked, name, value)
    asked.ScheduledProcedureStepSequence = [step]
    return asked


def row_of(answer: Dataset) -> Examination | None:
    """An examination of an answer; None where a value is none that DICOM allows there."""
    try:
        with without_warnings(), disable_value_validation():
            steps = answer.get("ScheduledProcedureStepSequence") or [Dataset()]
            plain = _plain(answer, steps[0])
            # Two numbers that differ in what cannot be read would be one.
            if any(_UNKNOWN in plain[each] for each in _NUMBERS):
                return None
            return EXAMINATION.from_plain(plain)
    except (*UNREADABLE, DocumentFault):
        # Without a word of why: what libraries say quotes names.
        return None


def _plain(answer: Dataset, step: Dataset) -> dict[str, str]:
    sex = text_of(answer, "PatientSex").upper()
    return {
        "patient_name": name_of(text_of(answer, "PatientName")),
        "patient_id": text_of(answer, "PatientID"),
        "birth_date": _day(text_of(answer, "PatientBirthDate")),
        "sex": sex if sex in ("M", "F", "O") else "",
        "accession_number": text_of(answer, "AccessionNumber"),
        "study_uid": text_of(answer, "StudyInstanceUID"),
        "step_id": text_of(step, "ScheduledProcedureStepID"),
        "step": text_of(step, "ScheduledProcedureStepDescription"),
        "procedure_id": text_of(answer, "RequestedProcedureID"),
        "procedure": text_of(answer, "RequestedProcedureDescription"),
        "referring_physician": name_of(text_of(answer, "ReferringPhysicianName")),
        "modality": text_of(step, "Modality"),
        "date": _day(text_of(step, "ScheduledProcedureStepStartDate")),
        "time": text_of(step, "ScheduledProcedureStepStartTime").partition(".")[0].replace(":", ""),
        "indication": _words(text_of(answer, "ReasonForTheRequestedProcedure")),
    }


def _words(text: str) -> str:
    """Words that nothing is filed under; "" where they cannot be kept: the row is not lost for them."""
    try:
        EXAMINATION.from_plain({"indication": text})
    except DocumentFault:
        return ""
    return text


def _day(text: str) -> str:
    """A day as YYYYMMDD, also of one with points or hyphens; "" where it is none, such as 19780000."""
    digits = text.replace(".", "").replace("-", "") if len(text) == len("2026-11-30") else text
    try:
        known = len(digits) == 8 and digits.isascii() and datetime.datetime.strptime(digits, _DATE)
    except ValueError:
        return ""
    return digits if known else ""


_ONE_NUMBER: Final = N_(
    "Two patients of {server} have one accession number ({value}): look at the patient ID"
)
_ONE_STUDY: Final = N_("Two patients of {server} have one study ({value}): look at the patient ID")


def _what_is_wrong(name: str, rows: Sequence[Examination], left_out: int) -> str:
    """What the user should know of the rows themselves, sentences; or ""."""
    told = []
    if left_out:
        told.append(
            plural(
                "{count} examination of {server} left out: a number or a name there is none that DICOM "
                "allows",
                "{count} examinations of {server} left out: a number or a name there is none that DICOM "
                "allows",
                left_out,
                server=name,
            )
        )
    if any(_UNKNOWN in row.to_text() for row in rows):
        told.append(
            _(
                "Some texts of {server} are not in the character set that it says ({sign})",
                server=name,
                sign=_UNKNOWN,
            )
        )
    whose: dict[tuple[str, str], Examination] = {}
    for row in rows:
        for key in ((_ONE_NUMBER, row.accession_number), (_ONE_STUDY, row.study_uid)):
            other = whose.setdefault(key, row)
            if key[1] and not is_same_patient(row.patient_name, row.patient_id, other):
                told.append(_(key[0], server=name, value=key[1]))
                return _told(told)
    return _told(told)


def _told(sentences: Sequence[str]) -> str:
    return _("{findings}; tell who runs it.", findings="; ".join(sentences)) if sentences else ""


_NONE: Final = N_("{server} has no examination for {day}.")
_NONE_OF_KIND: Final = N_("{server} has no {modality} examination for {day}.")
_BUT: Final = N_(
    "{server} has no examination for {day}, but some for other days, the nearest {nearest}; check the date "
    "of this computer and of the server, or ask for any day."
)
_BUT_OF_KIND: Final = N_(
    "{server} has no {modality} examination for {day}, but some for other days, the nearest {nearest}; check "
    "the date of this computer and of the server, or ask for any day."
)


def _none_that_day(name: str, question: WorklistQuestion, others: Worklist, today: datetime.date) -> str:
    """What is to be said where there is nothing for a day."""
    asked = question.day
    assert asked is not None
    modality = question.modality
    days = sorted(_days(others.rows), key=lambda day: abs(day - asked))
    only, but = (_NONE_OF_KIND, _BUT_OF_KIND) if modality else (_NONE, _BUT)
    if not days or asked != today:
        return _(only, server=name, modality=modality, day=day_text(asked))
    near = day_text(days[0])
    return _(but, server=name, modality=modality, day=day_text(asked), nearest=near)


def _days(rows: Iterable[Examination]) -> set[datetime.date]:
    found = set()
    for row in rows:
        try:
            found.add(datetime.datetime.strptime(row.date, _DATE).date())
        except ValueError:
            continue  # a day that is none, or none is said
    return found


def fault(name: str, status: int) -> str:
    """What a status of a server means for the user, a sentence."""
    if status == _NOT_ALLOWED:
        return _(
            "{server} does not allow this program to ask for its worklist; ask who runs it.", server=name
        )
    if status == _OUT_OF_RESOURCES:
        return _(
            "{server} finds too many examinations, or has no room; ask for one day and modality.", server=name
        )
    if status & 0xFF00 == 0xA900:
        return _(
            "{server} does not understand the question for its worklist (status {status}).",
            server=name,
            status=f"{status:04X}",
        )
    return _(
        "{server} could not answer the question for its worklist (status {status}); try again later.",
        server=name,
        status=f"{status:04X}",
    )
