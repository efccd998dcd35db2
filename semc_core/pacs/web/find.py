"""Which studies a DICOMweb service has of a patient, and which objects a study has (QIDO-RS).

Whatever a service answers, an answer here is bounded, in bytes, rows and time. Nothing of it is logged.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydicom.config import disable_value_validation
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from semc_core.errors import PacsError
from semc_core.language import _
from semc_core.pacs.answers import Answers, text_of
from semc_core.pacs.association import SUCCESS
from semc_core.pacs.destinations import WebDestination
from semc_core.pacs.priors.find import (
    USUAL_STUDIES,
    Studies,
    Study,
    StudyQuestion,
    check_most,
    identifier_of,
    is_uid,
    studies_in,
    study_of,
    wanted,
)
from semc_core.pacs.web.service import LONGEST_ANSWERS, WebService
from semc_core.pacs.web_secret import WebSecret
from semc_core.sources.dicom.elements import UNREADABLE

_NOT_ASKED: Final = ("SpecificCharacterSet", "QueryRetrieveLevel")
_STUDY_TAGS: Final = (
    "0020000D", "00100010", "00100020", "00100030", "00100040", "00080020", "00080030", "00081030",
    "00080050", "00080061", "00201208",
)  # fmt: skip
_OBJECT_TAGS: Final = ("00080016", "00080018", "0020000E")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """An object that a service says it has. Its UIDs are such.

    Attributes:
        sop_class: Its SOP Class UID.
        sop_instance: Its SOP Instance UID.
        series: Its Series Instance UID.
    """

    sop_class: str
    sop_instance: str
    series: str


def find_studies(
    server: WebDestination,
    secret: WebSecret,
    question: StudyQuestion,
    most: int = USUAL_STUDIES,
    *,
    opened: Callable[[socket.socket], None] | None = None,
) -> Studies:
    """Ask a service which studies it has.

    Args:
        server: Which.
        secret: Proves who asks.
        question: What is asked.
        most: Studies that are read; 1 to `MOST_STUDIES`.
        opened: Told of each connection: shutting it down ends any wait.

    Raises:
        PacsError: It cannot be reached, cannot be searched, or answers with a fault.
        UsageError: `most` is too many.
    """
    check_most(most)
    asked = identifier_of(question)
    filters = {
        each.keyword: str(each.value) for each in asked if each.value and each.keyword not in _NOT_ASKED
    }
    with WebService(server, secret, opened=opened) as service:

        def page(limit: int, offset: int) -> list[Row]:
            return service.client.search_for_studies(
                limit=limit, offset=offset, fields=_STUDY_TAGS, search_filters=filters
            )

        rows = _pages(service, page, most + 1, "0020000D")
    found = [wanted(question, _study(row)) for row in rows]
    studies = tuple(each for each in found[:most] if each is not None)
    left_out = len(found[:most]) - len(studies)
    answers = Answers(studies, left_out, "too many" if len(rows) > most else "", SUCCESS)
    return studies_in(server.name, answers, most)


def objects_of(service: WebService, study_uid: str, most: int) -> tuple[list[Held], int]:
    """The objects of a study, and how many have UIDs that are none.

    Args:
        service: Which has it.
        study_uid: Its Study Instance UID.
        most: Objects that a study may have.

    Raises:
        PacsError: The service cannot be asked, or the study has more objects.
    """

    def page(limit: int, offset: int) -> list[Row]:
        return service.client.search_for_instances(
            study_instance_uid=study_uid, limit=limit, offset=offset, fields=_OBJECT_TAGS
        )

    rows = _pages(service, page, most + 1, "00080018")
    if len(rows) > most:
        raise PacsError(_("The study has more than {most} objects; get it another way.", most=most))
    found = {each.sop_instance: each for each in map(_held, rows) if each is not None}
    return list(found.values()), len(rows) - len(found)


def _pages(
    service: WebService, ask: Callable[[int, int], list[Row]], most: int, key: str
) -> list[Mapping[str, Any]]:
    """What comes, in as many parts as the service likes, until that is all, or there are `most`."""
    rows: list[Mapping[str, Any]] = []
    known: set[str] = set()
    with service.asking(LONGEST_ANSWERS * service.answer_s):
        while len(rows) < most:
            page = ask(most - len(rows), len(rows))
            fresh = [row for row in page if isinstance(row, dict) and str(row.get(key)) not in known]
            rows += fresh
            known |= {str(row.get(key)) for row in fresh}
            # A service that hands out the same again and again has come to its end.
            if not fresh or not service.has_more:
                break
    return rows[:most]


def _dataset(row: Mapping[str, Any], tags: tuple[str, ...]) -> Dataset:
    """What is read of a row: values alone, nothing that lies elsewhere. Raises one of UNREADABLE."""
    read = Dataset()
    for tag in tags:
        texts = [_text(value) for value in row.get(tag, {}).get("Value") or [] if value is not None]
        if texts:
            number = int(tag, 16)
            read.add_new(number, dictionary_VR(number), texts if len(texts) > 1 else texts[0])
    return read


def _text(value: object) -> str:
    """A value as DICOM's own protocol has it."""
    if isinstance(value, dict):
        writings = [str(value.get(each, "")) for each in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(writings).rstrip("=")
    if not isinstance(value, str | int | float):
        raise ValueError("a value of another kind")
    return str(value)


def _study(row: Mapping[str, Any]) -> Study | None:
    try:
        with disable_value_validation():
            return study_of(_dataset(row, _STUDY_TAGS))
    except UNREADABLE:
        # Without a word of why: what libraries say quotes names.
        return None


def _held(row: Mapping[str, Any]) -> Held | None:
    try:
        with disable_value_validation():
            read = _dataset(row, _OBJECT_TAGS)
            uids = [text_of(read, name) for name in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")]
    except UNREADABLE:
        return None
    return Held(*uids) if all(map(is_uid, uids)) else None
