"""DICOM stills and clips: the pixels, the times, what they say of themselves, and whether they are valid."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from semc_core.errors import ExportError
from semc_core.export.dicom.images import clip, still
from semc_core.export.dicom.pixels import LossyStep, Packing, pack
from semc_core.export.dicom.study import StudyContext
from semc_core.export.options import ExportOptions, Patient
from semc_core.sources.dicom import DicomSource
from tests.export.dicom.examples import (
    DEFAULTS,
    IDENTIFIED,
    PLANE,
    no_dicom,
    read_back,
    ultrasound,
    write_object,
)
from tests.export.dicom.validity import can_check, check_dicom
from tests.sources.capture_clips import read_all

ODD_GRAY = (21, 33)
ODD_COLOUR = (21, 33, 3)
LOSSLESS: tuple[Packing, ...] = ("none", "jpeg-ls")
# The standard wants an empty side (left or right) where it is unknown; dciodvfy says so each time.
ACCEPTED = ("</Laterality(0020,0060)> - is only permitted to be empty when actually unknown",)
needs_checker = pytest.mark.skipif(not can_check(), reason="dciodvfy (dicom3tools) is not installed")


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(len(shape)).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("packing", LOSSLESS)
@pytest.mark.parametrize("shape", [ODD_GRAY, ODD_COLOUR, (1, 1), (1, 1, 3), (64, 80, 3)])
@pytest.mark.parametrize("study", [no_dicom, ultrasound])
def test_a_still_gives_back_its_pixels(
    packing: Packing, shape: tuple[int, ...], study: Callable[[], StudyContext], tmp_path: Path
) -> None:
    pixels = noise(*shape)
    dataset = still(study(), PLANE, pixels, 1, packing)
    write_object(dataset, tmp_path / "still.dcm")
    np.testing.assert_array_equal(pixel_array(tmp_path / "still.dcm"), pixels)
    (packet,) = read_all(DicomSource(tmp_path / "still.dcm"))
    np.testing.assert_array_equal(packet.pixels, pixels)


@pytest.mark.parametrize("packing", LOSSLESS)
@pytest.mark.parametrize("shape", [ODD_GRAY, ODD_COLOUR])
@pytest.mark.parametrize("study", [no_dicom, ultrasound])
@pytest.mark.parametrize("times_s", [[7.0, 7.04, 7.08], [0.0, 0.033, 0.1]])
def test_a_clip_gives_back_its_pixels_and_times(
    packing: Packing,
    shape: tuple[int, ...],
    study: Callable[[], StudyContext],
    times_s: list[float],
    tmp_path: Path,
) -> None:
    frames = noise(3, *shape)
    write_object(clip(study(), PLANE, iter(frames), times_s, 1, packing, [4, 5, 6]), tmp_path / "clip.dcm")
    np.testing.assert_array_equal(pixel_array(tmp_path / "clip.dcm"), frames)
    packets = read_all(DicomSource(tmp_path / "clip.dcm"))
    np.testing.assert_array_equal(np.stack([packet.pixels for packet in packets]), frames)
    assert [packet.pts_s + times_s[0] for packet in packets] == pytest.approx(times_s, abs=1e-6)


def test_a_clip_of_one_frame_can_be_read(tmp_path: Path) -> None:
    write_object(clip(ultrasound(), PLANE, [noise(*ODD_GRAY)], [3.0], 1), tmp_path / "clip.dcm")
    assert len(read_all(DicomSource(tmp_path / "clip.dcm"))) == 1


@pytest.mark.parametrize(
    ("study", "shape", "one", "many"),
    [
        (
            no_dicom,
            ODD_GRAY,
            "Secondary Capture Image Storage",
            "Multi-frame Grayscale Byte Secondary Capture",
        ),
        (no_dicom, ODD_COLOUR, "Secondary Capture Image Storage", "Multi-frame True Color Secondary Capture"),
        (ultrasound, ODD_GRAY, "Ultrasound Image Storage", "Ultrasound Multi-frame Image Storage"),
        (ultrasound, ODD_COLOUR, "Ultrasound Image Storage", "Ultrasound Multi-frame Image Storage"),
    ],
)
def test_the_kind_of_object_follows_the_source(
    study: Callable[[], StudyContext], shape: tuple[int, ...], one: str, many: str
) -> None:
    assert still(study(), PLANE, noise(*shape), 1).SOPClassUID.name.startswith(one)
    assert clip(study(), PLANE, noise(2, *shape), [0, 1], 1).SOPClassUID.name.startswith(many)


def test_an_ultrasounds_geometry_goes_with_it_unless_the_size_changed() -> None:
    same = still(ultrasound(), PLANE, noise(240, 320, 3), 1)
    (region,) = same.SequenceOfUltrasoundRegions
    assert region.PhysicalDeltaX == pytest.approx(0.0510497)
    assert region.PhysicalUnitsXDirection == 3
    assert "SequenceOfUltrasoundRegions" not in still(ultrasound(), PLANE, noise(100, 100), 1)
    assert same.ImageType == ["DERIVED", "SECONDARY", "EPICARDIAL"]
    assert same.Manufacturer == "SonoSite"


def test_objects_refer_to_the_frames_they_came_from() -> None:
    study = ultrasound()
    (source,) = still(study, PLANE, noise(*ODD_GRAY), 1).SourceImageSequence
    assert source.ReferencedSOPInstanceUID == study.source_uid
    assert source.ReferencedFrameNumber == 13
    (source,) = clip(study, PLANE, noise(2, *ODD_GRAY), [0, 1], 1, frame_indices=[12, 13]).SourceImageSequence
    assert source.ReferencedFrameNumber == [13, 14]


def test_jpeg_says_what_was_lost_after_what_was_lost_before() -> None:
    study = replace(no_dicom(), lossy=(LossyStep("ISO_14496_10", 30.0),))
    smooth = np.tile(np.arange(64, dtype=np.uint8), (48, 1))
    dataset = read_back(still(study, PLANE, np.stack([smooth] * 3, 2), 1, "jpeg"))
    assert dataset.PhotometricInterpretation == "YBR_FULL_422"
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionMethod == ["ISO_14496_10", "ISO_10918_1"]
    assert dataset.LossyImageCompressionRatio[0] == 30
    assert dataset.LossyImageCompressionRatio[1] > 1
    assert np.abs(pixel_array(dataset).astype(int)[..., 0] - smooth).max() <= 4
    lossless = still(study, PLANE, smooth, 1)
    assert lossless.LossyImageCompressionMethod == "ISO_14496_10"
    assert still(no_dicom(), PLANE, smooth, 1).LossyImageCompression == "00"


def test_dcmtk_unpacks_the_same_pixels(tmp_path: Path) -> None:
    program = shutil.which("dcmdjpls")
    if program is None:
        pytest.skip("dcmdjpls (dcmtk) is not installed")
    for name, shape in (("gray", ODD_GRAY), ("colour", ODD_COLOUR)):
        frames = noise(3, *shape)
        path = tmp_path / f"{name}.dcm"
        write_object(clip(ultrasound(), PLANE, frames, [0.0, 0.04, 0.08], 1, "jpeg-ls"), path)
        subprocess.run([program, str(path), str(tmp_path / "plain.dcm")], check=True, timeout=60)
        np.testing.assert_array_equal(pixel_array(tmp_path / "plain.dcm"), frames)


def test_what_a_dicom_source_lost_is_said_again() -> None:
    # The cine is JPEG, and its header says by how much.
    assert ultrasound().lossy == (LossyStep("ISO_10918_1", 19.0),)


def test_the_same_export_gives_the_same_objects_and_a_changed_one_others() -> None:
    pixels = noise(*ODD_GRAY)
    first = still(ultrasound(), PLANE, pixels, 1)
    again = still(ultrasound(), PLANE, pixels, 1)
    assert first.SOPInstanceUID == again.SOPInstanceUID
    other_pixels, other_label = pixels.copy(), replace(PLANE, plane="LLP")
    other_pixels[0, 0] ^= 1
    others = [still(ultrasound(), PLANE, other_pixels, 1), still(ultrasound(), other_label, pixels, 1)]
    assert len({first.SOPInstanceUID, *(other.SOPInstanceUID for other in others)}) == 3
    assert {other.SeriesInstanceUID for other in others} == {first.SeriesInstanceUID}


def test_a_note_of_a_person_is_in_no_image() -> None:
    assert b"Ratched" not in bytes(str(still(no_dicom(), PLANE, noise(*ODD_GRAY), 1)), "utf8")


def test_a_clip_without_frames_or_of_changing_size_is_refused() -> None:
    with pytest.raises(ExportError, match="no frames"):
        pack([], "jpeg-ls")
    with pytest.raises(ExportError, match="size changes"):
        pack([noise(4, 4), noise(4, 5)], "jpeg-ls")
    with pytest.raises(ExportError, match="do not match"):
        clip(no_dicom(), PLANE, noise(2, 4, 4), [0.0], 1)


def test_uneven_times_that_do_not_fit_are_refused() -> None:
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 9000)).tolist()
    with pytest.raises(ExportError, match="too many frames of uneven rate"):
        clip(no_dicom(), PLANE, np.zeros((9000, 1, 1), np.uint8), times_s, 1)


def _check(dataset: Dataset, path: Path) -> None:
    write_object(dataset, path)
    found = check_dicom(path)
    assert found.errors == ()
    # Removed dates are no fault: a DICOMDIR is what would miss them.
    assert not [
        line
        for line in found.warnings
        if "build DICOMDIR" not in line and not any(known in line for known in ACCEPTED)
    ]


@needs_checker
@pytest.mark.parametrize("packing", ["none", "jpeg-ls", "jpeg"])
@pytest.mark.parametrize(
    ("options", "text_left"),
    [
        (DEFAULTS, True),
        (ExportOptions(dates="shifted"), False),
        (ExportOptions(deidentify=False, patient=Patient("Doe^Jane", "4711", "19700101", "F")), True),
    ],
)
@pytest.mark.requirement("H3")
def test_every_object_is_valid(
    packing: Packing, options: ExportOptions, text_left: bool, tmp_path: Path
) -> None:
    for study in (
        no_dicom(options, text_left),
        ultrasound(options, text_left),
        ultrasound(options, text_left, "examples_palette.dcm"),
    ):
        width, height = study.source_size if study.ultrasound else (33, 21)
        gray, colour = np.zeros((3, height, width), np.uint8), np.zeros((3, height, width, 3), np.uint8)
        _check(still(study, PLANE, gray[0], 1, packing), tmp_path / "a.dcm")
        _check(still(study, PLANE, colour[0], 1, packing), tmp_path / "b.dcm")
        _check(clip(study, PLANE, gray, [0.0, 0.04, 0.08], 1, packing, [1, 2, 3]), tmp_path / "c.dcm")
        _check(clip(study, PLANE, colour, [0.0, 0.03, 0.08], 1, packing, [1, 2, 3]), tmp_path / "d.dcm")


@needs_checker
@pytest.mark.parametrize("plane", ["Femur", "4CH", "a plane of which no organ is known"])
def test_objects_of_any_plane_are_valid(plane: str, tmp_path: Path) -> None:
    for study in (no_dicom(), ultrasound()):
        _check(still(study, replace(PLANE, plane=plane), noise(*ODD_GRAY), 1), tmp_path / "a.dcm")


@needs_checker
@pytest.mark.parametrize("options", [DEFAULTS, IDENTIFIED])
def test_a_dicom_source_that_is_no_ultrasound_gives_valid_captures(
    options: ExportOptions, tmp_path: Path
) -> None:
    study = ultrasound(options, name="SC_rgb_small_odd.dcm")
    dataset = still(study, PLANE, noise(*ODD_COLOUR), 1)
    assert (dataset.SOPClassUID.name, dataset.ConversionType) == ("Secondary Capture Image Storage", "WSD")
    assert dataset.SourceImageSequence[0].ReferencedSOPInstanceUID == study.source_uid
    _check(dataset, tmp_path / "a.dcm")
    _check(clip(study, PLANE, noise(2, *ODD_COLOUR), [0.0, 0.04], 1), tmp_path / "b.dcm")


@needs_checker
def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    dataset = still(no_dicom(), PLANE, noise(4, 4), 1)
    del dataset.ConversionType
    write_object(dataset, tmp_path / "a.dcm")
    assert any("ConversionType" in line for line in check_dicom(tmp_path / "a.dcm").errors)
    (tmp_path / "b.dcm").write_bytes(b"nothing")
    assert check_dicom(tmp_path / "b.dcm").errors


def test_files_name_the_program_and_no_other_machine(tmp_path: Path) -> None:
    write_object(still(no_dicom(), PLANE, noise(4, 4), 1), tmp_path / "a.dcm")
    meta = pydicom.dcmread(tmp_path / "a.dcm").file_meta
    assert meta.ImplementationVersionName.startswith("SEMC_")
    assert "SourceApplicationEntityTitle" not in meta
