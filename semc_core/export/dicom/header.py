"""Whose study the exported objects belong to, and what of the source's header goes with them.

De-identified objects are made anew: of the source's header only numbers and the standard's own terms are
carried over, never a text. So a name in an attribute where nobody looks for one cannot get through.
"""

from __future__ import annotations

import re
import zlib
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.valuerep import DA, TM

from semc_core.errors import ExportError, SourceError
from semc_core.export.dicom import header_allowlist
from semc_core.export.dicom.lossy import lossy_of_header
from semc_core.export.dicom.pixels import Lossy
from semc_core.export.dicom.study import DUMMY_DATE, DUMMY_TIME, Dates, Request, StudyContext
from semc_core.export.dicom.uids import UidMaker
from semc_core.export.options import ExportOptions, Patient
from semc_core.language import _
from semc_core.session.examination import Examination, is_same_patient, is_written
from semc_core.session.records import file_sha256
from semc_core.sources.dicom.elements import UNREADABLE

_LONGEST_LO: Final = 64
_DATE: Final = r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_STUDY_ID: Final = "SEMC"
_US_CLASSES: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{tail}"
    for tail in ("6", "6.1", "3", "3.1")  # The short ones are retired; old loops have them.
)
# What pydicom raises for files that are damaged, and for values that are not what they should be.
_UNREADABLE: Final = (*UNREADABLE, InvalidDicomError, zlib.error)


def study_of_nothing(
    source_kind: str,
    session_name: str,
    began: datetime,
    uids: UidMaker,
    options: ExportOptions,
    text_left: bool,
    lossy: Lossy = (),
    examination: Examination | None = None,
) -> StudyContext:
    """The study of a scan that is not DICOM (a video, a live scan): nothing is known but what the user says.

    Args:
        source_kind: As in `SourceInfo`.
        session_name: Names the scan; it is not written, but the same name gives the same study.
        began: When the scan was analysed, local time.
        uids: Makes the UIDs.
        options: The user's.
        text_left: Whether text that says who was examined may be left in the pictures.
        lossy: Compressions that the pictures went through (`lossy.lossy_of_source`).
        examination: That the scan belongs to; nothing of it is in what is de-identified.
    """
    seed = f"session {session_name}"
    date, time = began.strftime("%Y%m%d"), began.strftime("%H%M%S")
    context = _context(
        Dataset(),
        source_kind,
        seed,
        (date, time),
        (date, time),
        uids,
        options,
        text_left,
        uids.made("study", seed),
        lossy,
    )
    if examination is None or options.deidentify or not is_of(options.patient, examination):
        return context
    return _requested(context, examination, options)


def patient_of(examination: Examination) -> Patient:
    """The patient of an examination."""
    return Patient(examination.patient_name, examination.patient_id, examination.birth_date, examination.sex)


def is_of(patient: Patient | None, examination: Examination) -> bool:
    """Whether the patient whom a user names, or nobody, is that of the examination.

    The numbers are held; where neither has one, the names.
    """
    if patient is None or not examination.names_patient:
        return True
    one_number = patient.patient_id.strip() == examination.patient_id.strip()
    return one_number and is_same_patient(patient.name, patient.patient_id, examination)


def _requested(context: StudyContext, examination: Examination, options: ExportOptions) -> StudyContext:
    """The study as a worklist, or who filled in the examination, asks for it."""
    patient = options.patient or patient_of(examination)
    number = patient.patient_id or context.patient.patient_id
    return replace(
        context,
        study_uid=examination.study_uid or context.study_uid,
        patient=replace(patient, name=_person_name(patient.name), patient_id=number),
        study_id=examination.procedure_id or context.study_id,
        accession_number=examination.accession_number,
        referring_physician=examination.referring_physician,
        study_description=examination.procedure,
        request=Request(
            examination.accession_number,
            examination.procedure_id,
            examination.procedure,
            examination.step_id,
            examination.step,
            examination.indication,
        ),
        operator=_person_name(examination.operator),
        institution=examination.institution,
        site=examination.site,
    )


def study_of_dicom(path: Path, uids: UidMaker, options: ExportOptions, text_left: bool) -> StudyContext:
    """The study of a DICOM source, from its header. For the arguments see `study_of_nothing`.

    Raises:
        SourceError: The file is gone or is not DICOM.
        ExportError: The patient that the user gave cannot be written.
    """
    try:
        # Validation would write the values it dislikes, names among them, to the screen.
        with disable_value_validation():
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(header_allowlist.READ))
            return _study_of_header(header, path, uids, options, text_left)
    except FileNotFoundError as error:
        raise SourceError(
            _("The DICOM file of this session is gone; put it back to export DICOM.")
        ) from error
    except _UNREADABLE:
        # The cause is left out: pydicom's messages quote values.
        raise SourceError(_("The DICOM file of this session can no longer be read; put it back.")) from None


def names_patient(path: Path) -> bool:
    """Whether a DICOM file's header has a name or a number of the patient; not where it cannot be read."""
    try:
        with disable_value_validation():
            header = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["PatientName", "PatientID"]
            )
            texts = _text(header, "PatientName"), _text(header, "PatientID")
    except _UNREADABLE:
        return False
    return any(text.strip("^ ") for text in texts)


def _study_of_header(
    header: Dataset, path: Path, uids: UidMaker, options: ExportOptions, text_left: bool
) -> StudyContext:
    old_study = _text(header, "StudyInstanceUID")
    study_uid = (uids.replaced(old_study) if options.deidentify else old_study) if old_study else ""
    seed = f"patient {_text(header, 'PatientID') or old_study or file_sha256(path)}"
    study_when = _text(header, "StudyDate"), _text(header, "StudyTime")
    taken = _text(header, "ContentDate", "AcquisitionDate", "SeriesDate", "StudyDate")
    taken_time = _text(header, "ContentTime", "AcquisitionTime", "SeriesTime", "StudyTime")
    context = _context(
        header, "dicom", seed, study_when, (taken, taken_time), uids, options, text_left,
        study_uid or uids.made("study", seed), lossy_of_header(header, path.stat().st_size),
    )  # fmt: skip
    named = Examination(_text(header, "PatientName"), _text(header, "PatientID"))
    return context if options.deidentify or is_of(options.patient, named) else _without_study(context)


def _without_study(context: StudyContext) -> StudyContext:
    """Of another patient than the header's: what was requested for that one, and his study, are left out."""
    carried = deepcopy(context.carried)
    for name in header_allowlist.OF_PATIENT:
        carried.pop(name, None)
    return replace(
        context,
        study_uid=context.uids.made("study of another", context.study_uid, context.patient.patient_id),
        study_id=_STUDY_ID,
        accession_number="",
        referring_physician="",
        study_description="",
        carried=carried,
        other_patient=True,
    )


def _context(
    header: Dataset,
    source_kind: str,
    patient_seed: str,
    study_when: tuple[str, str],
    taken: tuple[str, str],
    uids: UidMaker,
    options: ExportOptions,
    text_left: bool,
    study_uid: str,
    lossy: Lossy,
) -> StudyContext:
    hidden = options.deidentify
    dates: Dates = options.dates if hidden else "kept"
    back = uids.shift(patient_seed)
    study_date, study_time = moved(study_when, dates, back)
    content_date, content_time = moved(taken, dates, back)
    old_uid = _text(header, "SOPInstanceUID")
    ultrasound = _text(header, "SOPClassUID") in _US_CLASSES
    return StudyContext(
        uids=uids,
        study_uid=study_uid,
        patient=_patient(header, patient_seed, uids, options),
        study_date=study_date,
        study_time=study_time,
        content_date=content_date or DUMMY_DATE,
        content_time=content_time or DUMMY_TIME,
        study_id=_STUDY_ID if hidden else _text(header, "StudyID") or _STUDY_ID,
        accession_number="" if hidden else _text(header, "AccessionNumber"),
        referring_physician="" if hidden else _text(header, "ReferringPhysicianName"),
        study_description="" if hidden else _text(header, "StudyDescription"),
        de_identified=hidden,
        dates=dates,
        burned_in=text_left,
        source_kind=source_kind,
        lossy=lossy,
        ultrasound=ultrasound,
        carried=header_allowlist.pick(header, hidden) if ultrasound else Dataset(),
        source_class=_text(header, "SOPClassUID"),
        source_uid=(uids.replaced(old_uid) if hidden else old_uid) if old_uid else "",
        source_size=(int(header.get("Columns", 0) or 0), int(header.get("Rows", 0) or 0)),
        source_frames=int(header.get("NumberOfFrames", 1) or 1),
    )


def _patient(header: Dataset, seed: str, uids: UidMaker, options: ExportOptions) -> Patient:
    """The patient to write. A number is made up where there is none: archives file patients by it."""
    number = uids.pseudonym(seed)
    if options.deidentify:
        return Patient(name=f"{number}^ANON", patient_id=number)
    patient = options.patient or Patient(
        name=_text(header, "PatientName"),
        patient_id=_text(header, "PatientID"),
        birth_date=_readable(DA, _text(header, "PatientBirthDate")),
        sex=_text(header, "PatientSex"),
    )
    if options.patient is not None:
        _check_patient(patient)
    return replace(patient, name=_person_name(patient.name), patient_id=patient.patient_id or number)


def _check_patient(patient: Patient) -> None:
    """Refuse what DICOM cannot hold, before anything is written.

    Raises:
        ExportError: Something is too long or in another form.
    """
    if patient.birth_date and not re.fullmatch(_DATE, patient.birth_date):
        raise ExportError(_("The birth date must be eight digits (YYYYMMDD), or empty."))
    if patient.sex not in ("M", "F", "O", ""):
        raise ExportError(_("The patient's sex must be M, F or O, or empty."))
    for text in (patient.name, patient.patient_id):
        if len(text) > _LONGEST_LO or "\\" in text or not is_written(text):
            raise ExportError(
                _("The patient's name and number may have 64 characters each, and no backslash.")
            )


def _person_name(name: str) -> str:
    """A name of one part ends with a caret: the form without any is retired."""
    return f"{name}^" if name and "^" not in name else name


def moved(when: tuple[str, str], dates: Dates, back: timedelta) -> tuple[str, str]:
    """A DICOM date and time after the dates were removed (both ""), moved `back`, or kept.

    The time of day moves with the date, so that intervals stay. Where the time is missing or is none, only
    the date is moved; where the date is, both are removed.
    """
    date, time = when
    if dates == "kept":
        return _readable(DA, date), _readable(TM, time)
    if dates == "removed":
        return "", ""
    digits, _point, fraction = time.partition(".")
    sound = re.fullmatch(r"\d\d(\d\d(\d\d)?)?", digits) and re.fullmatch(r"\d{0,6}", fraction)
    try:
        if sound:
            exact = f"{date}{digits:0<6}{fraction:0<6}"
            earlier = datetime.strptime(exact, "%Y%m%d%H%M%S%f") - back
            return earlier.strftime("%Y%m%d"), earlier.strftime("%H%M%S.%f" if fraction else "%H%M%S")
        return (datetime.strptime(date, "%Y%m%d") - back).strftime("%Y%m%d"), ""
    except (ValueError, OverflowError):
        return "", ""


def _readable(kind: type[DA | TM], text: str) -> str:
    """A date or time as it stands; "" where it is none, as the birth date 19700000 of somebody unknown."""
    try:
        kind(text)
    except ValueError:
        return ""
    return text


def _text(header: Dataset, *names: str) -> str:
    """The first of these elements that holds something, as text; "" if none does."""
    return next((str(header[name].value) for name in names if header.get(name)), "")
