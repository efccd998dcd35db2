"""Which studies a server has of a patient (C-FIND, Study Root).

Whatever a server answers, an answer here is bounded, in rows and in time. Nothing of it is logged.
"""

from __future__ import annotations

import datetime
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pynetdicom import build_context

from semc_core.errors import PacsError, UsageError
from semc_core.language import _, plural
from semc_core.pacs.answers import LONGEST_ANSWERS, Answers, name_of, read_answers, text_of
from semc_core.pacs.association import (
    FIND_ROOT,
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    AssociationFault,
    DicomAssociation,
)
from semc_core.pacs.destinations import Destination
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings

MOST_STUDIES: Final = 2000
"""That can be asked for at once."""
USUAL_STUDIES: Final = 200
ULTRASOUND: Final = "US"
_DATE: Final = "%Y%m%d"
_LONGEST: Final = 64
_LONGEST_SHOWN: Final = 200
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_NOT_ALLOWED: Final = 0x0124
_OUT_OF_RESOURCES: Final = 0xA700
_RETURNED: Final = (
    "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyTime", "StudyDescription",
    "NumberOfStudyRelatedInstances",
)  # fmt: skip


def is_uid(text: str) -> bool:
    """Whether this is a UID as DICOM writes one."""
    return len(text) <= _LONGEST and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class StudyQuestion:
    """Which studies are asked for. Something of patient, name, accession number or days must be said.

    Attributes:
        patient_id: The whole number; "" for any.
        name: How the name begins, "Last" or "Last^First"; "*" and "?" stand for anything in it. "" for any.
        first: Day of the oldest; None for any.
        last: Day of the newest; None for any.
        accession: The whole accession number; "" for any.
        modality: That the study holds, such as "US"; "" for any.
    """

    patient_id: str = ""
    name: str = ""
    first: datetime.date | None = None
    last: datetime.date | None = None
    accession: str = ""
    modality: str = ULTRASOUND

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            UsageError: It would match what nobody meant.
        """
        if set(self.patient_id) & set("*?"):
            raise UsageError(_("Give the whole number: * and ? stand for anything in names alone."))
        if set(self.accession) & set("*?"):
            raise UsageError(_("Give the whole accession number: * and ? stand for anything in names alone."))
        for text in (self.patient_id, self.name, self.accession, self.modality):
            if len(text) > _LONGEST or "\\" in text or not text.isprintable():
                raise UsageError(
                    _(
                        "What is looked for has at most {longest} characters, and no backslash.",
                        longest=_LONGEST,
                    )
                )
        if set(self.modality) & set("*?"):
            raise UsageError(_("Give the modality as US, or any for all."))
        if self.first is not None and self.last is not None and self.first > self.last:
            raise UsageError(_("The first day is after the last; give them in their order."))
        if not (self.patient_id or self.accession or self.first or self.last or self.name.strip("*?^ ")):
            raise UsageError(
                _("Say whose studies: a patient's number or name, an accession number, or days.")
            )


@dataclass(frozen=True, slots=True)
class Study:
    """A study that a server has. What it did not say is "", and 0.

    Attributes:
        study_uid: Its Study Instance UID.
        patient_name: As DICOM writes it, "Last^First".
        patient_id: Number of the patient.
        birth_date: YYYYMMDD.
        sex: "M", "F", "O" or "".
        date: YYYYMMDD.
        time: HHMM or HHMMSS.
        description: What was examined.
        accession_number: Of the request.
        modalities: "US", or "SR, US".
        objects: How many it has.
    """

    study_uid: str
    patient_name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""
    date: str = ""
    time: str = ""
    description: str = ""
    accession_number: str = ""
    modalities: str = ""
    objects: int = 0


@dataclass(frozen=True, slots=True)
class Studies:
    """What a server answered.

    Attributes:
        rows: The newest first.
        left_out: How many it named that are not what was asked for, or have no UID.
        whole: Whether it came to an end: not, where there were too many, or it took too long.
        notice: What the user should know, a sentence; or "".
    """

    rows: tuple[Study, ...]
    left_out: int = 0
    whole: bool = True
    notice: str = ""


def find_studies(
    server: Destination,
    question: StudyQuestion,
    most: int = USUAL_STUDIES,
    *,
    opened: Callable[[socket.socket], None] | None = None,
) -> Studies:
    """Ask a server which studies it has.

    Args:
        server: Which.
        question: What is asked.
        most: Studies that are read; 1 to `MOST_STUDIES`.
        opened: Told of the connection once there is one: shutting it down ends any wait.

    Raises:
        PacsError: It cannot be reached, answers no such questions, or answers with a fault.
        UsageError: `most` is too many.
    """
    check_most(most)
    with FindAssociation(server, opened) as link:
        return link.find(question, most)


def check_most(most: int) -> None:
    """Whether so many studies can be asked for.

    Raises:
        UsageError: They cannot.
    """
    if not 1 <= most <= MOST_STUDIES:
        raise UsageError(_("So many studies at most: 1 to {most}.", most=MOST_STUDIES))


class FindAssociation(DicomAssociation):
    """An association for questions of studies."""

    def __init__(self, server: Destination, opened: Callable[[socket.socket], None] | None = None) -> None:
        """Connect.

        Raises:
            AssociationFault: The server cannot be reached, refuses, or answers no such questions.
        """
        # Verification is among them, so that a server without it accepts, and it is told apart.
        contexts = [build_context(each, list(UNCOMPRESSED)) for each in (FIND_ROOT, VERIFICATION)]
        super().__init__(server, contexts, opened=opened)
        without = _(
            "{server} answers, but cannot be searched at this port and AE title; ask who runs it.",
            server=server.name,
        )
        self._need(FIND_ROOT, AssociationFault(without, permanent=True))

    def find(self, question: StudyQuestion, most: int) -> Studies:
        """Ask; at most `most` studies are read.

        Raises:
            PacsError: The connection was lost, or the server answers with a fault.
        """
        self._check_open()
        self._association.dimse_timeout = wait_s = self._destination.answer_s
        found = read_answers(
            self._association.send_c_find(identifier_of(question), FIND_ROOT, self._next_message()),
            lambda answer: wanted(question, study_of(answer)), most, LONGEST_ANSWERS * wait_s,
        )  # fmt: skip
        if found is None:
            raise self._lost()
        if found.status != SUCCESS:
            raise PacsError(fault(self._server, found.status))
        if found.stopped:
            # It would go on to send what nobody reads.
            self._association.abort()
        return studies_in(self._server, found, most)


def studies_in(server: str, found: Answers[Study], most: int) -> Studies:
    """What came, the newest first, and what is to be said of it.

    Args:
        server: As the user calls it.
        found: What came.
        most: Studies that were asked for.
    """
    notices = []
    if found.stopped == "too many":
        notices.append(
            _(
                "{server} has more than {most} such studies; say more of what is looked for.",
                server=server,
                most=most,
            )
        )
    elif found.stopped:
        notices.append(
            _("{server} took too long; what came until then is shown. Ask for less.", server=server)
        )
    if found.left_out:
        notices.append(
            plural(
                "{count} answer of {server} left out: not what was asked for, or without a UID.",
                "{count} answers of {server} left out: not what was asked for, or without a UID.",
                found.left_out,
                server=server,
            )
        )
    rows = sorted(found.rows, key=lambda each: (each.date, each.time), reverse=True)
    if not rows and not notices:
        notices.append(_("{server} has no such study.", server=server))
    return Studies(tuple(rows), found.left_out, not found.stopped, " ".join(notices))


def identifier_of(question: StudyQuestion) -> Dataset:
    """The question as the standard has it: what is empty is asked for, the rest must match."""
    asked = Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    asked.QueryRetrieveLevel = "STUDY"
    name = question.name
    with disable_value_validation():
        asked.PatientName = f"{name}*" if name and not set(name) & set("*?") else name
        asked.PatientID, asked.AccessionNumber = question.patient_id, question.accession
        asked.ModalitiesInStudy = question.modality
        asked.StudyDate = _days(question.first, question.last)
        for each in _RETURNED:
            setattr(asked, each, None if each == "NumberOfStudyRelatedInstances" else "")
    return asked


def _days(first: datetime.date | None, last: datetime.date | None) -> str:
    """ "20261130", "20260101-20261130", "20260101-", "" """
    begin, end = (day.strftime(_DATE) if day else "" for day in (first, last))
    return begin if begin == end else f"{begin}-{end}"


def study_of(answer: Dataset) -> Study | None:
    """A study of an answer; None where it has no UID."""
    try:
        with without_warnings(), disable_value_validation():
            uid = text_of(answer, "StudyInstanceUID")
            if not is_uid(uid):
                return None
            born, date = text_of(answer, "PatientBirthDate"), text_of(answer, "StudyDate")
            sex = text_of(answer, "PatientSex").upper()
            time = text_of(answer, "StudyTime").partition(".")[0][:6]
            number = text_of(answer, "NumberOfStudyRelatedInstances")
            return Study(
                study_uid=uid,
                patient_name=name_of(text_of(answer, "PatientName"))[:_LONGEST_SHOWN],
                patient_id=text_of(answer, "PatientID")[:_LONGEST_SHOWN],
                birth_date=born if len(born) == 8 and born.isdecimal() else "",
                sex=sex if sex in ("M", "F", "O") else "",
                date=date if len(date) == 8 and date.isdecimal() else "",
                time=time if time.isdecimal() else "",
                description=text_of(answer, "StudyDescription")[:_LONGEST_SHOWN],
                accession_number=text_of(answer, "AccessionNumber")[:_LONGEST_SHOWN],
                modalities=text_of(answer, "ModalitiesInStudy").replace("\\", ", ")[:_LONGEST_SHOWN],
                objects=int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else 0,
            )
    except UNREADABLE:
        # Without a word of why: what libraries say quotes names.
        return None


def wanted(question: StudyQuestion, study: Study | None) -> Study | None:
    """The study where it is of the patient and the request in question: some servers pass over keys."""
    if study is None:
        return None
    pairs = ((question.patient_id, study.patient_id), (question.accession, study.accession_number))
    return (
        study
        if all(not asked or asked.strip().casefold() == said.casefold() for asked, said in pairs)
        else None
    )


def fault(name: str, status: int) -> str:
    """What a status of a server means for the user, a sentence."""
    if status == _NOT_ALLOWED:
        return _("{server} does not allow this program to search it; ask who runs it.", server=name)
    if status == _OUT_OF_RESOURCES:
        return _(
            "{server} finds too many studies, or has no room; say more of what is looked for.", server=name
        )
    if status & 0xFF00 == 0xA900:
        return _(
            "{server} does not understand what is looked for (status {status}).",
            server=name,
            status=f"{status:04X}",
        )
    return _(
        "{server} could not search (status {status}); try again later.",
        server=name,
        status=f"{status:04X}",
    )
