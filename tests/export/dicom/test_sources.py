"""What the DICOM objects of a bundle take from the session: its source's file, what that lost, the notes."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pydicom
import pytest
from pydicom.uid import JPEGBaseline8Bit

from main import main
from semc_core.errors import ExportError
from semc_core.export.bundle import export_session
from semc_core.export.collect import collect
from semc_core.export.deidentify import OTHER_PATIENT_OF_FILE, deidentify
from semc_core.export.dicom.study import StudyContext
from semc_core.export.identified import source_names_patient
from semc_core.export.masks import device_of
from semc_core.export.ocr import TextReadings
from semc_core.export.options import ExportOptions, Patient
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Watch
from semc_core.io.video_encoder import encode_clip
from semc_core.io.video_quality import Quality
from semc_core.session.correcting.changes import SetNote
from semc_core.session.examination import Examination
from semc_core.session.records import SourceEntry, file_sha256
from semc_core.session.session import Session
from tests.export.dicom.examples import UIDS, sample
from tests.export.scans import HEIGHT, RATE, WIDTH, frame, new_session, video_session


def study_of(session: Session, options: ExportOptions, data: Path) -> StudyContext:
    """What its objects have in common."""
    search = TextSearch(None, TextReadings(), Watch())
    with collect(session, options, data) as scan:
        return deidentify(scan, options, UIDS, search, Watch()).study


def _source(kind: str, path: Path) -> SourceEntry:
    return SourceEntry(path.name, kind, 321, 241, 20.0, 2, False, "", str(path), file_sha256(path))


def test_what_a_video_lost_is_said(tmp_path: Path) -> None:
    pixels = [frame(index, colour=True) for index in range(2)]
    path = tmp_path / "loop.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (321, 241))
    for each in pixels:
        writer.write(each)
    writer.release()
    with new_session(tmp_path / "scan", pixels, source=_source("video", path), planes={}) as session:
        context = study_of(session, ExportOptions(), tmp_path)
    (step,) = context.lossy or ()
    assert step.method == "ISO_10918_1"
    assert step.ratio > 1


@pytest.mark.parametrize(("quality", "methods"), [("compact", "ISO_10918_1"), ("lossless", None)])
def test_what_a_saved_clip_lost_is_said_of_the_clip_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quality: str, methods: str | None
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    options = ExportOptions(dicom=True, report=False, frames=False)
    with video_session(tmp_path / "scan", count=20) as session:
        (session.folder / "clips").mkdir()
        frames = [(frame(index), index / RATE) for index in range(10)]
        content = encode_clip(frames, WIDTH, HEIGHT, gray=True, quality=Quality(quality))
        (session.folder / "clips" / "001.mkv").write_bytes(content)
        session.set_clip(1, "clips/001.mkv")
        export_session(session, tmp_path / "out", options, data=tmp_path)
    still = pydicom.dcmread(tmp_path / "out" / "dicom" / "001_FHP1_f000008.dcm")
    clip = pydicom.dcmread(tmp_path / "out" / "dicom" / "001_FHP1_f000008_clip.dcm")
    assert still.LossyImageCompression == "00", "the source is lossless"
    assert clip.LossyImageCompression == ("01" if methods else "00")
    assert clip.get("LossyImageCompressionMethod") == methods


def test_pixels_may_be_packed_as_jpeg_and_dates_shifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path)
    with video_session(tmp_path / "scan", count=20) as session:
        today = session.created_utc[:10].replace("-", "")
    command = ["export", str(session.folder), "--out", str(tmp_path / "out"), "--no-report", "--no-frames"]
    assert main([*command, "--jpeg"]) == 2
    assert main([*command, "--dates", "shifted"]) == 2
    assert main([*command, "--dicom", "--identified", "--dates", "shifted"]) == 2
    assert main([*command, "--dicom", "--jpeg", "--dates", "shifted"]) == 0
    found = [pydicom.dcmread(path) for path in (tmp_path / "out" / "dicom").glob("00*.dcm")]
    assert len(found) == 4
    for one in found:
        assert one.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
        assert one.LossyImageCompressionMethod == "ISO_10918_1"
        assert one.LongitudinalTemporalInformationModified == "MODIFIED"
        assert one.StudyDate not in ("", today)


def test_an_identified_export_of_nobody_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with video_session(tmp_path / "scan", count=20) as session:
        pass
    command = ["export", str(session.folder), "--out", str(tmp_path / "out"), "--identified", "--no-clips"]
    for empty in ([], ["--patient-name", " "], ["--sex", "F"]):
        assert main([*command, *empty]) == 2
        assert "give --patient-name or --patient-id" in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "out").exists()
    with Session.open(session.folder, read_only=True) as after:
        assert not after.exports()


def test_an_identified_export_of_a_dicom_loop_names_the_patient_of_its_header(tmp_path: Path) -> None:
    path = tmp_path / "loop.dcm"
    shutil.copy(sample("examples_ybr_color.dcm"), path)
    source = _source("dicom", path)
    assert source_names_patient(source)
    header = pydicom.dcmread(path)
    header.PatientName, header.PatientID = "^", ""
    header.save_as(path)
    assert not source_names_patient(source)
    path.unlink()
    assert not source_names_patient(source)


def test_a_maker_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.Manufacturer = "123"
    header.save_as(path)
    content = path.read_bytes()
    assert content.count(b"\x08\x00\x70\x00LO") == 1
    path.write_bytes(content.replace(b"\x08\x00\x70\x00LO", b"\x08\x00\x70\x00FD"))
    assert device_of(_source("dicom", path)).maker == ""


def test_a_dicom_file_that_was_put_in_the_place_of_another_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "loop.dcm"
    shutil.copy(sample("examples_ybr_color.dcm"), path)
    source = _source("dicom", path)
    options = ExportOptions(deidentify=False)
    with new_session(tmp_path / "scan", [frame(0)], source=source, planes={}) as session:
        original = pydicom.dcmread(path)
        assert study_of(session, options, tmp_path).source_uid == original.SOPInstanceUID
        original.PatientName = "SOMEBODY^ELSE"
        original.save_as(path)
        other = study_of(session, options, tmp_path)
        path.unlink()
        gone = study_of(session, options, tmp_path)
    assert other.source_uid == gone.source_uid == ""
    assert "SOMEBODY" not in other.patient.name


def test_a_dicom_file_of_another_patient_than_the_chosen_examination_is_not_exported_as_anybodys(
    tmp_path: Path,
) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID = "Somebody^Else", "99"
    header.save_as(path)
    identified = ExportOptions(deidentify=False)
    with new_session(tmp_path / "scan", [frame(0)], source=_source("dicom", path), planes={}) as session:
        session.set_examination(Examination("Zweistein^Alberta", "4711", accession_number="A1"))
        with pytest.raises(ExportError, match="another patient"):
            study_of(session, identified, tmp_path)
        assert study_of(session, ExportOptions(), tmp_path).de_identified
        named = study_of(session, ExportOptions(deidentify=False, patient=Patient("N^N", "1")), tmp_path)
        assert (named.patient.patient_id, named.accession_number) == ("1", "")
        session.set_examination(Examination("Somebody^Else", "99"))
        assert study_of(session, identified, tmp_path).patient.patient_id == "99"


@pytest.mark.parametrize(
    ("patient", "is_same"),
    [
        (Patient("Some^Body", "99"), True),
        (Patient("Somebody^Else", "100"), False),
        (Patient("Somebody^Else"), False),
        (None, True),
    ],
)
def test_the_study_of_a_dicom_file_goes_with_its_own_patient_alone(
    tmp_path: Path, patient: Patient | None, is_same: bool
) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID, header.AccessionNumber = "Somebody^Else", "99", "A1"
    header.StudyID, header.StudyDescription, header.ReferringPhysicianName = "S1", "Anatomy", "Smith^Jo"
    header.PatientWeight = "70"
    header.save_as(path)
    options = ExportOptions(deidentify=False, patient=patient)
    with new_session(tmp_path / "scan", [frame(0)], source=_source("dicom", path), planes={}) as session:
        search = TextSearch(None, TextReadings(), Watch())
        with collect(session, options, tmp_path) as scan:
            found = deidentify(scan, options, UIDS, search, Watch())
    study = found.study
    requested = (study.accession_number, study.study_id, study.study_description, study.referring_physician)
    assert requested == (("A1", "S1", "Anatomy", "Smith^Jo") if is_same else ("", "SEMC", "", ""))
    assert (study.study_uid == header.StudyInstanceUID) == is_same
    assert ("PatientWeight" in study.carried) == (is_same and study.ultrasound)
    assert (OTHER_PATIENT_OF_FILE in found.notices) != is_same


@pytest.mark.parametrize(("name", "number"), [("Somebody^Else", ""), ("", "99"), ("^", "")])
def test_a_name_or_a_number_alone_is_a_patient_too(tmp_path: Path, name: str, number: str) -> None:
    path = tmp_path / "loop.dcm"
    header = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    header.PatientName, header.PatientID, header.AccessionNumber = name, number, "A1"
    header.save_as(path)
    options = ExportOptions(deidentify=False, patient=Patient("Other^One", "4711"))
    with new_session(tmp_path / "scan", [frame(0)], source=_source("dicom", path), planes={}) as session:
        study = study_of(session, options, tmp_path)
    anybody = name != "^"
    assert (study.other_patient, study.accession_number) == (anybody, "" if anybody else "A1")


@pytest.mark.parametrize("notes", [False, True])
def test_notes_are_in_the_structured_report_only_if_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: bool
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    options = ExportOptions(dicom=True, notes=notes, clips=False, report=False, frames=False)
    with video_session(tmp_path / "scan", count=20) as session:
        session.apply(SetNote(1, "seen twice"))
        export_session(session, tmp_path / "out", options, data=tmp_path)
    assert (b"seen twice" in (tmp_path / "out" / "dicom" / "report.dcm").read_bytes()) == notes
