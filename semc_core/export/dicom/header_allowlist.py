"""Which elements of a DICOM ultrasound's header go with the objects made from it."""

from __future__ import annotations

import re
from typing import Final

from pydicom.dataset import Dataset

# Numbers in binary, of which none says who was examined.
_NUMBERS: Final = ("UltrasoundColorDataPresent",)
_REGION_NUMBERS: Final = (
    "RegionSpatialFormat", "RegionDataType", "RegionFlags",
    "RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1",
    "ReferencePixelX0", "ReferencePixelY0", "PhysicalUnitsXDirection", "PhysicalUnitsYDirection",
    "ReferencePixelPhysicalValueX", "ReferencePixelPhysicalValueY", "PhysicalDeltaX", "PhysicalDeltaY",
    "TransducerFrequency", "PulseRepetitionFrequency", "DopplerCorrectionAngle", "SteeringAngle",
    "DopplerSampleVolumeXPosition", "DopplerSampleVolumeYPosition", "TMLinePositionX0", "TMLinePositionY0",
    "TMLinePositionX1", "TMLinePositionY1", "PixelComponentOrganization", "PixelComponentMask",
    "PixelComponentRangeStart", "PixelComponentRangeStop", "PixelComponentPhysicalUnits",
    "PixelComponentDataType", "NumberOfTableBreakPoints", "TableOfXBreakPoints", "TableOfYBreakPoints",
    "NumberOfTableEntries", "TableOfPixelValues", "TableOfParameterValues",
)  # fmt: skip
_BINARY: Final = frozenset(("US", "SS", "UL", "SL", "FL", "FD"))
_REQUIRED_OF_REGION: Final = (
    "RegionSpatialFormat", "RegionDataType", "RegionFlags", "RegionLocationMinX0", "RegionLocationMinY0",
    "RegionLocationMaxX1", "RegionLocationMaxY1", "PhysicalUnitsXDirection", "PhysicalUnitsYDirection",
    "PhysicalDeltaX", "PhysicalDeltaY",
)  # fmt: skip

# The standard's own terms: a value that is one of these says nothing else.
_TERMS: Final = {
    "TransducerType": frozenset((
        "SECTOR_PHASED", "SECTOR_MECH", "SECTOR_ANNULAR", "LINEAR", "CURVED LINEAR", "SINGLE CRYSTAL",
        "SPLIT XTAL CWD", "IV_PHASED", "IV_ROT XTAL", "IV_ROT MIRROR", "ENDOCAV_PA", "ENDOCAV_MECH",
        "ENDOCAV_CLA", "ENDOCAV_AA", "ENDOCAV_LINEAR", "VECTOR_PHASED",
    )),
}  # fmt: skip
EXAMINATIONS: Final = frozenset((
    "ABDOMINAL", "BREAST", "CHEST", "ENDOCAVITARY", "ENDORECTAL", "ENDOVAGINAL", "EPICARDIAL", "FETAL HEART",
    "GYNECOLOGY", "INTRACARDIAC", "INTRAOPERATIVE", "INTRAVASCULAR", "MUSCULOSKELETAL", "NEONATAL HEAD",
    "OBSTETRICAL", "OPHTHALMIC", "PEDIATRIC", "PELVIC", "RETROPERITONEAL", "SCROTAL", "SMALL PARTS", "TCD",
    "THYROID", "TRANSESOPHAGEAL", "TTE", "VASCULAR",
))  # fmt: skip
# A maker is written as it stands here, so that no word of the source gets through.
_MAKERS: Final = {
    "ge": "GE Healthcare", "general electric": "GE Healthcare", "g.e.": "GE Healthcare",
    "philips": "Philips", "siemens": "Siemens", "acuson": "Acuson", "samsung": "Samsung",
    "medison": "Medison", "mindray": "Mindray", "canon": "Canon", "toshiba": "Toshiba",
    "hitachi": "Hitachi", "aloka": "Aloka", "fujifilm": "Fujifilm", "sonosite": "SonoSite",
    "esaote": "Esaote", "butterfly": "Butterfly", "clarius": "Clarius", "telemed": "Telemed",
    "supersonic": "SuperSonic Imagine", "sonoscape": "SonoScape", "alpinion": "Alpinion",
    "bk medical": "BK Medical", "atl": "ATL",
}  # fmt: skip

OF_PATIENT: Final = ("PatientAge", "PatientSize", "PatientWeight")
"""What of the text that is kept says something of the patient."""

# Text that goes with the objects when identity is kept.
_KEPT_TEXT: Final = (
    "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions", "StationName",
    "InstitutionName", "TransducerData", "TransducerType", "ProcessingFunction", *OF_PATIENT,
    "OperatorsName", "Laterality",
)  # fmt: skip

READ: Final = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "StudyDate", "StudyTime", "SeriesDate", "SeriesTime",
    "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "StudyID", "AccessionNumber",
    "ReferringPhysicianName", "StudyDescription", "PatientName", "PatientID", "PatientBirthDate",
    "PatientSex", "SpecificCharacterSet", "ImageType", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "BitsAllocated", "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "SequenceOfUltrasoundRegions", *_NUMBERS, *_KEPT_TEXT,
)  # fmt: skip
"""All that is ever read of a source's header for an export."""


def pick(header: Dataset, de_identify: bool) -> Dataset:
    """A new dataset with what may be carried over from `header`.

    With `de_identify` these are binary numbers, terms of the standard, and the maker's name as this program
    writes it. ImageType keeps its third value, the kind of examination.
    """
    kept = Dataset()
    _copy_numbers(header, kept, _NUMBERS)
    for name, terms in _TERMS.items():
        if header.get(name) in terms:
            setattr(kept, name, header.get(name))
    regions = [_region(item) for item in header.get("SequenceOfUltrasoundRegions") or []]
    sound = [item for item in regions if all(name in item for name in _REQUIRED_OF_REGION)]
    if sound:
        kept.SequenceOfUltrasoundRegions = sound
    kept.ImageType = ["DERIVED", "SECONDARY", *_examination(header)]
    kept.Manufacturer = _maker(str(header.get("Manufacturer", "") or ""))
    if not de_identify:
        for name in _KEPT_TEXT:
            if header.get(name):
                kept[name] = header[name]
    return kept


def _region(item: Dataset) -> Dataset:
    kept = Dataset()
    _copy_numbers(item, kept, _REGION_NUMBERS)
    return kept


def _copy_numbers(source: Dataset, target: Dataset, names: tuple[str, ...]) -> None:
    for name in names:
        if name in source and source[name].VR in _BINARY and source[name].value not in (None, ""):
            target[name] = source[name]


def _examination(header: Dataset) -> list[str]:
    values = header.get("ImageType") or []
    third = str(values[2]) if not isinstance(values, str) and len(values) > 2 else ""
    return [third] if third in EXAMINATIONS else []


def _maker(text: str) -> str:
    words = text.casefold()
    return next(
        (name for key, name in _MAKERS.items() if re.search(rf"(?<!\w){re.escape(key)}(?!\w)", words)), ""
    )
