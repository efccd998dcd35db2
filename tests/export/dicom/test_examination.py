"""What a worklist said goes into an identified export, and never into another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from main import main
from semc_core.export.bundle import export_session
from semc_core.export.deidentify import OTHER_PATIENT
from semc_core.export.options import ExportOptions, ExportResult, Patient
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from tests.export.scans import video_session

ASKED = Examination(
    "Zweistein^Alberta", "4711-22Zw", "19780304", "F", "A100-22Zw", "1.2.276.0.7230010.3.2.101", "SPS7-22Zw",
    "Anatomy", "RP3-22Zw", "Second trimester scan", "Smith^Jo", "US", "20261130", "0856", "Zwickel",
    "Quastel^Io", "Wuchtig", "Kreisszimmer 7",
)  # fmt: skip
WORDS = (
    *("Zweistein", "4711-22Zw", "A100-22Zw", "1.2.276.0.7230010", "SPS7-22Zw", "Second trimester"),
    *("RP3-22Zw", "Smith", "Zwickel", "Quastel", "Wuchtig", "Kreisszimmer"),
)
"""None is so short that it may stand in a hash or in a compressed picture by chance."""


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with video_session(tmp_path / "session", count=20) as made:
        made.set_examination(ASKED)
        yield made


def exported(session: Session, tmp_path: Path, options: ExportOptions) -> tuple[ExportResult, list[Dataset]]:
    result = export_session(session, tmp_path / "export", options, data=tmp_path / "data")
    session.close()
    return result, [pydicom.dcmread(path) for path in sorted((tmp_path / "export" / "dicom").glob("*.dcm"))]


@pytest.mark.requirement("H7")
def test_an_identified_export_carries_the_request(session: Session, tmp_path: Path) -> None:
    _, objects = exported(session, tmp_path, ExportOptions(deidentify=False, dicom=True, report=False))
    assert len(objects) > 2
    for one in objects:
        assert one.PatientName == "Zweistein^Alberta"
        assert (one.PatientID, one.PatientBirthDate, one.PatientSex) == ("4711-22Zw", "19780304", "F")
        assert (one.StudyInstanceUID, one.AccessionNumber) == (ASKED.study_uid, "A100-22Zw")
        assert (one.StudyID, one.StudyDescription) == ("RP3-22Zw", "Second trimester scan")
        assert one.ReferringPhysicianName == "Smith^Jo"
        assert (one.InstitutionName, one.InstitutionalDepartmentName) == ("Wuchtig", "Kreisszimmer 7")
        if "PixelData" in one:
            (item,) = one.RequestAttributesSequence
            assert item.ScheduledProcedureStepID == "SPS7-22Zw"
            assert item.ScheduledProcedureStepDescription == "Anatomy"
            assert item.ReasonForTheRequestedProcedure == "Zwickel"
            assert one.OperatorsName == "Quastel^Io"
        else:
            (item,) = one.ReferencedRequestSequence
            assert item.StudyInstanceUID == ASKED.study_uid
            assert item.PlacerOrderNumberImagingServiceRequest == ""
        assert (item.RequestedProcedureID, item.AccessionNumber) == ("RP3-22Zw", "A100-22Zw")
        assert item.RequestedProcedureDescription == "Second trimester scan"


def test_the_report_of_an_identified_export_says_where(session: Session, tmp_path: Path) -> None:
    exported(session, tmp_path, ExportOptions(deidentify=False, clips=False))
    page = (tmp_path / "export" / "report.html").read_text(encoding="utf-8")
    assert "<dt>Site</dt>" in page
    assert "Kreisszimmer 7" in page


@pytest.mark.requirement("H7")
def test_a_deidentified_export_holds_nothing_of_it(session: Session, tmp_path: Path) -> None:
    _, objects = exported(session, tmp_path, ExportOptions(dicom=True))
    assert objects
    for path in (tmp_path / "export").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [word for word in WORDS if word.encode() in content], path.name
    assert not any(
        "RequestAttributesSequence" in one or "ReferencedRequestSequence" in one for one in objects
    )


def test_an_examination_without_a_patient_names_nobody(session: Session, tmp_path: Path) -> None:
    session.set_examination(replace(ASKED, patient_name="", patient_id=""))
    session.close()
    folder, target = str(session.folder), str(tmp_path / "export")
    assert main(["export", folder, "--out", target, "--identified", "--dicom", "--no-report"]) == 2
    assert not (tmp_path / "export").exists()


def test_of_another_patient_neither_study_nor_accession_number_is_taken(
    session: Session, tmp_path: Path
) -> None:
    options = ExportOptions(deidentify=False, dicom=True, report=False, patient=Patient("Other^One", "99"))
    result, objects = exported(session, tmp_path, options)
    assert OTHER_PATIENT in result.notices
    for one in objects:
        assert (one.PatientName, one.PatientID, one.AccessionNumber) == ("Other^One", "99", "")
        assert one.StudyInstanceUID != ASKED.study_uid
        assert "RequestAttributesSequence" not in one


def test_without_numbers_another_name_is_another_patient(session: Session, tmp_path: Path) -> None:
    session.set_examination(replace(ASKED, patient_id=""))
    options = ExportOptions(deidentify=False, dicom=True, report=False, patient=Patient("Other^One"))
    result, objects = exported(session, tmp_path, options)
    assert OTHER_PATIENT in result.notices
    assert {(str(one.PatientName), one.AccessionNumber) for one in objects} == {("Other^One", "")}


def test_of_an_examination_of_nobody_the_rest_goes_with_the_patient_who_is_named(
    session: Session, tmp_path: Path
) -> None:
    session.set_examination(Examination(indication="Zwickel", operator="Quastel^Io"))
    options = ExportOptions(deidentify=False, dicom=True, report=False, patient=Patient("Other^One", "99"))
    result, objects = exported(session, tmp_path, options)
    assert OTHER_PATIENT not in result.notices
    still = next(one for one in objects if "PixelData" in one)
    assert (still.PatientID, str(still.OperatorsName)) == ("99", "Quastel^Io")
    assert still.RequestAttributesSequence[0].ReasonForTheRequestedProcedure == "Zwickel"


def test_the_same_number_under_a_corrected_name_keeps_the_request(session: Session, tmp_path: Path) -> None:
    options = ExportOptions(
        deidentify=False, dicom=True, report=False, patient=Patient("Einstein^A", "4711-22Zw")
    )
    result, objects = exported(session, tmp_path, options)
    assert OTHER_PATIENT not in result.notices
    assert {(str(one.PatientName), one.AccessionNumber) for one in objects} == {("Einstein^A", "A100-22Zw")}


def test_the_command_takes_the_patient_of_the_examination(session: Session, tmp_path: Path) -> None:
    session.close()
    folder, target = str(session.folder), str(tmp_path / "export")
    assert main(["export", folder, "--out", target, "--identified", "--dicom", "--no-report"]) == 0
    some = next((tmp_path / "export" / "dicom").glob("*.dcm"))
    assert pydicom.dcmread(some).PatientID == "4711-22Zw"
