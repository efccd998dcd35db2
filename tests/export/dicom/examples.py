"""Studies and planes that the tests of the DICOM export share."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pydicom
import pydicom.data
from pydicom.dataset import Dataset

from semc_core.export.dicom.header import study_of_dicom, study_of_nothing
from semc_core.export.dicom.images import encode_object
from semc_core.export.dicom.study import StudyContext
from semc_core.export.dicom.uids import UidMaker
from semc_core.export.options import ExportOptions
from semc_core.imaging.preprocess import Preprocessing
from semc_core.measure.gestation import GestationalAge
from semc_core.session.records import PERSON, MeasurementEntry, ModelEntry, PlaneEntry
from semc_core.types import Crop, Thresholds

UIDS = UidMaker(b"k" * 32)
BEGAN = datetime(2026, 3, 14, 15, 9, 26)
MODEL = ModelEntry(
    "ab" * 32, "semc_live", ("FHP1", "LLP", "NSP"), "NSP", Thresholds(), Preprocessing(224, 224),
    "Trained on simulated scans only.", "cpu", {},
)  # fmt: skip
PLANE = PlaneEntry(
    plane_id=3, plane="FHP1", found_as="FHP1", confidence=0.93, frame_index=12, time_s=0.4, start_s=0.2,
    end_s=0.9, final=True, by_hand=False, rejected=False, reason="", chosen_by="model", png=None,
    png_sha256=None, clip=None, note="seen by Nurse Ratched", width=33, height=21, crop=Crop(0, 0, 33, 21),
)  # fmt: skip

FEMUR = MeasurementEntry(
    1, "distance", ((2.0, 2.0), (18.0, 2.0)), "femur", 12, 0.4, 3, 33, 21, 2.0, 2.0, "by hand", PERSON, None,
)  # fmt: skip
AGE = GestationalAge(133, "last period")


def sample(name: str) -> Path:
    """A file that comes with pydicom."""
    path = pydicom.data.get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return Path(path)


DEFAULTS = ExportOptions()
IDENTIFIED = ExportOptions(deidentify=False)


def no_dicom(options: ExportOptions = DEFAULTS, text_left: bool = True) -> StudyContext:
    """The study of a scan that is not DICOM."""
    return study_of_nothing("video", "20260314-150926_video", BEGAN, UIDS, options, text_left)


def ultrasound(
    options: ExportOptions = DEFAULTS, text_left: bool = True, name: str = "examples_ybr_color.dcm"
) -> StudyContext:
    """The study of a real ultrasound cine (or, by name, of a still)."""
    return study_of_dicom(sample(name), UIDS, options, text_left)


def read_back(dataset: Dataset) -> Dataset:
    """The object as another program reads it from its file."""
    return pydicom.dcmread(io.BytesIO(encode_object(dataset)))


def write_object(dataset: Dataset, path: Path) -> None:
    """Its file."""
    path.write_bytes(encode_object(dataset))
