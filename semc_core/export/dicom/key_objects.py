"""A key object selection: which images of a study show a standard plane; viewers may show these first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import KeyObjectSelectionDocumentStorage

from semc_core.export.dicom.images import answered, equipment, file_meta
from semc_core.export.dicom.uids import fixed_uid

SERIES: Final = 9004
_TITLE: Final = Code("113000", "DCM", "Of Interest")
_DESCRIPTION: Final = "Standard planes that SEMC Live found. Research use only, not for diagnosis."
_LIKE_THE_IMAGES: Final = (
    "ContentDate", "ContentTime", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified",
)  # fmt: skip
_BY_THE_LIBRARY: Final = ("InstanceCreationDate", "InstanceCreationTime", "TimezoneOffsetFromUTC")
"""The time of day, which an object that is de-identified must not have, and that makes each a new one."""


def key_objects(images: Sequence[Dataset]) -> Dataset:
    """The selection of `images`, which are of one study and may be without their pixels.

    It says of the patient what they say. The same images give the same object again.
    """
    uids = sorted(str(image.SOPInstanceUID) for image in images)
    first = images[0]
    with disable_value_validation():
        document: Dataset = KeyObjectSelectionDocument(
            evidence=list(images),
            content=KeyObjectSelection(
                document_title=_TITLE, referenced_objects=list(images), description=_DESCRIPTION
            ),
            series_instance_uid=fixed_uid(f"series of key objects {first.StudyInstanceUID}"),
            series_number=SERIES,
            sop_instance_uid=fixed_uid(f"key objects {' '.join(uids)}"),
            instance_number=1,
            manufacturer="SEMC Live",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
        )
        for name in _BY_THE_LIBRARY:
            if name in document:
                delattr(document, name)
        if "RequestAttributesSequence" in first:
            document.ReferencedRequestSequence = [answered(item) for item in first.RequestAttributesSequence]
        for name in _LIKE_THE_IMAGES:
            if name in first:
                document[name] = first[name]
    document.SeriesDescription = "SEMC Live key objects"
    document.ContributingEquipmentSequence = [equipment()]
    document.file_meta = file_meta(str(KeyObjectSelectionDocumentStorage))
    return document
