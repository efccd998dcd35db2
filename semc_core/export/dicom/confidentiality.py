"""De-identification: what the objects say of it, and a last look that nothing slipped through.

The objects are made anew (see `dicom.header`), so there is nothing to strip. Still, `check_removed` holds
each finished object against the table of the Basic Application Level Confidentiality Profile (DICOM PS3.15,
table E.1-1, in the edition that dicom-anonymizer ships): an element added to the objects one day cannot
bring identity along unnoticed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as profile
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from semc_core.errors import ExportError
from semc_core.export.dicom.codes import code_item
from semc_core.export.dicom.study import DUMMY_DATE, DUMMY_TIME, StudyContext
from semc_core.language import _

# The profile removes descriptions because people type into them. Here the program alone writes them.
_OWN_DESCRIPTIONS: Final = ("SeriesDescription", "ImageComments", "DerivationDescription")
# Sequences that the profile empties or removes unless their UIDs are replaced, which they are.
_OWN_SEQUENCES: Final = ("ContentSequence", "SourceImageSequence", "ReferencedPerformedProcedureStepSequence")
_OWN_UID_ROOT: Final = "2.25."
_STANDARD_ROOT: Final = "1.2.840.10008."


def mark(dataset: Dataset, context: StudyContext) -> None:
    """Write what was done about identity into `dataset`."""
    if not context.de_identified:
        return
    # The standard means header and pixels: where text may be left in the pictures, that is not so.
    dataset.PatientIdentityRemoved = "NO" if context.burned_in else "YES"
    dataset.DeidentificationMethod = [
        "Made anew by SEMC Live; no text of the source was copied",
        "DICOM PS3.15 Basic Application Level Confidentiality Profile",
    ]
    methods = [
        Code("113100", "DCM", "Basic Application Confidentiality Profile"),
        Code("113105", "DCM", "Clean Descriptors Option"),
    ]
    if not context.burned_in:
        methods.append(Code("113101", "DCM", "Clean Pixel Data Option"))
    if context.dates == "shifted":
        methods.append(
            Code("113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option")
        )
    dataset.DeidentificationMethodCodeSequence = [code_item(method) for method in methods]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if context.dates == "shifted" else "REMOVED"


def check_removed(dataset: Dataset, context: StudyContext) -> None:
    """Hold a finished object against the profile. Nothing is looked at when identity is kept.

    Raises:
        ExportError: An element is there that the profile takes away. Its value is not in the message.
    """
    if not context.de_identified:
        return
    left = sorted({_name(element) for element in _walk(dataset) if _reveals(element, context)})
    if left:
        raise ExportError(
            _(
                "De-identification left {what} in a DICOM object; it was not written. Report this.",
                what=", ".join(left),
            )
        )


def _walk(dataset: Dataset) -> Iterator[DataElement]:
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _walk(item)


def _reveals(element: DataElement, context: StudyContext) -> bool:
    if element.tag.is_private or element.tag.group & 0xFF00 in (0x5000, 0x6000):
        return True
    key = (element.tag.group, element.tag.element)
    if key not in _table():
        return False
    if element.keyword in (*_OWN_DESCRIPTIONS, *_OWN_SEQUENCES) or element.is_empty:
        return False
    if element.VR == "UI":
        values = [element.value] if element.VM == 1 else element.value
        return not all(str(uid).startswith((_OWN_UID_ROOT, _STANDARD_ROOT)) for uid in values)
    return str(element.value) not in _own_values(element, context)


def _own_values(element: DataElement, context: StudyContext) -> tuple[str, ...]:
    """What the program itself writes into an element of the profile."""
    if element.VR in ("DA", "TM", "DT"):
        dummies = (DUMMY_DATE, DUMMY_TIME, DUMMY_DATE + DUMMY_TIME)
        shifted = (context.study_date, context.study_time, context.content_date, context.content_time)
        return (*dummies, *shifted, context.content_date + context.content_time)
    return context.patient.name, context.patient.patient_id, context.study_id


def _name(element: DataElement) -> str:
    return element.keyword or str(element.tag)


@functools.cache
def _table() -> frozenset[tuple[int, ...]]:
    return frozenset(tuple(tag) for tag in profile.ALL_TAGS if len(tag) == 2)
