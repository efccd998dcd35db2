"""What was measured, in every part of an export: table, records, report and DICOM, with units."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from main import main
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.manifest import check_bundle
from semc_core.export.options import ExportOptions
from semc_core.measure.gestation import GestationalAge
from semc_core.session.correcting.changes import AddMeasurement, Reject, SetAge, SetScale
from semc_core.session.session import Session
from tests.export.scans import HEIGHT, WIDTH, video_session

HEAD = ((20.0, 40.0), (80.0, 40.0), (50.0, 20.0))
OPTIONS = ExportOptions(dicom=True, clips=False)


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reader of text, as where it is not installed."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Two planes; a proposed head and a line on the first, in mm, an area on a frame of none."""
    with video_session(tmp_path / "scan") as made:
        first = made.planes()[0]
        on_first = (first.frame_index, first.time_s, WIDTH, HEIGHT, first.plane_id)
        made.apply(AddMeasurement("ellipse", HEAD, *on_first, structure="head", proposed=True, error=0.03))
        made.apply(AddMeasurement("distance", HEAD[:2], *on_first))
        made.apply(AddMeasurement("area", HEAD, 1, 0.04, WIDTH, HEIGHT))
        yield made


def scaled(session: Session) -> None:
    session.apply(SetScale(HEAD[:2], 60.0, 1, WIDTH, HEIGHT))


def exported(session: Session, target: Path, options: ExportOptions = OPTIONS) -> Path:
    done = export_session(session, target, options, data=target.parent / "data")
    assert check_bundle(target).ok
    assert done.planes
    return target


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_numbers_are_in_the_table_and_the_record_with_units_by_ucum(session: Session, tmp_path: Path) -> None:
    scaled(session)
    folder = exported(session, tmp_path / "out")
    rows = rows_of(folder)
    assert [(row["name"], row["unit"]) for row in rows] == [
        ("HC", "mm"), ("OFD outer-outer", "mm"), ("BPD outer-outer", "mm"), ("Area", "mm2"),
        ("Length", "mm"), ("Area", "mm2"), ("Circumference", "mm"),
    ]  # fmt: skip
    hc, length = rows[0], rows[4]
    assert (hc["made_by"], length["made_by"], length["value"]) == ("accepted", "person", "60.0")
    assert float(hc["low"]) == pytest.approx(0.97 * float(hc["value"]), abs=0.01)
    assert (rows[5]["plane_id"], rows[5]["plane"], rows[5]["scale"]) == ("", "", "by hand")
    records = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "planes").glob("*.json"))
    ]
    assert [len(record.get("measurements", [])) for record in records] == [2] + [0] * (len(records) - 1)
    assert records[0]["measurements"][0]["values"][0]["unit"] == "mm"
    assert records[0]["measurements"][0]["dated"][0]["name"] == "Age by HC"
    assert records[0]["measurements"][0]["points"] == [list(point) for point in HEAD]


def test_the_table_has_age_and_centile_at_the_age_by_dates(session: Session, tmp_path: Path) -> None:
    scaled(session)
    hc, ofd, bpd, _, length, *_ = rows_of(exported(session, tmp_path / "without"))
    assert "+" in hc["age"]
    assert "Hadlock" in hc["age_formula"]
    assert hc["centile"] == "", "at its own age it is always median"
    record = json.loads(
        next(iter(sorted((tmp_path / "without" / "planes").glob("*.json")))).read_text(encoding="utf-8")
    )
    said = {line["name"]: line["text"] for line in record["measurements"][0]["dated"]}
    assert said["Age by HC"] == hc["age"]
    for row, name in ((ofd, "OFD"), (bpd, "BPD")):
        assert row["centile"] == said.get(f"Centile of {name}", "")
    assert ofd["centile"] or bpd["centile"]
    assert (length["age"], length["centile"]) == ("", "")
    weeks, days = (int(part) for part in hc["age"].split("+"))
    session.apply(SetAge(GestationalAge(weeks * 7 + days, "due date")))
    by_dates = rows_of(exported(session, tmp_path / "with"))[0]
    assert by_dates["centile"]
    assert f"at {hc['age']}" in by_dates["centile_formula"]


def test_without_a_scale_an_export_holds_no_millimetre(session: Session, tmp_path: Path) -> None:
    folder = exported(session, tmp_path / "out")
    rows = rows_of(folder)
    assert {row["unit"] for row in rows} == {"{pixels}", "{square_pixels}"}
    assert {row["mm_x"] for row in rows} == {""}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "no scale is known" in page
    assert " mm" not in page[page.index("<h2>Measurements") : page.index("<h2>How this")]


def test_the_report_says_numbers_frames_and_makers(session: Session, tmp_path: Path) -> None:
    scaled(session)
    folder = exported(session, tmp_path / "out")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in (
        "1: HC",
        "1: Age by HC",
        "Hadlock et al. 1984",
        "60.0 mm",
        "(90 %:",
        "accepted by a person",
        "scale by hand",
    ):
        assert words in page


def test_the_dicom_report_holds_coded_numbers(session: Session, tmp_path: Path) -> None:
    scaled(session)
    folder = exported(session, tmp_path / "out")
    report = pydicom.dcmread(folder / "dicom" / "report.dcm")
    found = {
        (item.ConceptNameCodeSequence[0].CodeValue, value.MeasurementUnitsCodeSequence[0].CodeValue): float(
            value.NumericValue
        )
        for item in numbers(report)
        for value in item.MeasuredValueSequence
    }
    assert found["410668003", "mm"] == 60.0
    assert found["11820-8", "mm"] == pytest.approx(40.0, abs=0.01)
    assert ("11984-2", "mm") in found
    assert ("42798000", "mm2") in found


def test_the_dicom_report_holds_the_centiles_that_the_table_has(session: Session, tmp_path: Path) -> None:
    scaled(session)
    session.apply(SetAge(GestationalAge(133, "due date")))
    folder = exported(session, tmp_path / "out")
    report = pydicom.dcmread(folder / "dicom" / "report.dcm")
    ranked = {}
    for item in numbers(report):
        held = [
            float(each.MeasuredValueSequence[0].NumericValue)
            for each in item.get("ContentSequence", [])
            if each.ConceptNameCodeSequence[0].CodeValue == "121415"
        ]
        if held:
            ranked[item.ConceptNameCodeSequence[0].CodeValue] = held
    codes = {"HC": "11984-2", "BPD outer-outer": "11820-8", "OFD outer-outer": "11851-3"}
    said = {codes[row["name"]]: row["centile"] for row in rows_of(folder) if row["centile"]}
    assert set(said) == set(ranked) == set(codes.values())
    for code, text in said.items():
        (percent,) = ranked[code]
        assert (text == "< 1") == (percent < 1)
        assert (text == "> 99") == (percent > 99)
        assert text[0] in "<>" or abs(float(text) - percent) <= 0.51
    assert b"at 19+0 by due date" in (folder / "dicom" / "report.dcm").read_bytes()


def test_the_obstetric_report_is_beside_the_other_unless_it_is_not_wanted(
    session: Session, tmp_path: Path
) -> None:
    assert not (exported(session, tmp_path / "pixels") / "dicom" / "obgyn.dcm").exists()
    scaled(session)
    report = pydicom.dcmread(exported(session, tmp_path / "out") / "dicom" / "obgyn.dcm")
    found = {item.ConceptNameCodeSequence[0].CodeValue: item for item in numbers(report)}
    (hc,) = [row for row in rows_of(tmp_path / "out") if row["name"] == "HC"]
    assert float(found["11984-2"].MeasuredValueSequence[0].NumericValue) == float(hc["value"])
    assert report.PatientID.startswith("ANON-")
    unwanted = exported(session, tmp_path / "unwanted", replace(OPTIONS, obgyn=False)) / "dicom"
    assert (unwanted / "report.dcm").exists()
    assert not (unwanted / "obgyn.dcm").exists()


def test_on_the_command_line_it_is_left_out_by_its_name(session: Session, tmp_path: Path) -> None:
    scaled(session)
    folder = session.folder
    session.close()
    for number, more in enumerate(((), ("--no-obgyn",))):
        target = tmp_path / str(number)
        assert main(["export", str(folder), "--out", str(target), "--dicom", "--no-clips", *more]) == 0
        assert (target / "dicom" / "obgyn.dcm").exists() is not bool(more)
    assert main(["export", str(folder), "--out", str(tmp_path / "none"), "--no-obgyn"]) != 0
    assert not (tmp_path / "none").exists()


def numbers(dataset: Dataset) -> Iterator[Dataset]:
    for item in dataset.get("ContentSequence", []):
        if item.get("ValueType") == "NUM":
            yield item
        yield from numbers(item)


def test_what_was_measured_on_a_plane_that_is_left_out_is_left_out(session: Session, tmp_path: Path) -> None:
    session.apply(Reject(session.planes()[0].plane_id))
    rows = rows_of(exported(session, tmp_path / "out", replace(OPTIONS, dicom=False)))
    assert {row["kind"] for row in rows} == {"area"}


def test_without_measurements_there_is_no_table_of_them(tmp_path: Path) -> None:
    with video_session(tmp_path / "scan") as session:
        folder = exported(session, tmp_path / "out", replace(OPTIONS, dicom=False))
    assert not (folder / "measurements.csv").exists()
    assert "Measurements" not in (folder / "report.html").read_text(encoding="utf-8")


def test_the_circumference_has_its_centile_by_dates_in_the_record_and_the_report(
    session: Session, tmp_path: Path
) -> None:
    scaled(session)
    without = exported(session, tmp_path / "without")
    assert "Centile of HC" not in (without / "report.html").read_text(encoding="utf-8")
    session.apply(SetAge(GestationalAge(133, "due date")))
    folder = exported(session, tmp_path / "out")
    (first, *_) = sorted((folder / "planes").glob("*.json"))
    dated = {
        each["name"]: each
        for each in json.loads(first.read_text(encoding="utf-8"))["measurements"][0]["dated"]
    }
    assert dated["Centile of HC"]["source"].endswith("at 19+0 by due date")
    assert 0 < float(dated["Centile of HC"]["text"].strip("<> ")) < 100
    assert "Centile of HC" in (folder / "report.html").read_text(encoding="utf-8")
    assert "at 19+0 by due date" in (folder / "report.html").read_text(encoding="utf-8")
