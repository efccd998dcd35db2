"""Names planted in headers, pixels, file names, folders and notes: none leaves the machine."""

from __future__ import annotations

import gzip
import logging
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

from main import main
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.ocr import TextFinder, TextFound, TextReadings, is_text, load_text_finder
from semc_core.export.options import ExportOptions
from semc_core.session.correcting.changes import MarkRegion, Reject, SetNote
from semc_core.session.files import read_png
from semc_core.session.records import SourceEntry, file_sha256
from semc_core.session.session import Session
from semc_core.sources.open import open_source
from tests.export.scans import HEIGHT, RATE, WIDTH, frame, new_session, write_text, write_video

pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")

PLANTED = (
    "DOE",
    "JANE",
    "4711-2288",
    "19700412",
    "1970-04-12",
    "20260131",
    "SAINTELSEWHERE",
    "DRNOBODY",
    "9.8.7.6.5",
)
COUNT = 12


def _header(pixels: list[NDArray[np.uint8]]) -> Dataset:
    """An ultrasound loop with a name in every corner of its header."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    data.SOPClassUID = UltrasoundMultiFrameImageStorage
    data.SOPInstanceUID = "9.8.7.6.5.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = "9.8.7.6.5.2", "9.8.7.6.5.3"
    data.PatientName, data.PatientID, data.PatientBirthDate = "DOE^JANE", "4711-2288", "19700412"
    data.StudyDate = data.SeriesDate = data.ContentDate = "20260131"
    data.StudyTime = data.ContentTime = "101112"
    data.InstitutionName, data.ReferringPhysicianName = "SAINTELSEWHERE", "DRNOBODY"
    data.Manufacturer, data.ManufacturerModelName = "Maker JANE", "Model DOE"
    data.StudyDescription, data.ImageComments = "of DOE", "JANE 4711-2288"
    nested = Dataset()
    nested.PersonName, nested.TextValue = "DOE^JANE", "4711-2288"
    data.ContentSequence = [nested]
    data.add_new(0x00091001, "LO", "DOE JANE")
    data.Modality, data.PatientSex = "US", "F"
    data.Rows, data.Columns, data.NumberOfFrames = HEIGHT, WIDTH, len(pixels)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.FrameTime = str(1000 / RATE)
    data.FrameIncrementPointer = 0x00181063
    content = np.stack(pixels).tobytes()
    data.PixelData = content + b"\0" * (len(content) % 2)
    return data


@pytest.fixture(scope="module")
def reader() -> TextFinder:
    """The real one, loaded once."""
    found = load_text_finder()
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def finder(reader: TextFinder, monkeypatch: pytest.MonkeyPatch) -> TextFinder:
    monkeypatch.setattr(bundle, "load_text_finder", lambda: reader)
    return reader


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Session]:
    """A session of a loop with a name outside the crop, and in its last frames also inside."""
    pixels = []
    for index in range(COUNT):
        drawn = frame(index)
        write_text(drawn, "DOE JANE 4711-2288", 5, 30)
        write_text(drawn, "DOE JANE 19700412", 70, 225)
        if index >= COUNT - 4:
            write_text(drawn, "JANE DOE", 100, 120)
        pixels.append(drawn)
    path = tmp_path / "DOE_JANE_19700412" / "DOE^JANE 4711-2288.dcm"
    path.parent.mkdir()
    pydicom.dcmwrite(path, _header(pixels), enforce_file_format=True)
    with closing(open_source(str(path))) as opened:
        first = opened.read()
        assert first is not None
        np.testing.assert_array_equal(first.pixels, pixels[0])
    source = SourceEntry(
        path.name,
        "dicom",
        WIDTH,
        HEIGHT,
        float(RATE),
        COUNT,
        False,
        "DOE has no rate",
        str(path),
        file_sha256(path),
    )
    folder = path.parent / "20260131_dicom_DOE-JANE"
    with new_session(
        folder, pixels, source=source, planes={2: ("LLP", COUNT - 1), 3: ("FHP2", 4)}
    ) as session:
        session.apply(SetNote(2, "DOE JANE was cold"))
        session.apply(SetNote(None, "JANE 4711-2288"))
        session.apply(MarkRegion(0.1, 0.3, "JANE moved", "DOE"))
        session.apply(Reject(3, "not JANE"))
        yield session


@pytest.mark.long
def test_nothing_planted_is_found_in_the_bundle_or_in_the_logs(
    planted: Session, tmp_path: Path, finder: TextFinder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    target = tmp_path / "out"
    stop = ExportOptions(dicom=True, clips=False, text="stop")
    with pytest.raises(TextFound) as stopped:
        export_session(planted, target, stop, data=tmp_path)
    assert not target.exists()
    (finding,) = stopped.value.findings
    assert finding.plane_id == 2
    assert "JANE" in " ".join(text.words for text in finding.found)
    done = export_session(planted, target, ExportOptions(dicom=True, text="mask"), data=tmp_path)
    assert done.planes == 1
    _assert_clean(target)
    assert [finder.find(picture) for picture in _pictures(target)] == [()] * 3
    planted.close()
    _assert_no_name(caplog.text.encode())


@pytest.mark.long
def test_a_name_typed_for_half_a_second_is_found_in_the_clip_and_masked(
    tmp_path: Path, finder: TextFinder
) -> None:
    """It is neither in the plane's picture nor to be read in the mean of the clip."""
    pixels = [frame(index) for index in range(3 * RATE)]
    for drawn in pixels[RATE // 2 : RATE]:
        write_text(drawn, "JANE DOE", 100, 120)
    path = tmp_path / "loop.mkv"
    write_video(path, pixels)
    source = SourceEntry(
        path.name, "video", WIDTH, HEIGHT, float(RATE), len(pixels), False, "", str(path), file_sha256(path)
    )
    with new_session(tmp_path / "s", pixels, source=source, planes={1: ("FHP1", 2 * RATE)}) as session:
        readings = TextReadings()
        stop = ExportOptions(text="stop")
        with pytest.raises(TextFound) as stopped:
            export_session(session, tmp_path / "out", stop, data=tmp_path, readings=readings)
        assert "JANE" in " ".join(text.words for text in stopped.value.findings[0].found)
        masked = ExportOptions(text="mask")
        export_session(session, tmp_path / "out", masked, data=tmp_path, readings=readings)
    clip = next((tmp_path / "out" / "clips").iterdir())
    with closing(open_source(str(clip))) as opened:
        shown = [packet.pixels for packet in iter(opened.read, None)]
    assert finder.find(shown[3 * RATE // 4]) == ()


def test_the_command_blackens_what_is_sure_and_its_log_names_nobody(
    planted: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_log_folder: Path,
    finder: TextFinder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    planted.close()
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")
    command = ["export", str(planted.folder), "--out", str(tmp_path / "out"), "--no-clips", "--no-report"]
    assert main(command) == 0
    assert "Text was masked in the pictures of LLP" in capsys.readouterr().out
    (png,) = (tmp_path / "out" / "planes").glob("*.png")
    assert finder.find(read_png(png)) == ()
    _assert_no_name(b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*.json")))
    _assert_no_name(b"".join(path.read_bytes() for path in own_log_folder.iterdir()))


@pytest.mark.parametrize(
    ("words", "text"),
    [("JANE", True), ("J. Li", True), ("王伟", True), ("4711", True), ("12.04.70", True),
     ("10", False), ("V", False), ("3.5", False), ("", False)],
)  # fmt: skip
def test_names_numbers_and_dates_are_text_but_depth_marks_are_not(words: str, text: bool) -> None:
    assert is_text(words) == text


def _assert_clean(bundle: Path) -> None:
    """No planted word in any file or file name, packed or not, whatever its encoding."""
    for path in bundle.rglob("*"):
        _assert_no_name(path.relative_to(bundle).as_posix().encode())
        if not path.is_file():
            continue
        content = path.read_bytes()
        _assert_no_name(content)
        if path.suffix == ".gz":
            _assert_no_name(gzip.decompress(content))
        if path.suffix == ".png":
            assert b"tEXt" not in content
            assert b"eXIf" not in content
        if path.suffix == ".pdf":
            for part in content.split(b"stream\n")[1::2]:
                _assert_no_name(zlib.decompressobj().decompress(part) if part[:1] == b"x" else part)
            if shutil.which("pdftotext"):
                words = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout
                assert b"Standard planes" in words
                _assert_no_name(words)


def _assert_no_name(content: bytes) -> None:
    # Without zeros UTF-16 reads like Latin letters.
    for seen in (content.upper(), content.replace(b"\0", b"").upper()):
        found = [word for word in PLANTED if word.encode() in seen and len(word) > 3]
        assert not found
        assert b"DOE^" not in seen
        assert b"DOE " not in seen


def _pictures(bundle: Path) -> list[NDArray[np.uint8]]:
    """Of the plane with the name: its PNG, and the last frame of its clip and of its DICOM clip."""
    found = []
    for path in bundle.glob("planes/002*.png"):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert pixels is not None
        found.append(pixels.astype(np.uint8))
    for path in [*bundle.glob("clips/002*.mp4"), *bundle.glob("dicom/002*_clip.dcm")]:
        with closing(open_source(str(path))) as source:
            last = source.read()
            while (packet := source.read()) is not None:
                last = packet
        assert last is not None
        found.append(last.pixels)
    return found
