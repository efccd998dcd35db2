"""`semc measure`: a row for every picture, millimetres only where they are known."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from semc_core.cli import measure
from semc_core.errors import UsageError
from semc_core.measure import head
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.head import HeadFinder, HeadFound
from tests.cli import commands
from tests.skips import REAL_DATA

_OUTLINE = Ellipse(160.0, 120.0, 80.0, 60.0, 0.3)


def _run(*arguments: str | Path) -> int:
    return commands.run(measure.app, *map(str, arguments))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, gray: int = 90, shape: tuple[int, int] = (240, 320)) -> Path:
    assert cv2.imwrite(str(path), np.full(shape, gray, np.uint8))
    return path


def _dicom(path: Path, **more: object) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = UltrasoundImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = UltrasoundImageStorage, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns, data.SamplesPerPixel = 240, 320, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    for name, value in more.items():
        setattr(data, name, value)
    frames = int(more.get("NumberOfFrames", 1))  # type: ignore[call-overload]
    data.PixelData = np.full((frames, 240, 320), 90, np.uint8).tobytes()
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In place of the network: a head in every picture that is bright. Returns the sizes of its batches."""
    batches: list[int] = []

    def find(
        self: HeadFinder, pictures: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]
    ) -> list[HeadFound]:
        batches.append(len(pictures))
        bright = [picture.mean() > 50 for picture in pictures]
        return [
            HeadFound(_OUTLINE, 0.99, 0.98) if each else HeadFound(None, 0.01, why=head.NO_HEAD)
            for each in bright
        ]

    monkeypatch.setattr(HeadFinder, "find", find)
    return batches


def test_a_folder_gives_a_row_for_every_picture_and_a_notice_for_everything_else(
    tmp_path: Path, scripted: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    for number in (10, 2, 1):
        _write(folder / f"head{number}.png")
    _write(folder / "below" / "dark.jpg", gray=10)
    (folder / "broken.png").write_bytes(b"\x89PNG but no more")
    (folder / "notes.txt").write_text("notes", encoding="utf-8")
    (folder / ".hidden.png").write_bytes(b"nothing")
    out = tmp_path / "heads.csv"
    assert _run(folder, "--kind", "head", "--out", out, "--mm-per-pixel", "0.2") == 0
    rows = _rows(out)
    assert list(rows[0]) == list(measure.COLUMNS)
    assert [Path(row["file"]).name for row in rows] == ["head1.png", "head2.png", "head10.png", "dark.jpg"]
    assert {row["why"] for row in rows[:3]} == {""}
    assert float(rows[0]["hc_px"]) == pytest.approx(_OUTLINE.circumference, abs=0.01)
    assert float(rows[0]["hc_mm"]) == pytest.approx(0.2 * _OUTLINE.circumference, abs=0.01)
    assert float(rows[0]["hc_low_mm"]) < float(rows[0]["hc_mm"]) < float(rows[0]["hc_high_mm"])
    assert (rows[0]["bpd_px"], rows[0]["ofd_px"]) == ("120.00", "160.00")
    assert rows[3] == dict.fromkeys(measure.COLUMNS, "") | {"file": rows[3]["file"], "why": head.NO_HEAD}
    told = capsys.readouterr().out
    assert "broken.png" in told
    assert "1 file of other kinds" in told
    assert "3 heads measured in 4 pictures, 3 of them in millimetres" in told


def test_without_a_scale_there_are_pixels_and_the_reason_but_no_millimetres(
    tmp_path: Path, scripted: list[int]
) -> None:
    assert _run(_write(tmp_path / "a.png"), "--out", tmp_path / "heads.csv") == 0
    (row,) = _rows(tmp_path / "heads.csv")
    assert float(row["hc_px"]) > 0
    assert (row["hc_mm"], row["hc_low_mm"], row["hc_high_mm"]) == ("", "", "")
    assert "No scale" in row["why"]


def test_a_table_of_scales_gives_each_picture_its_own_and_a_bad_number_a_sentence(
    tmp_path: Path, scripted: list[int]
) -> None:
    for name in "abcd":
        _write(tmp_path / f"{name}.png")
    table = tmp_path / "scales.csv"
    table.write_text("file,mm_per_pixel\na.png,0.1\nb.png,0.3\nc.png,0\n", encoding="utf-8")
    out = tmp_path / "heads.csv"
    assert _run(tmp_path, "--out", out, "--calibration", table) == 0
    rows = _rows(out)
    assert float(rows[1]["hc_mm"]) == pytest.approx(3 * float(rows[0]["hc_mm"]), abs=0.02)
    assert "above 0" in rows[2]["why"]
    assert "No scale" in rows[3]["why"]
    assert [row["hc_mm"] != "" for row in rows] == [True, True, False, False]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e-7", "50", "wide"])
def test_a_scale_that_cannot_be_is_refused_before_anything_is_done(
    tmp_path: Path, scripted: list[int], value: str
) -> None:
    with pytest.raises(UsageError, match=r"\.$"):
        _run(_write(tmp_path / "a.png"), "--out", tmp_path / "heads.csv", f"--mm-per-pixel={value}")
    assert not (tmp_path / "heads.csv").exists()
    assert scripted == []


def test_what_is_not_there_and_two_scales_at_once_are_refused(tmp_path: Path, scripted: list[int]) -> None:
    picture, out = _write(tmp_path / "a.png"), tmp_path / "heads.csv"
    (tmp_path / "scales.csv").write_text("file,mm_per_pixel\na.png,0.1\n", encoding="utf-8")
    refused = [
        (tmp_path / "none.png", "--out", out),
        (tmp_path / "*.tif", "--out", out),
        (picture, "--out", picture),
        (picture, "--out", tmp_path / "scales.csv", "--calibration", tmp_path / "scales.csv"),
        (picture, "--out", out, "--mm-per-pixel", "0.1", "--calibration", tmp_path / "scales.csv"),
    ]
    for arguments in refused:
        with pytest.raises(UsageError):
            _run(*arguments)
    assert not out.exists()
    assert (tmp_path / "scales.csv").read_text(encoding="utf-8").startswith("file,")


def test_a_dicom_still_brings_its_scale_and_a_loop_is_passed_over(
    tmp_path: Path, scripted: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    _dicom(tmp_path / "a.dcm", PixelSpacing=[0.25, 0.25])
    _dicom(tmp_path / "b.dcm")
    _dicom(tmp_path / "c.dcm", NumberOfFrames=3)
    _dicom(tmp_path / "d", PixelSpacing=[0.0, 0.25])
    out = tmp_path / "heads.csv"
    assert _run(tmp_path, "--out", out) == 0
    rows = _rows(out)
    assert [Path(row["file"]).name for row in rows] == ["a.dcm", "b.dcm", "d"]
    assert float(rows[0]["hc_mm"]) == pytest.approx(0.25 * _OUTLINE.circumference, abs=0.01)
    assert "no scale" in rows[1]["why"]
    assert "above 0" in rows[2]["why"]
    assert "c.dcm is a loop" in capsys.readouterr().out


def test_what_the_user_gives_counts_before_the_header(tmp_path: Path, scripted: list[int]) -> None:
    _dicom(tmp_path / "a.dcm", PixelSpacing=[0.25, 0.25])
    out = tmp_path / "heads.csv"
    assert _run(tmp_path / "a.dcm", "--out", out, "--mm-per-pixel", "0.5") == 0
    assert float(_rows(out)[0]["hc_mm"]) == pytest.approx(0.5 * _OUTLINE.circumference, abs=0.01)


def test_many_pictures_are_read_a_batch_at_a_time(tmp_path: Path, scripted: list[int]) -> None:
    for number in range(37):
        _write(tmp_path / f"{number}.png", shape=(64, 64))
    assert _run(tmp_path, "--out", tmp_path.parent / "heads.csv") == 0
    assert scripted == [16, 16, 5]


def test_only_what_is_no_picture_gives_an_empty_table(tmp_path: Path, scripted: list[int]) -> None:
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    out = tmp_path.parent / "empty.csv"
    assert _run(tmp_path, tmp_path / "notes.txt", "--out", out) == 0
    assert _rows(out) == []


@pytest.mark.real_data("hc18")
def test_real_heads_are_measured_nearly_as_the_data_set_states(tmp_path: Path) -> None:
    """The model learned from these: this shows the path and its units, not how good it is on others."""
    with (REAL_DATA / "hc18" / "hc18.csv").open(newline="", encoding="utf-8") as file:
        stated = list(csv.DictReader(file))[::30]
    pictures = [REAL_DATA / "organs" / "fetal_head" / row["file"] for row in stated]
    table = tmp_path / "scales.csv"
    table.write_text(
        "file,mm_per_pixel\n" + "".join(f"{row['file']},{row['mm_per_pixel']}\n" for row in stated),
        encoding="utf-8",
    )
    out = tmp_path / "heads.csv"
    assert _run(*pictures, "--out", out, "--calibration", table) == 0
    rows = _rows(out)
    assert len(rows) == len(stated) > 25
    errors = [
        abs(float(row["hc_mm"]) - float(each["head_circumference_mm"]))
        for row, each in zip(rows, stated, strict=True)
        if row["hc_mm"]
    ]
    assert len(errors) >= 0.95 * len(rows)
    assert np.mean(errors) < 3.0
