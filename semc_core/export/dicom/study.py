"""What all DICOM objects of one export have in common, as plain data. Made by `dicom.header`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pydicom.dataset import Dataset

from semc_core.export.dicom.pixels import Lossy
from semc_core.export.dicom.uids import UidMaker
from semc_core.export.options import Patient

Dates = Literal["removed", "shifted", "kept"]

DUMMY_DATE: Final = "19000101"
DUMMY_TIME: Final = "000000"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, as a worklist said it; what it did not say is "".

    Attributes:
        accession_number: Of the request.
        procedure_id: Requested Procedure ID.
        procedure: Its description.
        step_id: Scheduled Procedure Step ID.
        step: Its description.
        reason: Why it was asked for.
    """

    accession_number: str = ""
    procedure_id: str = ""
    procedure: str = ""
    step_id: str = ""
    step: str = ""
    reason: str = ""


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
        burned_in: Whether identifying text may be left in the pictures.
        source_kind: As in `SourceInfo`.
        lossy: Lossy compressions that the source's pixels went through; None where that is not known.
        ultrasound: Whether the source was a DICOM ultrasound: then the objects are ultrasound images.
        carried: Elements of the source's header that go with the objects; empty without a DICOM source.
        source_class: SOP class of the source object, or "".
        source_uid: Its SOP Instance UID, replaced when de-identified; or "".
        source_size: (width, height) of its pictures, (0, 0) without a DICOM source.
        source_frames: Its number of frames.
        request: What was asked for; None where nobody said, and when de-identified.
        other_patient: Whether the user names another patient than the source's header: its study is left out.
        operator: Who scanned, of a scan whose source has no header; or "".
        institution: Where, likewise.
        site: Where in it, likewise: Institutional Department Name.
        part: Which scan of an examination of several it is, "1", "2" ...; "" where it is one alone.
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
    burned_in: bool
    source_kind: str
    lossy: Lossy = ()
    ultrasound: bool = False
    carried: Dataset = field(default_factory=Dataset)
    source_class: str = ""
    source_uid: str = ""
    source_size: tuple[int, int] = (0, 0)
    source_frames: int = 1
    request: Request | None = None
    other_patient: bool = False
    operator: str = ""
    institution: str = ""
    site: str = ""
    part: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """What tells the objects of this scan from those of others, for UIDs."""
        return (self.study_uid, self.source_uid, *((self.part,) if self.part else ()))
