"""What sources lost before: said for every kind, never guessed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from semc_core.export.dicom.lossy import lossy_of_header, lossy_of_source
from semc_core.export.dicom.pixels import LossyStep
from semc_core.session.records import SourceEntry
from tests.skips import REAL_DATA


def _source(kind: str, path: Path | None) -> SourceEntry:
    return SourceEntry("a", kind, 64, 48, 30.0, 10, False, path=None if path is None else str(path))


def _header(syntax: str, **elements: object) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.Rows, header.Columns, header.SamplesPerPixel, header.BitsAllocated = 100, 100, 3, 8
    for name, value in elements.items():
        setattr(header, name, value)
    return header


@pytest.mark.parametrize(
    ("syntax", "elements", "expected"),
    [
        ("1.2.840.10008.1.2.1", {}, ()),
        ("1.2.840.10008.1.2.4.70", {"LossyImageCompression": "00"}, ()),
        ("1.2.840.10008.1.2.4.91", {"LossyImageCompression": "00"}, ()),
        ("1.2.840.10008.1.2.4.91", {}, (LossyStep("ISO_15444_1", 30.0),)),
        ("1.2.840.10008.1.2.4.50", {}, (LossyStep("ISO_10918_1", 30.0),)),
        (
            "1.2.840.10008.1.2.1",
            {
                "LossyImageCompression": "01",
                "LossyImageCompressionRatio": [12, 2],
                "LossyImageCompressionMethod": ["ISO_14496_10", "ISO_10918_1"],
            },
            (LossyStep("ISO_14496_10", 12.0), LossyStep("ISO_10918_1", 2.0)),
        ),
        (
            "1.2.840.10008.1.2.4.50",
            {"LossyImageCompression": "01", "LossyImageCompressionRatio": 471147},
            (LossyStep("ISO_10918_1", 30.0),),
        ),
    ],
)
def test_a_dicom_source(syntax: str, elements: dict[str, object], expected: tuple[LossyStep, ...]) -> None:
    assert lossy_of_header(_header(syntax, **elements), 1000) == expected


def test_a_video(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for level in range(10):
        writer.write(np.full((48, 64, 3), level * 20, np.uint8))
    writer.release()
    (step,) = lossy_of_source(_source("video", tmp_path / "a.avi")) or ()
    assert step.method == "ISO_10918_1"
    assert step.ratio == pytest.approx(64 * 48 * 3 * 10 / (tmp_path / "a.avi").stat().st_size)
    writer = cv2.VideoWriter(str(tmp_path / "b.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 30, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    assert lossy_of_source(_source("video", tmp_path / "b.avi")) == ()
    (tmp_path / "c.mp4").write_bytes(b"nothing")
    assert lossy_of_source(_source("video", tmp_path / "c.mp4")) is None


@pytest.mark.real_data("cine/lung")
def test_a_real_cine() -> None:
    path = REAL_DATA / "cine" / "lung" / "Vir_whitelung_h1n1.mp4"
    (step,) = lossy_of_source(_source("video", path)) or ()
    assert step.method in ("ISO_14496_10", "ISO_14496_2")
    assert 1 < step.ratio < 1000


def test_images_and_live_scans(tmp_path: Path) -> None:
    assert lossy_of_source(_source("images", tmp_path)) == ()
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((48, 64, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((48, 64, 3), np.uint8))
    (step,) = lossy_of_source(_source("images", tmp_path)) or ()
    assert step == LossyStep("ISO_10918_1", 64 * 48 * 3 / (tmp_path / "a.jpg").stat().st_size)
    assert lossy_of_source(_source("simulated", None)) == ()
    for unknown in (
        _source("camera", None),
        _source("stream", None),
        _source("video", tmp_path / "gone.mp4"),
    ):
        assert lossy_of_source(unknown) is None
