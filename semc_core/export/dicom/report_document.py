"""What every structured report has: the document round its content, who observed, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from semc_core.export.dicom.codes import FETUS, FETUS_ID, SCHEME, SCHEME_NAME, SCHEME_UID, SUBJECT_CLASS
from semc_core.export.dicom.images import answered, attributes, equipment, file_meta
from semc_core.export.dicom.study import DUMMY_DATE, DUMMY_TIME, StudyContext
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.version import VERSION


@dataclass(frozen=True, slots=True)
class ReportSeries:
    """The series that a report is filed under.

    Attributes:
        number: High, so that it comes after the scanner's own.
        description: For people.
    """

    number: int
    description: str


FINDINGS: Final = ReportSeries(9003, "SEMC Live report")
OBSTETRIC: Final = ReportSeries(9005, "SEMC Live OB-GYN report")


def of_fetus(letter: str) -> list[sr.ContentItem]:
    """Which of several fetuses something is said of (TID 1006 and 1008); nothing where there is one only."""
    if not letter:
        return []
    context = sr.RelationshipTypeValues.HAS_OBS_CONTEXT
    return [
        sr.CodeContentItem(name=SUBJECT_CLASS, value=FETUS, relationship_type=context),
        sr.TextContentItem(name=FETUS_ID, value=letter, relationship_type=context),
    ]


def report_document(
    context: StudyContext,
    evidence: Sequence[Dataset],
    content: Dataset | sr.MeasurementReport,
    series: ReportSeries,
    made: datetime,
) -> Dataset:
    """The document of a content tree; `images.finish` makes an object of it.

    Args:
        context: Whose study.
        evidence: The exported images, without their pixels; at least one.
        content: The tree.
        series: What it is filed under.
        made: When, local time. Not written when dates are removed or shifted.
    """
    with disable_value_validation():
        report: Dataset = sr.ComprehensiveSR(
            evidence=evidence,
            content=content,
            series_instance_uid=context.uids.made("series", *context.named, str(series.number)),
            series_number=series.number,
            sop_instance_uid=context.uids.made("report"),
            instance_number=1,
            manufacturer="SEMC Live",
            is_complete=True,
            specific_character_set="ISO_IR 192",
            coding_schemes=[_scheme()],
            manufacturer_model_name="SEMC Live",
            software_versions=VERSION,
            series_description=series.description,
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
    # In place of the library's own, which holds the time of day and its own name.
    report.ContributingEquipmentSequence = [equipment()]
    _set_when(report, context, made)
    if context.institution:
        report.InstitutionName = context.institution
    if context.site:
        report.InstitutionalDepartmentName = context.site
    if context.request is not None:
        with disable_value_validation():
            report.ReferencedRequestSequence = [answered(attributes(context))]
    report.file_meta = file_meta(str(ComprehensiveSRStorage))
    return report


def observer() -> sr.ObservationContext:
    """This program."""
    device = sr.ObserverContext(
        observer_type=Code("121007", "DCM", "Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=IMPLEMENTATION_UID, name="SEMC Live", manufacturer_name="SEMC Live", model_name=VERSION
        ),
    )
    return sr.ObservationContext(observer_device_context=device)


def _set_when(report: Dataset, context: StudyContext, made: datetime) -> None:
    for name in ("InstanceCreationDate", "InstanceCreationTime", "TimezoneOffsetFromUTC"):
        if name in report:
            delattr(report, name)
    kept = not context.de_identified
    report.ContentDate = made.strftime("%Y%m%d") if kept else DUMMY_DATE
    report.ContentTime = made.strftime("%H%M%S") if kept else DUMMY_TIME


def _scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(
        designator=SCHEME, name=SCHEME_NAME, uid=SCHEME_UID, responsible_organization="SEMC Live"
    )
