"""An examination of two scans is one export: one report, one manifest, one study; each log tells of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from main import main
from semc_core.errors import ExportError
from semc_core.export import bundle, examination
from semc_core.export.examination import export_examination
from semc_core.export.manifest import MANIFEST_NAME, check_bundle
from semc_core.export.options import ExportOptions
from semc_core.pacs.bundle import exported_objects
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import Reject, Relabel, SetFetus, SetItem, SetNote
from semc_core.session.examination import Examination
from semc_core.session.same_examination import go_on_with
from semc_core.session.session import Session
from tests.export.scans import video_session


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bundle, examination):
        monkeypatch.setattr(module, "load_text_finder", lambda: None)


@pytest.fixture
def scans(tmp_path: Path) -> Iterator[list[Session]]:
    """Two scans of one examination: FHP1 and LLP, then FHP1 and FHP2."""
    first = video_session(tmp_path / "one", name="one.mkv", count=30)
    second = video_session(tmp_path / "two", name="two.mkv", count=40)
    second.apply(Relabel(2, "FHP2"))
    go_on_with(second, first.id)
    with first, second:
        yield [first, second]


def report(target: Path) -> str:
    return (target / "report.html").read_text(encoding="utf-8")


def test_one_report_lists_the_planes_of_all_scans(scans: list[Session], tmp_path: Path) -> None:
    scans[0].apply(Reject(2))
    protocol = load_protocols().named("lp2025-liver")
    options = ExportOptions(clips=False, protocol=protocol)
    done = export_examination(scans, tmp_path / "out", options, data=tmp_path)
    assert (done.planes, done.rejected) == (3, 1)
    page = report(done.target)
    assert [page.count(f"Scan {number}: No. ") for number in (1, 2, 3)] == [1, 2, 0]
    assert "1 rejected plane stayed out." in page
    assert "0 of 6 found, 2 weak" in page, "one checklist of all scans: FHP1 and FHP2"
    assert page.count("Second porta hepatis") >= 1
    assert "not found: LLP" in page
    assert "Scan 2: Frames" in page, "what differs says of which scan it is"
    assert page.count(">SHA-256 of the file<") == 1, "what is the same is said once"
    names = {path.relative_to(done.target).as_posix() for path in done.target.rglob("*") if path.is_file()}
    assert {"report.html", "report.pdf", MANIFEST_NAME, "scan-1/planes.csv", "scan-2/planes.csv"} <= names
    assert not any(name.endswith("report.html") and "/" in name for name in names)
    with (done.target / "scan-2/planes.csv").open(encoding="utf-8", newline="") as file:
        assert [row["plane"] for row in csv.DictReader(file)] == ["FHP1", "FHP2"]


def test_one_manifest_proves_it_and_every_log_tells_of_it(scans: list[Session], tmp_path: Path) -> None:
    done = export_examination(scans, tmp_path / "out.zip", ExportOptions(clips=False), data=tmp_path)
    assert check_bundle(done.target).ok
    for session in scans:
        (entry,) = session.exports()
        assert entry.sha256 == done.manifest_sha256
    done = export_examination(scans, tmp_path / "out", ExportOptions(clips=False), data=tmp_path)
    manifest = json.loads((done.target / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert (manifest["scans"], manifest["planes"], len(manifest["sessions"])) == (2, 4, 2)
    (done.target / "scan-2" / "planes.csv").write_text("changed", encoding="utf-8")
    assert not check_bundle(done.target).ok


def test_the_dicom_objects_are_one_study_and_none_is_like_another(
    scans: list[Session], tmp_path: Path
) -> None:
    done = export_examination(scans, tmp_path / "out", ExportOptions(dicom=True), data=tmp_path)
    found = [pydicom.dcmread(path) for path in sorted((done.target / "dicom").rglob("*.dcm"))]
    assert len(found) == 10, "of each scan two pictures, two clips and a structured report"
    assert len({each.StudyInstanceUID for each in found}) == 1
    assert len({(each.PatientID, str(each.PatientName)) for each in found}) == 1
    assert len({each.SOPInstanceUID for each in found}) == len(found)
    of_scan: dict[str, set[str]] = {}
    for path in (done.target / "dicom").rglob("*.dcm"):
        of_scan.setdefault(path.parent.name, set()).add(pydicom.dcmread(path).SeriesInstanceUID)
    assert not of_scan["scan-1"] & of_scan["scan-2"], "series of their own"
    assert len(exported_objects(done.target).objects) == len(found), "all of them can be sent"


def test_nothing_identifies_anybody(scans: list[Session], tmp_path: Path) -> None:
    scans[1].apply(SetNote(None, "Jane Doe"))
    done = export_examination(scans, tmp_path / "out", ExportOptions(), data=tmp_path)
    whole = b"".join(path.read_bytes() for path in done.target.rglob("*") if path.is_file())
    for word in (b"Jane Doe", b"one.mkv", b"two.mkv"):
        assert word not in whole
    options = ExportOptions(notes=True)
    assert "Scan 2: Jane Doe" in report(
        export_examination(scans, tmp_path / "noted", options, data=tmp_path).target
    )


@pytest.mark.parametrize("other", [Examination(patient_id="4712"), Examination(patient_name="Doe^Jane")])
def test_scans_of_two_people_are_no_examination(
    scans: list[Session], tmp_path: Path, other: Examination
) -> None:
    scans[0].set_examination(Examination(patient_id="4711", patient_name="Zweistein^Alberta"))
    for options in (ExportOptions(clips=False), ExportOptions(clips=False, deidentify=False)):
        scans[1].set_examination(other)
        with pytest.raises(ExportError, match="different patients") as refused:
            export_examination(scans, tmp_path / "out", options, data=tmp_path)
        assert "4711" not in str(refused.value)
        assert not (tmp_path / "out").exists()
    scans[1].set_examination(None)
    assert export_examination(scans, tmp_path / "out", ExportOptions(clips=False), data=tmp_path).planes


def test_of_twins_each_has_one_list_over_all_scans(scans: list[Session], tmp_path: Path) -> None:
    scans[0].apply(SetFetus(0.8, "B"))
    protocol = load_protocols().named("lp2025-liver")
    scans[1].apply(SetItem(protocol.id, protocol.items[2].id, "not possible", "gas", fetus="B"))
    done = export_examination(
        scans, tmp_path / "out", ExportOptions(clips=False, protocol=protocol), data=tmp_path
    )
    page = report(done.target)
    assert "Fetus A: 0% complete: 0 of 6 found, 2 weak" in page, "FHP1 of both, FHP2 of the second"
    assert "Fetus B: 17% complete: 0 of 6 found, 1 not possible" in page, "what was said of B"


def test_planes_and_answers_are_of_one_scan(scans: list[Session], tmp_path: Path) -> None:
    for options in (ExportOptions(planes=(1,)), ExportOptions(answers=((1, "keep"),))):
        with pytest.raises(ExportError, match="one scan alone"):
            export_examination(scans, tmp_path / "out", options, data=tmp_path)
    assert not (tmp_path / "out").exists()
    assert replace(ExportOptions(), examination=True).to_settings() == ExportOptions().to_settings()


def test_the_command_exports_all_scans(
    scans: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for session in scans:
        session.close()
    for module in (bundle, examination):
        monkeypatch.setattr(module, "data_folder", lambda: tmp_path / "data")
    command = ["export", str(scans[0].folder), "--no-clips", "--examination", "--out"]
    assert main([*command, str(tmp_path / "out")]) == 0
    assert "De-identified: 4 planes" in capsys.readouterr().out
    assert main(["export", str(scans[1].folder), "--check", str(tmp_path / "out")]) == 0
    assert main([*command, str(tmp_path / "other"), "--planes", "1"]) == 2
    assert "are of one scan" in capsys.readouterr().err
