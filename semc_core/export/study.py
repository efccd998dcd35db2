"""Whose study the exported objects belong to, and what of the source's header goes with them.

De-identified objects are made anew: of the source's header only numbers and the standard's own terms are
carried over, never a text. So a name in an attribute where nobody looks for one cannot get through.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from semc_core.errors import SourceError
from semc_core.export import carried
from semc_core.export.dicom_pixels import LossyStep
from semc_core.export.uids import UidMaker

Dates = Literal["removed", "shifted", "kept"]

DUMMY_DATE: Final = "19000101"
DUMMY_TIME: Final = "000000"
_STUDY_ID: Final = "SEMC"
_US_CLASSES: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{tail}"
    for tail in ("6", "6.1", "3", "3.1")  # The short ones are retired; old loops have them.
)
_METHODS: Final = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
}
LOSSY_METHODS: Final = frozenset(
    (*_METHODS.values(), "ISO_13818_2", "ISO_14496_2", "ISO_14496_10", "ISO_23008_2", "ISO_15444_15")
)


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was examined. All may be ""; `sex` is "M", "F", "O" or "", `birth_date` YYYYMMDD."""

    name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class StudyChoices:
    """What the user decided about identity.

    Attributes:
        de_identify: Leave out who was examined, where, by whom and with which device.
        dates: With `de_identify`: "removed", or "shifted" by the same number of days for all of a patient.
        patient: Without `de_identify`: the patient to write instead of the source's; None keeps the source's.
        accession_number: Without `de_identify`: of the order; "" keeps the source's.
        pixels_cleaned: Whether text in the pictures was masked.
        burned_in: Whether text that says who was examined may be left in the pictures.
    """

    de_identify: bool = True
    dates: Literal["removed", "shifted"] = "removed"
    patient: Patient | None = None
    accession_number: str = ""
    pixels_cleaned: bool = False
    burned_in: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class StudyContext:
    """What all objects of one export have in common.

    Attributes:
        uids: Makes their UIDs.
        study_uid: Study Instance UID.
        patient: As written; a generated one when de-identified.
        study_date: YYYYMMDD or "".
        study_time: HHMMSS[.ffffff] or "".
        content_date: When the pictures were taken, YYYYMMDD; a dummy when dates are removed.
        content_time: HHMMSS[.ffffff].
        study_id: At most 16 characters.
        accession_number: At most 16 characters, or "".
        referring_physician: Or "".
        study_description: Or "".
        de_identified: Whether identity was left out.
        dates: What became of the dates.
        pixels_cleaned: Whether text in the pictures was masked.
        burned_in: Whether identifying text may be left in the pictures.
        source_kind: As in `SourceInfo`.
        lossy: Lossy compressions that the source's pixels went through.
        ultrasound: Whether the source was a DICOM ultrasound: then the objects are ultrasound images.
        carried: Elements of the source's header that go with the objects; empty without a DICOM source.
        source_class: SOP class of the source object, or "".
        source_uid: Its SOP Instance UID, replaced when de-identified; or "".
        source_size: (width, height) of its pictures, (0, 0) without a DICOM source.
        source_frames: Its number of frames.
    """

    uids: UidMaker
    study_uid: str
    patient: Patient
    study_date: str
    study_time: str
    content_date: str
    content_time: str
    study_id: str
    accession_number: str
    referring_physician: str
    study_description: str
    de_identified: bool
    dates: Dates
    pixels_cleaned: bool
    burned_in: bool
    source_kind: str
    lossy: tuple[LossyStep, ...] = ()
    ultrasound: bool = False
    carried: Dataset = field(default_factory=Dataset)
    source_class: str = ""
    source_uid: str = ""
    source_size: tuple[int, int] = (0, 0)
    source_frames: int = 1


def study_of_nothing(
    source_kind: str,
    session_name: str,
    began: datetime,
    uids: UidMaker,
    choices: StudyChoices,
    lossy: tuple[LossyStep, ...] = (),
) -> StudyContext:
    """The study of a scan that is not DICOM (a video, a live scan): nothing is known but what the user says.

    Args:
        source_kind: As in `SourceInfo`.
        session_name: Names the scan; it is not written, but the same name gives the same study.
        began: When the scan was analysed, local time.
        uids: Makes the UIDs.
        choices: The user's.
        lossy: Compressions that the pictures went through (`lossy_of_video`).
    """
    seed = f"session {session_name}"
    date, time = began.strftime("%Y%m%d"), began.strftime("%H%M%S")
    return _context(
        Dataset(),
        source_kind,
        seed,
        (date, time),
        (date, time),
        uids,
        choices,
        uids.made("study", seed),
        lossy,
    )


def study_of_dicom(path: Path, uids: UidMaker, choices: StudyChoices) -> StudyContext:
    """The study of a DICOM source, from its header.

    Raises:
        SourceError: The file is gone or is not DICOM.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(carried.READ))
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise SourceError("The DICOM file of this session is gone; put it back to export DICOM.") from error
    except (InvalidDicomError, OSError, EOFError, ValueError, AttributeError) as error:
        raise SourceError("The DICOM file of this session can no longer be read; put it back.") from error
    old_study = str(header.get("StudyInstanceUID", "") or "")
    study_uid = (uids.replaced(old_study) if choices.de_identify else old_study) if old_study else ""
    patient_seed = str(header.get("PatientID", "") or "") or old_study or _digest(path)
    study_when = str(header.get("StudyDate", "") or ""), str(header.get("StudyTime", "") or "")
    taken = _first(header, "ContentDate", "AcquisitionDate", "SeriesDate", "StudyDate")
    taken_time = _first(header, "ContentTime", "AcquisitionTime", "SeriesTime", "StudyTime")
    return _context(
        header, "dicom", f"patient {patient_seed}", study_when, (taken, taken_time), uids, choices,
        study_uid or uids.made("study", patient_seed), _lossy_of_header(header, size),
    )  # fmt: skip


def _context(
    header: Dataset,
    source_kind: str,
    patient_seed: str,
    study_when: tuple[str, str],
    taken: tuple[str, str],
    uids: UidMaker,
    choices: StudyChoices,
    study_uid: str,
    lossy: tuple[LossyStep, ...],
) -> StudyContext:
    hidden = choices.de_identify
    dates: Dates = choices.dates if hidden else "kept"
    days = uids.shift_days(patient_seed)
    study_date, study_time = moved(study_when, dates, days)
    content_date, content_time = moved(taken, dates, days)
    old_uid = str(header.get("SOPInstanceUID", "") or "")
    ultrasound = str(header.get("SOPClassUID", "") or "") in _US_CLASSES
    return StudyContext(
        uids=uids,
        study_uid=study_uid,
        patient=_patient(header, patient_seed, uids, choices),
        study_date=study_date,
        study_time=study_time,
        content_date=content_date or DUMMY_DATE,
        content_time=content_time or DUMMY_TIME,
        study_id=_STUDY_ID if hidden else str(header.get("StudyID", "") or _STUDY_ID),
        accession_number=""
        if hidden
        else choices.accession_number or str(header.get("AccessionNumber", "") or ""),
        referring_physician="" if hidden else str(header.get("ReferringPhysicianName", "") or ""),
        study_description="" if hidden else str(header.get("StudyDescription", "") or ""),
        de_identified=hidden,
        dates=dates,
        pixels_cleaned=choices.pixels_cleaned,
        burned_in=choices.burned_in,
        source_kind=source_kind,
        lossy=lossy,
        ultrasound=ultrasound,
        carried=carried.pick(header, hidden) if ultrasound else Dataset(),
        source_class=str(header.get("SOPClassUID", "") or ""),
        source_uid=(uids.replaced(old_uid) if hidden else old_uid) if old_uid else "",
        source_size=(int(header.get("Columns", 0) or 0), int(header.get("Rows", 0) or 0)),
        source_frames=int(header.get("NumberOfFrames", 1) or 1),
    )


def _patient(header: Dataset, seed: str, uids: UidMaker, choices: StudyChoices) -> Patient:
    if choices.de_identify:
        number = uids.pseudonym(seed)
        return Patient(name=f"{number}^ANON", patient_id=number)
    if choices.patient is not None:
        return replace(choices.patient, name=_person_name(choices.patient.name))
    return Patient(
        name=_person_name(str(header.get("PatientName", "") or "")),
        patient_id=str(header.get("PatientID", "") or ""),
        birth_date=str(header.get("PatientBirthDate", "") or ""),
        sex=str(header.get("PatientSex", "") or ""),
    )


def _person_name(name: str) -> str:
    """A name of one part ends with a caret: the form without any is retired."""
    return f"{name}^" if name and "^" not in name else name


def moved(when: tuple[str, str], dates: Dates, days: int) -> tuple[str, str]:
    """A DICOM date and time after the dates were removed (both ""), shifted back by `days`, or kept.

    A date that is none cannot be shifted and is removed. The time of day stays when dates are shifted, so
    that the order of pictures does.
    """
    date, time = when
    if dates == "kept":
        return date, time
    if dates == "removed":
        return "", ""
    try:
        earlier = datetime.strptime(date, "%Y%m%d") - timedelta(days=days)
    except (ValueError, OverflowError):
        return "", ""
    digits, _, fraction = time.partition(".")
    sound = digits.isdigit() and len(digits) in (2, 4, 6) and (not fraction or fraction.isdigit())
    return earlier.strftime("%Y%m%d"), time if sound else ""


def _lossy_of_header(header: Dataset, file_bytes: int) -> tuple[LossyStep, ...]:
    """What the source's pixels lost, from its header and its transfer syntax."""
    syntax = UID(str(header.file_meta.get("TransferSyntaxUID", "")))
    own = _METHODS.get(syntax, "ISO_10918_1")
    ratios = [float(str(one)) for one in _many(header.get("LossyImageCompressionRatio"))]
    methods = [str(one) for one in _many(header.get("LossyImageCompressionMethod"))]
    if ratios:
        methods += [own] * (len(ratios) - len(methods))
        pairs = zip(methods, ratios, strict=False)
        return tuple(LossyStep(m if m in LOSSY_METHODS else own, r) for m, r in pairs if r > 0)
    if syntax not in _METHODS and header.get("LossyImageCompression") != "01":
        return ()
    raw = (
        int(header.get("Rows", 0) or 0)
        * int(header.get("Columns", 0) or 0)
        * int(header.get("SamplesPerPixel", 1) or 1)
        * int(header.get("NumberOfFrames", 1) or 1)
        * (int(header.get("BitsAllocated", 8) or 8) // 8)
    )
    return (LossyStep(own, max(1.0, raw / max(1, file_bytes))),)


def _many(value: object) -> list[object]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, pydicom.multival.MultiValue) else [value]


def _first(header: Dataset, *names: str) -> str:
    return next((str(header[name].value) for name in names if header.get(name)), "")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
