"""Folders of classes as people bring them: loops among pictures, other files, patients as classes."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from main import main
from semc_core.errors import SourceError, UsageError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.sources.pictures import read_image
from tests.training.data.data_sets import picture
from training.data.checks import inspect, what_is_lacking
from training.data.images import read_pictures
from training.data.loading import load_frames
from training.data.readers import open_data
from training.data.readers.left_out import left_out

FRAMES = 12


def frames() -> list[NDArray[np.uint8]]:
    """Pictures of 48 rows and 64 columns, each brighter than the one before."""
    return [np.full((48, 64), 20 * number + 10, np.uint8) for number in range(FRAMES)]


def video(path: Path) -> None:
    """Twenty frames a second."""
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for shown in frames():
        out.write(cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR))
    out.release()


def dicom(path: Path) -> None:
    """A loop of twenty frames a second."""
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = UltrasoundMultiFrameImageStorage, generate_uid()
    data.Modality, data.NumberOfFrames, data.FrameTime = "US", FRAMES, "50"
    data.Rows, data.Columns, data.SamplesPerPixel = 48, 64, 1
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = np.stack(frames()).tobytes()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)


def animation(path: Path) -> None:
    """Ten pictures a second, or pages."""
    first, *others = [Image.fromarray(shown) for shown in frames()]
    first.save(path, save_all=True, append_images=others, duration=100)


@pytest.mark.parametrize(
    ("name", "write", "used"),
    [
        ("a.avi", video, range(0, FRAMES, 2)),
        ("a.dcm", dicom, range(0, FRAMES, 2)),
        ("IM0001", dicom, range(0, FRAMES, 2)),
        ("a.gif", animation, range(FRAMES)),
        ("a.webp", animation, range(FRAMES)),
        ("a.tif", animation, range(FRAMES)),
    ],
)
def test_the_frames_of_a_loop_in_a_class_folder_are_one_group(
    name: str, write: Callable[[Path], None], used: range, tmp_path: Path
) -> None:
    picture(tmp_path / "B" / "1.png", 1)
    (tmp_path / "A").mkdir()
    write(tmp_path / "A" / name)
    index = open_data(tmp_path)
    loop = [sample for sample in index.samples if sample.label == "A"]
    assert [sample.frame for sample in loop] == [*used]
    assert {sample.group for sample in loop} == {f"A/{name}"}
    assert index.notes[0].startswith("Nothing says which pictures show the same patient in B")
    assert index.notes[1].startswith("1 file of many pictures: those of one file stay together")
    found = read_pictures(loop[0].path, [sample.frame for sample in loop])
    assert [float(each.picture.gray.mean()) for each in found] == pytest.approx(
        [20 * number + 10 for number in used], abs=4
    )
    (tmp_path / "index.csv").write_text(f"file,label\nA/{name},A\nB/1.png,B\n", encoding="utf-8")
    assert [sample.frame for sample in open_data(tmp_path).samples] == [*used, 0]


@pytest.mark.parametrize("name", ["a.webp", "a.jp2", "a.gif", "a.bmp", "a.jpg", "a.tif"])
def test_a_single_picture_of_every_kind_is_read(name: str, tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 64), 90, np.uint8)).save(
        picture(tmp_path / "A" / "x.png", 1).with_name(name)
    )
    (tmp_path / "A" / "x.png").unlink()
    (sample,) = open_data(tmp_path).samples
    (found,) = read_pictures(sample.path, [sample.frame])
    assert found.picture.gray.shape == (48, 64)
    assert float(found.picture.gray.mean()) == pytest.approx(90, abs=3)


def test_colours_that_are_hidden_are_not_learned_from(tmp_path: Path) -> None:
    pixels = np.full((48, 64, 4), 200, np.uint8)
    pixels[:, 32:, 3], pixels[:, :32, 3] = 0, 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (found,) = read_pictures(tmp_path / "a.png", [0])
    assert (found.picture.gray[:, :32] > 190).all()
    assert not found.picture.gray[:, 32:].any()


def test_what_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    for name in ("train/A/p1/1.png", "train/B/p2/1.png", "train/loose.png", "train/A/.1.png"):
        picture(tmp_path / name, 1)
    for name in ("train/A/notes.txt", "train/A/p1/1.json", "train/A/.DS_Store", "semc_split.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "train" / "C").mkdir()
    classes = [tmp_path / "train" / "A", tmp_path / "train" / "B"]
    used = [tmp_path / "train/A/p1/1.png", tmp_path / "train/B/p2/1.png"]
    assert left_out(tmp_path, used, classes) == [
        "Left out: 1 hidden picture (train/A/.1.png): their names, or those of their folders, begin with a "
        "dot.",
        "Left out: 1 picture (train/loose.png): beside the folders of the classes; put each into that of its "
        "class.",
        "Left out: 1 file (train/A/notes.txt): neither pictures nor videos that can be read.",
        "Left out: the folder C, which holds no picture that can be read.",
    ]
    (tmp_path / "semc_split.csv").unlink()
    assert open_data(tmp_path).notes == tuple(left_out(tmp_path, used, classes))


def test_files_of_one_name_are_told_apart_and_damaged_ones_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(9):
        picture(tmp_path / "AB"[number % 2] / f"p{number}" / "1.png", number)
    for number in range(7):
        path = tmp_path / "AB"[number % 2] / f"p{number}" / "1.png"
        path.write_bytes(path.read_bytes()[:60] if number else b"")
    report = inspect(open_data(tmp_path))
    assert report.as_json()["unreadable"][0][0] == "A/p0/1.png"
    assert main(["data", "check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "Pictures that cannot be read: 7" in said
    assert "A/p0/1.png: 1.png cannot be read" in said
    assert "A/p2/1.png: 1.png cannot be read" in said
    assert "and 2 others; --json FILE lists all." in said
    with pytest.raises(UsageError, match=r"A/p0/1\.png: 1\.png cannot be read"):
        load_frames(open_data(tmp_path), "", Preprocessing(16, 16))


def test_copies_in_two_classes_are_named_with_their_folders(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "AB"[number % 2] / f"p{number}" / "1.png", number)
    shutil.copy(tmp_path / "A" / "p0" / "1.png", tmp_path / "B" / "p1" / "1.png")
    report = inspect(open_data(tmp_path))
    assert not report.ok
    assert report.as_json()["contradictions"] == [["A/p0/1.png", "B/p1/1.png"]]
    assert json.loads(json.dumps(report.as_json()))["duplicates"] == [["A/p0/1.png", "B/p1/1.png"]]


@pytest.mark.parametrize(
    "names", [("P01", "P02", "P17"), ("patient_1", "Patient 2", "NSP", "patient-3"), ("001", "002", "104")]
)
def test_patients_as_classes_are_recognised(names: tuple[str, ...], tmp_path: Path) -> None:
    for number, name in enumerate(names):
        picture(tmp_path / name / "liver" / "1.png", number)
    assert "named as patients are" in what_is_lacking(open_data(tmp_path))


@pytest.mark.parametrize(
    "names", [("FHP1", "FHP2", "LLP", "NSP"), ("2CH", "4CH", "5CH"), ("0", "1", "2"), ("P1", "P2", "P3")]
)
def test_classes_with_numbers_are_no_patients(names: tuple[str, ...], tmp_path: Path) -> None:
    for number, name in enumerate(names):
        picture(tmp_path / name / "1.png", number)
    assert what_is_lacking(open_data(tmp_path)).startswith("There must be 8 pictures of")


def test_a_picture_that_is_far_too_large_is_refused_with_its_size(tmp_path: Path) -> None:
    for side, size in ((60_000, r"\(3600 million\)"), (12_500, r"\(12500 x 12500\)")):
        head = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
        sides = side.to_bytes(4, "big") * 2
        chunk = b"IHDR" + sides + head[24:29]
        data = head[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + head[33:]
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(SourceError, match=size):
            read_image(tmp_path / "a.png")


@pytest.mark.parametrize(("most", "bits"), [(4095, 12), (1000, 10), (16383, 14), (255, 8), (40_000, 0)])
def test_pictures_of_16_bits_are_scaled_by_the_depth_that_all_of_them_use(
    most: int, bits: int, tmp_path: Path
) -> None:
    shades = np.linspace(0, 1, 48 * 64).reshape(48, 64)
    for place, part in enumerate((1.0, 0.2)):
        (tmp_path / "AB"[place]).mkdir()
        values = np.rint(shades * most * part).astype(np.uint16)
        assert cv2.imwrite(str(tmp_path / "AB"[place] / "1.png"), values)
    index = open_data(tmp_path)
    white = (1 << bits) - 1 if bits else 0xFFFF
    assert {sample.bits for sample in index.samples} == {bits}
    assert any(f"so {white} is taken for white" in note for note in index.notes) == bool(bits)
    loaded = load_frames(index, "", Preprocessing(48, 64))
    for sample, part in zip(index.samples, (1.0, 0.2), strict=True):
        (found,) = read_pictures(sample.path, [0], sample.bits)
        assert np.abs(found.picture.gray - shades * most * part * 255 / white).max() <= 1
    assert loaded.frames.float().amax(dim=(1, 2)).tolist() == pytest.approx(
        [most * 255 / white, most * 51 / white], abs=3
    )


def test_a_picture_that_says_its_depth_is_believed(tmp_path: Path) -> None:
    values = np.full((48, 64), 900, np.uint16)
    data = cv2.imencode(".png", values)[1].tobytes()
    chunk = b"sBIT" + bytes([14])
    said = data[:33] + (1).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:]
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "1.png").write_bytes(said)
    (sample,) = open_data(tmp_path).samples
    (found,) = read_pictures(sample.path, [0], sample.bits)
    assert int(found.picture.gray.max()) == round(900 * 255 / 16383)
