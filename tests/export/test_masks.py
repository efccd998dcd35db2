"""What is blanked, and what is remembered of a device."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from semc_core.errors import SaveError
from semc_core.export.masks import Device, MaskBook, blanked, device_of, shared_region
from semc_core.session.records import SourceEntry, source_entry
from semc_core.types import CaptureInfo, Crop, SourceInfo

DEVICE = Device("camera", 640, 480)


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_only_what_is_inside_the_region_and_outside_the_masks_stays(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 7, np.uint8)
    shown = blanked(pixels, Crop(10, 5, 20, 20), [Crop(-5, -5, 20, 12), Crop(25, 20, 100, 100)])
    expected = np.zeros(shape, np.uint8)
    expected[5:25, 10:30] = 7
    expected[:7, :15] = 0
    expected[20:, 25:] = 0
    np.testing.assert_array_equal(shown, expected)
    assert (pixels == 7).all()
    assert not shown.flags.writeable


def test_a_mask_outside_the_frame_blanks_nothing() -> None:
    pixels = np.full((10, 10), 7, np.uint8)
    beside = (Crop(0, -9, 10, 9), Crop(-9, 0, 9, 10), Crop(0, -9, 10, 4), Crop(-9, 0, 4, 10))
    for mask in (Crop(-9, -9, 9, 9), Crop(10, 10, 5, 5), Crop(-20, 0, 5, 5), *beside):
        np.testing.assert_array_equal(blanked(pixels, None, [mask]), pixels)
    for mask, left in ((Crop(0, 0, 1, 10), (slice(None), 0)), (Crop(0, 0, 10, 1), (0, slice(None)))):
        expected = pixels.copy()
        expected[left] = 0
        np.testing.assert_array_equal(blanked(pixels, None, [mask]), expected)


def test_the_shared_region_is_inside_all() -> None:
    assert shared_region([Crop(0, 0, 10, 10), Crop(4, 2, 10, 5)]) == Crop(4, 2, 6, 5)
    assert shared_region([Crop(0, 0, 10, 10), Crop(10, 0, 10, 10)]) is None
    assert shared_region([]) is None


def test_masks_are_remembered_for_their_device_alone(tmp_path: Path) -> None:
    book = MaskBook(tmp_path / "deeper" / "new")
    assert book.masks(DEVICE) == ()
    book.remember(DEVICE, [Crop(1, 2, 3, 4)])
    book.remember(Device("dicom", 640, 480, "Maker X"), [Crop(5, 6, 7, 8), Crop(9, 9, 9, 9)])
    again = MaskBook(tmp_path / "deeper" / "new")
    assert again.masks(DEVICE) == (Crop(1, 2, 3, 4),)
    assert again.masks(Device("camera", 641, 480)) == ()
    again.remember(DEVICE, [])
    assert MaskBook(tmp_path / "deeper" / "new").masks(DEVICE) == ()
    assert len(again.masks(Device("dicom", 640, 480, "Maker X"))) == 2


def test_only_of_a_card_of_its_own_is_it_kept_that_it_has_no_masks(tmp_path: Path) -> None:
    book = MaskBook(tmp_path)
    for device in (DEVICE, Device("dicom", 640, 480, "Maker X"), Device("camera", 640, 480, "Card Y")):
        book.remember(device, [])
    assert json.loads((tmp_path / "masks.json").read_text(encoding="utf-8")) == {"camera 640x480 Card Y": []}


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"camera 640x480": [{"left": 1}]}', '{"a": [{"left":0,"top":0,"width":0,"height":1}]}'],
)
def test_a_damaged_book_is_never_taken_for_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "masks.json").write_text(content, encoding="utf-8")
    with pytest.raises(SaveError, match="cannot be read"):
        MaskBook(tmp_path).masks(DEVICE)
    with pytest.raises(SaveError, match="cannot be read"):
        MaskBook(tmp_path).remember(DEVICE, [Crop(0, 0, 1, 1)])
    assert (tmp_path / "masks.json").read_text(encoding="utf-8") == content


def test_a_device_whose_file_is_gone_has_no_maker(tmp_path: Path) -> None:
    source = SourceEntry("a", "dicom", 8, 6, None, 1, False, "", str(tmp_path / "gone.dcm"))
    assert device_of(source) == Device("dicom", 8, 6)
    (tmp_path / "gone.dcm").write_bytes(b"no DICOM")
    assert device_of(source) == Device("dicom", 8, 6)


def test_regions_that_lie_apart_or_only_touch_share_nothing() -> None:
    here = Crop(20, 20, 10, 10)
    for left, top in ((0, 20), (10, 20), (30, 20), (40, 20), (20, 0), (20, 10), (20, 30), (20, 40)):
        assert shared_region([here, Crop(left, top, 10, 10)]) is None
    assert shared_region([here, Crop(29, 29, 10, 10)]) == Crop(29, 29, 1, 1)


def test_only_a_dicom_file_says_who_made_the_device(tmp_path: Path) -> None:
    header = Dataset()
    header.Manufacturer, header.ManufacturerModelName = "Maker", "Probe 5"
    header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.3"
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = tmp_path / "loop.dcm"
    header.save_as(path, enforce_file_format=True)
    source = SourceEntry("a", "dicom", 8, 6, None, 1, False, "", str(path))
    assert device_of(source) == Device("dicom", 8, 6, "Maker Probe 5")
    assert device_of(replace(source, kind="video")) == Device("video", 8, 6)
    assert device_of(replace(source, path=None)) == Device("dicom", 8, 6)


@pytest.mark.parametrize(
    ("kind", "names"), [("camera", "usb-534d:2109@port-{}"), ("stream", "rtsp://room-{}/a")]
)
def test_each_capture_device_and_stream_has_its_own_masks_and_at_first_those_for_all(
    tmp_path: Path, kind: str, names: str
) -> None:
    book = MaskBook(tmp_path)
    left, right = (Device(kind, 640, 480, names.format(number)) for number in (1, 2))
    book.remember(Device(kind, 640, 480), [Crop(1, 2, 3, 4)])
    assert book.masks(left) == (Crop(1, 2, 3, 4),), "an older version did not tell devices apart"
    book.remember(left, [])
    book.remember(right, [Crop(5, 6, 7, 8)])
    assert MaskBook(tmp_path).masks(left) == ()
    assert MaskBook(tmp_path).masks(right) == (Crop(5, 6, 7, 8),)


def test_the_device_of_a_scan_is_the_card_that_it_came_from() -> None:
    info = SourceInfo("camera 0", "camera", 640, 480, 30.0, None, True, capture=CaptureInfo("usb-1@port-2"))
    assert device_of(source_entry(info)) == Device("camera", 640, 480, "usb-1@port-2")
    stream = SourceInfo("rtsp://10.0.0.1/live", "stream", 640, 480, 30.0, None, True)
    assert device_of(source_entry(stream)) == Device("stream", 640, 480, "rtsp://10.0.0.1/live")
    assert device_of(source_entry(replace(stream, kind="video"))) == Device("video", 640, 480)
