"""DICOM: what the stored values mean, when the frames were taken, and what must not leak."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import convert_color_space, pixel_array
from pydicom.uid import RLELossless

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.dicom import DicomSource
from semc_core.types import Crop
from tests.sources.capture_clips import numbered, read_all, write_dicom

GRAY = np.stack([numbered(index) for index in range(6)])


def _pixels(path: Path) -> list[NDArray[np.uint8]]:
    return [packet.pixels for packet in read_all(DicomSource(path))]


def _sample(name: str) -> Path:
    path = pydicom.data.get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return Path(path)


def test_eight_bit_gray_is_kept_as_it_is(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        np.stack(_pixels(write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40))), GRAY
    )


def test_white_is_zero_in_monochrome1(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, PhotometricInterpretation="MONOCHROME1", FrameTime=40)
    np.testing.assert_array_equal(np.stack(_pixels(path)), 255 - GRAY)


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_deep_gray_is_scaled_by_the_range_of_the_whole_loop(tmp_path: Path, kind: type) -> None:
    loop: NDArray[Any] = np.stack([np.full((8, 10), level, kind) for level in (1000, 1200, 3000)])
    frames = _pixels(write_dicom(tmp_path / "a.dcm", loop, FrameTime=40))
    assert [int(frame[0, 0]) for frame in frames] == [0, round(200 / 2000 * 255), 255]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR", [0, 0, 128, 255, 255]),
        ("LINEAR_EXACT", [0, 0, 128, 255, 255]),
        ("SIGMOID", [0, 30, 128, 225, 255]),
    ],
)
def test_a_window_of_the_header_is_applied_after_rescaling(
    tmp_path: Path, function: str, expected: list[int]
) -> None:
    stored = np.array([[[0, 400, 600, 800, 4000]]], np.uint16)
    path = write_dicom(
        tmp_path / "a.dcm", stored, RescaleSlope=2, RescaleIntercept=-200, WindowCenter=[1000, 5],
        WindowWidth=[800, 5], VOILUTFunction=function,
    )  # fmt: skip
    assert _pixels(path)[0][0].tolist() == pytest.approx(expected, abs=1)


def _table(levels: NDArray[Any], first: int, bits: int, kind: str) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(levels) % 2**16, first, bits])
    whole = levels.astype("<u2")
    item.add_new("LUTData", kind, whole.tolist() if kind == "US" else whole.tobytes())
    return item


@pytest.mark.parametrize("kind", ["US", "OW"])
@pytest.mark.parametrize(("bits", "most"), [(8, 255), (12, 4095)])
def test_a_table_of_the_header_is_applied_to_its_ends(
    tmp_path: Path, kind: str, bits: int, most: int
) -> None:
    levels = np.linspace(0, most, 600).round()
    stored = np.array([[[0, 100, 400, 699, 700, 4095]]], np.uint16)
    table = _table(levels, 100, bits, kind)
    path = write_dicom(tmp_path / "a.dcm", stored, BitsStored=12, HighBit=11, VOILUTSequence=[table])
    expected = [0, 0, 300 / 599 * 255, 255, 255, 255]
    assert _pixels(path)[0][0].tolist() == pytest.approx(expected, abs=1)


def test_a_packed_table_of_eight_bits_and_a_negative_first_value_are_understood(tmp_path: Path) -> None:
    stored = np.array([[[-1000, -300, -200, -45, 1000]]], np.int16)
    packed = _table(np.arange(256), 2**16 - 300, 8, "OW")
    packed.LUTData = np.arange(256, dtype=np.uint8).tobytes()
    path = write_dicom(tmp_path / "a.dcm", stored, VOILUTSequence=[packed])
    assert _pixels(path)[0][0].tolist() == [0, 0, 100, 255, 255]


def test_a_table_that_is_cut_short_is_told(tmp_path: Path) -> None:
    short = _table(np.arange(256), 0, 8, "US")
    short.LUTDescriptor = [600, 0, 8]
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40, VOILUTSequence=[short])
    with pytest.raises(SourceError, match="look-up table is cut short"):
        _pixels(path)


def test_twelve_stored_bits_of_sixteen_are_understood(tmp_path: Path) -> None:
    stored = np.array([[[0, 2048, 4095, 4095]]], np.uint16)
    path = write_dicom(tmp_path / "a.dcm", stored, BitsStored=12, HighBit=11)
    assert _pixels(path)[0][0].tolist() == pytest.approx([0, 128, 255, 255], abs=1)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_read_in_either_order_of_its_planes(tmp_path: Path, planar: int) -> None:
    colour = np.random.default_rng(1).integers(0, 256, (2, 8, 10, 3), np.uint8)
    stored = np.ascontiguousarray(colour.transpose(0, 3, 1, 2)) if planar else colour
    path = write_dicom(
        tmp_path / "a.dcm", colour, FrameTime=40, PlanarConfiguration=planar, PixelData=stored.tobytes()
    )
    np.testing.assert_array_equal(np.stack(_pixels(path)), colour)


def test_brightness_and_colour_difference_become_rgb(tmp_path: Path) -> None:
    red = np.broadcast_to(np.array([200, 30, 40], np.uint8), (2, 8, 10, 3))
    stored = np.ascontiguousarray(convert_color_space(red, "RGB", "YBR_FULL"))
    path = write_dicom(tmp_path / "a.dcm", stored, FrameTime=40, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(np.stack(_pixels(path)).astype(int), red, atol=2)


def test_halved_colour_becomes_rgb() -> None:
    path = _sample("SC_ybr_full_422_uncompressed.dcm")
    np.testing.assert_array_equal(_pixels(path)[0], pixel_array(path))


@pytest.mark.parametrize(("bits", "levels"), [(8, [0, 100, 255]), (16, [0, 100 * 256, 65535])])
def test_a_palette_gives_its_colours(tmp_path: Path, bits: int, levels: list[int]) -> None:
    stored = np.array([[[0, 1, 2, 1]]], np.uint8)
    table = np.zeros(256, np.uint8 if bits == 8 else np.uint16)
    table[:3] = levels
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel, values in (("Red", table), ("Green", table // 2), ("Blue", table * 0)):
        elements[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        elements[f"{channel}PaletteColorLookupTableData"] = values.tobytes()
    frame = _pixels(write_dicom(tmp_path / "a.dcm", stored, **elements))[0]
    assert frame[0].tolist() == [[0, 0, 0], [100, 50, 0], [255, 127, 0], [100, 50, 0]]


def test_run_length_coding_loses_nothing(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    data = pydicom.dcmread(path)
    data.compress(RLELossless)
    data.save_as(path)
    np.testing.assert_array_equal(np.stack(_pixels(path)), GRAY)


@pytest.mark.parametrize(
    "name",
    [
        "examples_jpeg2k.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "JPEGLSNearLossless_08.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
    ],
)
def test_compressed_files_of_real_machines_are_read(name: str) -> None:
    frames = _pixels(_sample(name))
    expected = pixel_array(_sample(name), index=0)
    shown = expected >> 8 if expected.dtype == np.uint16 else expected
    np.testing.assert_array_equal(frames[0], shown)


VECTOR = [0, 10, 30, 20, 40, 100]


@pytest.mark.parametrize(
    ("elements", "times_ms"),
    [
        ({"FrameTimeVector": VECTOR, "FrameTime": 99}, np.cumsum(VECTOR)),
        (
            {"FrameTimeVector": VECTOR, "FrameTime": 50, "FrameIncrementPointer": 0x00181063},
            np.arange(6) * 50,
        ),
        ({"FrameTimeVector": [0, 10], "FrameTime": 50}, np.arange(6) * 50),
        ({"FrameTime": 50, "CineRate": 99}, np.arange(6) * 50),
        ({"FrameTime": 0, "CineRate": 25, "RecommendedDisplayFrameRate": 99}, np.arange(6) * 40),
        ({"RecommendedDisplayFrameRate": 20}, np.arange(6) * 50),
    ],
)
def test_times_come_from_the_best_element(
    tmp_path: Path, elements: dict[str, Any], times_ms: NDArray[np.float64]
) -> None:
    source = DicomSource(write_dicom(tmp_path / "a.dcm", GRAY, **elements))
    times_s = [packet.pts_s for packet in read_all(source)]
    assert times_s == pytest.approx(list(times_ms / 1000))
    assert source.info.frame_rate == pytest.approx(5 / times_s[-1])
    fits = len(elements.get("FrameTimeVector", VECTOR)) == 6
    assert source.info.notice == (
        "" if fits else "The header's Frame Time Vector does not fit its frames; it is ignored."
    )


def test_a_file_without_times_says_what_is_assumed(tmp_path: Path) -> None:
    source = DicomSource(write_dicom(tmp_path / "a.dcm", GRAY))
    assert source.info.frame_rate == 30
    assert "30 frames per second is assumed" in source.info.notice


def _region(left: int, top: int, right: int, bottom: int, tissue: int = 1) -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, tissue
    region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = right, bottom
    return region


def test_the_largest_region_of_tissue_is_offered(tmp_path: Path) -> None:
    regions = [_region(0, 0, 20, 20), _region(10, 5, 99, 84), _region(0, 0, 127, 95, tissue=3)]
    source = DicomSource(
        write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40, SequenceOfUltrasoundRegions=regions)
    )
    assert source.hinted_crop == Crop(10, 5, 90, 80)
    assert source.info.notice == ""


def test_a_header_that_lies_about_its_region_is_told() -> None:
    source = DicomSource(_sample("examples_ybr_color.dcm"))
    assert source.hinted_crop is None
    assert "region larger than the picture" in source.info.notice


def test_no_patient_data_is_kept_logged_or_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    source = DicomSource(path)
    packets = read_all(source)
    data = path.read_bytes()
    path.write_bytes(data[: -5 * GRAY[0].size - 1])
    with pytest.raises(SourceError) as caught:
        read_all(DicomSource(path))
    told = f"{vars(source)} {packets} {caplog.text} {caught.value} {caught.value.__cause__}"
    assert "Secret" not in told
    # Times and addresses of objects may have any digits.
    assert "4711" not in re.sub(r"\d+\.\d+|0x[0-9a-f]+", "", told)


def test_an_interrupt_ends_the_search_for_the_range(tmp_path: Path) -> None:
    source = DicomSource(write_dicom(tmp_path / "a.dcm", GRAY.astype(np.uint16), FrameTime=40))
    source.interrupt()
    with pytest.raises(SourceInterrupted):
        source.read()
    source.close()


def test_what_cannot_be_shown_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a DICOM file"):
        DicomSource(write_nothing(tmp_path / "text.dcm"))
    with pytest.raises(SourceError, match="holds no picture"):
        DicomSource(_sample("test-SR.dcm"))
    with pytest.raises(SourceError, match="32 bits per pixel"):
        DicomSource(_sample("rtdose_1frame.dcm")).read()


def test_a_damaged_deflated_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    data = _sample("image_dfl.dcm").read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match="damaged or cut short"):
        DicomSource(path)


def test_a_deflated_file_is_read() -> None:
    sample = _sample("image_dfl.dcm")
    source = DicomSource(sample)
    (packet,) = read_all(source)
    stored = pydicom.dcmread(sample).pixel_array
    assert packet.pixels.shape == stored.shape
    # The levels are mapped to 8 bits, in the same order.
    levels = packet.pixels.ravel()[np.argsort(stored, axis=None, kind="stable")]
    assert np.all(np.diff(levels.astype(int)) >= 0)


def write_nothing(path: Path) -> Path:
    """A text under another name."""
    path.write_text("Dear colleague, " * 30, encoding="utf-8")
    return path
