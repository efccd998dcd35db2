"""DICOM images of standard planes: stills and cine clips.

From a DICOM ultrasound they are Ultrasound (Multi-frame) Images with its geometry, else Secondary Captures.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import (
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from semc_core.errors import ExportError
from semc_core.export.dicom.codes import PAIRED, SITES, code_item
from semc_core.export.dicom.confidentiality import check_removed, mark
from semc_core.export.dicom.pixels import TRANSFER_SYNTAXES, PackedFrames, Packing, pack, put_pixels
from semc_core.export.dicom.study import Request, StudyContext
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.labels import full_name
from semc_core.language import _
from semc_core.session.correcting.sentences import decided
from semc_core.session.records import PlaneEntry
from semc_core.version import VERSION

STATEMENT: Final = "Research use only, not for diagnosis."
STILLS, CLIPS = 9001, 9002
"""Series numbers; high, so that they come after the scanner's own; `report_document` has the others."""

_DESCRIPTIONS: Final = {STILLS: "SEMC Live standard planes", CLIPS: "SEMC Live clips"}
_CONVERSIONS: Final = {"images": "WSD", "dicom": "WSD", "simulated": "SYN"}
_LONGEST_DS_BYTES: Final = 65534
# Of up to six digits each, they fit into one element.
_MOST_FRAME_NUMBERS: Final = 9000
_EVEN_WITHIN_MS: Final = 0.001


def still(
    context: StudyContext,
    plane: PlaneEntry,
    pixels: NDArray[np.uint8],
    number: int,
    packing: Packing = "none",
) -> Dataset:
    """The saved frame of a plane as one DICOM image.

    Args:
        context: Whose study.
        plane: What was found.
        pixels: uint8 (H, W) gray or (H, W, 3) RGB, masked already.
        number: Instance number within the series, from 1.
        packing: How the pixels are stored.

    Raises:
        ExportError: The frame cannot be packed, or identity was left in the object.
    """
    packed = pack([pixels], packing)
    sop_class = UltrasoundImageStorage if context.ultrasound else SecondaryCaptureImageStorage
    dataset = _image(context, packed, str(sop_class), STILLS, number)
    _describe(dataset, plane, context, [plane.frame_index])
    return finish(dataset, context)


def clip(
    context: StudyContext,
    plane: PlaneEntry,
    frames: Iterable[NDArray[np.uint8]],
    times_s: Sequence[float],
    number: int,
    packing: Packing = "jpeg-ls",
    frame_indices: Sequence[int] | None = None,
) -> Dataset:
    """A cine clip around a plane as one multi-frame DICOM object.

    Args:
        context: Whose study.
        plane: What was found.
        frames: uint8 (H, W) or (H, W, 3), in order, all of one shape. Read one by one.
        times_s: Presentation time of each frame, not decreasing; the first may be anything.
        number: Instance number within the series, from 1.
        packing: How the pixels are stored.
        frame_indices: Index of each frame in a DICOM source, to refer to it.

    Raises:
        ExportError: Frames and times do not match, the clip is too long, or identity was left in the object.
    """
    packed = pack(frames, packing)
    if len(times_s) != packed.count:
        raise ExportError(_("The clip's frames and times do not match; analyse the loop again."))
    if context.ultrasound:
        sop_class = UltrasoundMultiFrameImageStorage
    elif packed.samples == 1:
        sop_class = MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    else:
        sop_class = MultiFrameTrueColorSecondaryCaptureImageStorage
    dataset = _image(context, packed, str(sop_class), CLIPS, number)
    if sop_class == MultiFrameGrayscaleByteSecondaryCaptureImageStorage:
        dataset.PresentationLUTShape = "IDENTITY"
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    _put_times(dataset, times_s)
    _describe(dataset, plane, context, frame_indices)
    return finish(dataset, context)


def finish(dataset: Dataset, context: StudyContext) -> Dataset:
    """Say what was done about identity, look that it was, and give the object its UID.

    The UID comes from the content: the same export gives the same object again, a changed one a new object.

    Raises:
        ExportError: Identity was left in the object.
    """
    mark(dataset, context)
    content = {tag: value for tag, value in dataset.to_json_dict(bulk_data_threshold=0,
               bulk_data_element_handler=lambda _element: "bulk").items() if tag != "00080018"}  # fmt: skip
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode())
    digest.update(dataset.get("PixelData", b""))
    dataset.SOPInstanceUID = context.uids.made("instance", digest.hexdigest())
    check_removed(dataset, context)
    return dataset


def without_pixels(dataset: Dataset) -> Dataset:
    """An object's header, for a report to refer to it after its pixels were let go."""
    header = Dataset({element.tag: element for element in dataset if element.keyword != "PixelData"})
    header.file_meta = dataset.file_meta
    return header


def encode_object(dataset: Dataset) -> bytes:
    """The file of a finished object."""
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def file_meta(sop_class: str, packing: Packing = "none") -> FileMetaDataset:
    """The file's own header; the object's UID is added when it is written."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.TransferSyntaxUID = TRANSFER_SYNTAXES[packing]
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = f"SEMC_{VERSION}"[:16]
    return meta


def _image(context: StudyContext, packed: PackedFrames, sop_class: str, series: int, number: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = file_meta(sop_class, packed.packing)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    # What the source's header holds is kept, right or wrong; validation would quote it on the screen.
    with disable_value_validation():
        _put_study(dataset, context)
    dataset.Modality = "US"
    dataset.SeriesInstanceUID = context.uids.made("series", *context.named, str(series))
    dataset.SeriesNumber = series
    dataset.SeriesDescription = _DESCRIPTIONS[series]
    dataset.InstanceNumber = number
    dataset.ContentDate, dataset.ContentTime = context.content_date, context.content_time
    dataset.PatientOrientation = ""
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.Manufacturer = ""
    if context.ultrasound:
        _put_ultrasound(dataset, context, packed)
    else:
        dataset.ConversionType = _CONVERSIONS.get(context.source_kind, "DV")
        dataset.SecondaryCaptureDeviceManufacturer = "SEMC Live"
        dataset.SecondaryCaptureDeviceSoftwareVersions = VERSION
    dataset.BurnedInAnnotation = "YES" if context.burned_in else "NO"
    dataset.ContributingEquipmentSequence = [equipment()]
    put_pixels(dataset, packed, context.lossy)
    return dataset


def _put_study(dataset: Dataset, context: StudyContext) -> None:
    patient = context.patient
    dataset.PatientName, dataset.PatientID = patient.name, patient.patient_id
    dataset.PatientBirthDate, dataset.PatientSex = patient.birth_date, patient.sex
    dataset.StudyInstanceUID = context.study_uid
    dataset.StudyDate, dataset.StudyTime = context.study_date, context.study_time
    dataset.StudyID = context.study_id
    dataset.AccessionNumber = context.accession_number
    dataset.ReferringPhysicianName = context.referring_physician
    if context.study_description:
        dataset.StudyDescription = context.study_description
    if context.operator:
        dataset.OperatorsName = context.operator
    if context.institution:
        dataset.InstitutionName = context.institution
    if context.site:
        dataset.InstitutionalDepartmentName = context.site
    if context.request is not None:
        dataset.RequestAttributesSequence = [attributes(context)]


def attributes(context: StudyContext) -> Dataset:
    """What was asked for, as an item of Request Attributes Sequence: what is not known is left out."""
    request = context.request or Request()
    item = Dataset()
    for name, value in (
        ("AccessionNumber", request.accession_number),
        ("StudyInstanceUID", context.study_uid),
        ("RequestedProcedureID", request.procedure_id),
        ("RequestedProcedureDescription", request.procedure),
        ("ScheduledProcedureStepID", request.step_id),
        ("ScheduledProcedureStepDescription", request.step),
        ("ReasonForTheRequestedProcedure", request.reason),
    ):
        if value:
            setattr(item, name, value)
    return item


def answered(attributes: Dataset) -> Dataset:
    """Which request a document answers, as an item of Referenced Request Sequence.

    Args:
        attributes: An item of Request Attributes Sequence.
    """
    item = Dataset()
    item.StudyInstanceUID, item.ReferencedStudySequence = attributes.get("StudyInstanceUID", ""), []
    item.PlacerOrderNumberImagingServiceRequest = item.FillerOrderNumberImagingServiceRequest = ""
    for name in ("AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription"):
        setattr(item, name, attributes.get(name, ""))
    item.RequestedProcedureCodeSequence = []
    return item


def _put_ultrasound(dataset: Dataset, context: StudyContext, packed: PackedFrames) -> None:
    """What the source's header gives: geometry, transducer, equipment."""
    same_size = context.source_size == (packed.width, packed.height)
    for element in context.carried:
        if element.keyword == "SequenceOfUltrasoundRegions" and not same_size:
            # The regions are counted in pixels of the source.
            continue
        dataset[element.tag] = element
    if packed.samples == 1:
        dataset.UltrasoundColorDataPresent = 0


def _put_times(dataset: Dataset, times_s: Sequence[float]) -> None:
    """Multi-frame and cine modules: one frame time, or one for each frame when they differ.

    Raises:
        ExportError: There are too many frames of different times for one element.
    """
    steps_ms = np.diff(np.asarray(times_s, np.float64), prepend=times_s[0]) * 1000
    dataset.NumberOfFrames = len(times_s)
    mean_ms = float(steps_ms[1:].mean()) if len(times_s) > 1 else 0.0
    if len(times_s) < 2 or np.abs(steps_ms[1:] - mean_ms).max() <= _EVEN_WITHIN_MS:
        dataset.FrameIncrementPointer = Tag("FrameTime")
        dataset.FrameTime = _number(mean_ms)
    else:
        texts = [_number(step) for step in steps_ms]
        if sum(map(len, texts)) + len(texts) > _LONGEST_DS_BYTES:
            raise ExportError(
                _("The clip has too many frames of uneven rate for DICOM; export a shorter one.")
            )
        dataset.FrameIncrementPointer = Tag("FrameTimeVector")
        dataset.FrameTimeVector = texts
    if mean_ms > 0:
        dataset.RecommendedDisplayFrameRate = max(1, round(1000 / mean_ms))


def _number(value: float) -> str:
    """A decimal string of at most 16 characters."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def _describe(
    dataset: Dataset, plane: PlaneEntry, context: StudyContext, frame_indices: Sequence[int] | None
) -> None:
    dataset.ImageComments = comment(plane)
    dataset.DerivationDescription = f"Chosen from a scan by SEMC Live {VERSION}. {STATEMENT}"
    site = SITES.get(plane.plane)
    if site is not None:
        dataset.AnatomicRegionSequence = [code_item(site)]
    if (site is None or site in PAIRED) and "Laterality" not in dataset:
        # Required, and empty, where it is not known which side was scanned.
        dataset.Laterality = ""
    if context.source_uid and frame_indices is not None:
        dataset.SourceImageSequence = [_source_image(context, frame_indices)]


def comment(plane: PlaneEntry) -> str:
    """One line of what was found, for people who look at the image elsewhere. Holds no note of a person."""
    of_fetus = f"fetus {plane.fetus}; " if plane.fetus else ""
    return (
        f"{of_fetus}{plane.plane} ({full_name(plane.plane)}), confidence {plane.confidence:.0%}; "
        f"{decided(plane)}; frame {plane.frame_index}, {plane.time_s:.3f} s. {STATEMENT}"
    )


def _source_image(context: StudyContext, frame_indices: Sequence[int]) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = context.source_class
    item.ReferencedSOPInstanceUID = context.source_uid
    if context.source_frames > 1 and len(frame_indices) <= _MOST_FRAME_NUMBERS:
        item.ReferencedFrameNumber = [index + 1 for index in frame_indices]
    item.PurposeOfReferenceCodeSequence = [
        code_item(Code("121322", "DCM", "Source image for image processing operation"))
    ]
    return item


def equipment() -> Dataset:
    """This program, as an item of Contributing Equipment Sequence."""
    item = Dataset()
    item.Manufacturer = "SEMC Live"
    item.ManufacturerModelName = "SEMC Live"
    item.SoftwareVersions = VERSION
    item.PurposeOfReferenceCodeSequence = [code_item(Code("109102", "DCM", "Processing Equipment"))]
    return item
