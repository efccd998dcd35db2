"""Results as FHIR: valid by the models, the numbers of the table, pictures by their UIDs, nobody named."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from main import main
from semc_core.errors import ExportError
from semc_core.export import bundle
from semc_core.export.bundle import export_session
from semc_core.export.fhir.document import FILE, transaction
from semc_core.export.options import ExportOptions, Patient
from semc_core.extras import lacking
from semc_core.measure.gestation import GestationalAge
from semc_core.session.correcting.changes import AddMeasurement, SetAge, SetNote, SetScale
from semc_core.session.session import Session
from tests.export.scans import HEIGHT, WIDTH, video_session
from tests.export.test_measured import HEAD, rows_of

pytest.importorskip("fhir.resources", reason="the extra `fhir` is not installed")
from fhir.resources.R4B.bundle import Bundle

from tests.export.fhir.server import references

OPTIONS = ExportOptions(dicom=True, fhir=True, clips=False, report=False, frames=False)
KINDS = ("ImagingStudy", "Media", "Observation", "DiagnosticReport")


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reader of text, as where it is not installed."""
    monkeypatch.setattr(bundle, "load_text_finder", lambda: None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A head on the first plane, two femurs, an angle on a frame of no plane; dated, and with a scale."""
    with video_session(tmp_path / "Zxqvok scan", name="Zxqvok.mkv") as made:
        first, second = made.planes()[:2]
        on_first = (first.frame_index, first.time_s, WIDTH, HEIGHT, first.plane_id)
        on_second = (second.frame_index, second.time_s, WIDTH, HEIGHT, second.plane_id)
        made.apply(AddMeasurement("ellipse", HEAD, *on_first, structure="head", proposed=True, error=0.03))
        made.apply(AddMeasurement("distance", HEAD[:2], *on_first, structure="femur"))
        made.apply(AddMeasurement("distance", HEAD[1:], *on_second, structure="femur"))
        made.apply(AddMeasurement("angle", HEAD, 1, 0.04, WIDTH, HEIGHT))
        made.apply(SetScale(HEAD[:2], 30.0, 1, WIDTH, HEIGHT))
        made.apply(SetAge(GestationalAge(133, "CRL")))
        made.apply(SetNote(1, "Zxqvok was cold"))
        yield made


def exported(session: Session, target: Path, options: ExportOptions = OPTIONS) -> dict[str, Any]:
    export_session(session, target, options, data=target.parent / "data")
    return read(target)


def read(target: Path) -> dict[str, Any]:
    """The file, after it was held against the models of FHIR."""
    content = (target / FILE).read_bytes()
    Bundle.model_validate_json(content)
    plain: dict[str, Any] = json.loads(content)
    return plain


def of_kind(plain: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in plain["entry"] if each["resource"]["resourceType"] == kind]


def codes(resource: dict[str, Any]) -> list[str]:
    return [each["code"] for each in resource["code"]["coding"]]


@pytest.mark.requirement("H6")
def test_every_number_of_the_table_is_an_observation_with_its_code_unit_age_and_centile(
    session: Session, tmp_path: Path
) -> None:
    plain = exported(session, tmp_path / "out")
    assert plain["type"] == "collection"
    found = of_kind(plain, "Observation")
    rows = rows_of(tmp_path / "out")
    measured = [one for one in found if "note" in one]
    assert len(measured) == len(rows)
    for one, row in zip(measured, rows, strict=True):
        quantity = one["valueQuantity"]
        assert (quantity["value"], quantity["code"]) == (float(row["value"]), row["unit"])
        assert quantity["system"] == "http://unitsofmeasure.org"
        assert (one["code"]["text"], one["status"]) == (row["name"], "preliminary")
        parts = {codes(part)[0]: part for part in one.get("component", [])}
        assert ("18185-9" in parts, "125012" in parts) == (bool(row["age"]), bool(row["centile"]))
        if row["age"]:
            weeks, days = divmod(parts["18185-9"]["valueQuantity"]["value"], 7)
            assert f"{weeks}+{days}" == row["age"]
        if row["centile"]:
            assert row["centile_formula"] in parts["125012"]["code"]["text"]
            assert (
                row["centile"][0] in "<>"
                or abs(parts["125012"]["valueQuantity"]["value"] - float(row["centile"])) <= 0.51
            )
    assert codes(measured[0]) == ["11984-2"]
    assert measured[0]["code"]["coding"][0]["system"] == "http://loinc.org"
    (age, *_, mean) = [one for one in found if "note" not in one]
    assert (codes(age), age["valueQuantity"]["value"], age["method"]["text"]) == (["18185-9"], 133, "CRL")
    femurs = [float(row["value"]) for row in rows if row["name"] == "FL"]
    assert (codes(mean), mean["method"]["text"]) == (["11963-6"], "mean of 2")
    assert mean["valueQuantity"]["value"] == pytest.approx(sum(femurs) / 2, abs=0.001)


def test_what_was_measured_refers_to_the_picture_and_the_report_to_all(
    session: Session, tmp_path: Path
) -> None:
    plain = exported(session, tmp_path / "out")
    by_name = {each["fullUrl"]: each["resource"] for each in plain["entry"]}
    assert set(references(plain)) <= set(by_name)
    stills = [
        pydicom.dcmread(path).SOPInstanceUID for path in sorted((tmp_path / "out" / "dicom").glob("0*.dcm"))
    ]
    shown = [
        [by_name[each["reference"]]["identifier"][0]["value"] for each in one.get("derivedFrom", [])]
        for one in of_kind(plain, "Observation")
        if "note" in one
    ]
    # Of the head four numbers; of the femurs one each; the angle is on a frame that no plane shows.
    assert shown == [[f"urn:oid:{stills[0]}"]] * 5 + [[f"urn:oid:{stills[1]}"], []]
    (study,) = of_kind(plain, "ImagingStudy")
    written = {
        (str(each.SeriesInstanceUID), str(each.SOPInstanceUID), str(each.SOPClassUID))
        for each in map(pydicom.dcmread, (tmp_path / "out" / "dicom").glob("*.dcm"))
    }
    assert written == {
        (series["uid"], one["uid"], one["sopClass"]["code"].removeprefix("urn:oid:"))
        for series in study["series"]
        for one in series["instance"]
    }
    (report,) = of_kind(plain, "DiagnosticReport")
    assert codes(report) == ["125000"]
    assert "Research use only, not for diagnosis." in report["conclusion"]
    assert len(report["result"]) == len(of_kind(plain, "Observation"))
    assert len(report["media"]) == len(session.planes()) == len(of_kind(plain, "Media"))
    assert [by_name[each["reference"]] for each in report["imagingStudy"]] == [study]


def test_without_dicom_and_without_measurements_there_is_a_report_of_the_planes(tmp_path: Path) -> None:
    with video_session(tmp_path / "scan") as session:
        plain = exported(session, tmp_path / "out", replace(OPTIONS, dicom=False))
    assert {each["resource"]["resourceType"] for each in plain["entry"]} == {"Media", "DiagnosticReport"}
    (report,) = of_kind(plain, "DiagnosticReport")
    assert codes(report) == ["16310003"]
    assert "result" not in report
    assert "imagingStudy" not in report
    assert "First porta hepatis" in report["conclusion"]
    names = [each["note"][0]["text"] for each in of_kind(plain, "Media")]
    assert all((tmp_path / "out" / name).exists() for name in names)


def test_it_names_nobody_and_no_day_unless_identity_is_kept(session: Session, tmp_path: Path) -> None:
    plain = exported(session, tmp_path / "out")
    text = json.dumps(plain)
    assert "Zxqvok" not in text
    assert "effectiveDateTime" not in text
    assert "started" not in text
    assert {
        each["subject"]["identifier"]["value"][:5] for kind in KINDS for each in of_kind(plain, kind)
    } == {"ANON-"}
    doe = replace(OPTIONS, deidentify=False, patient=Patient("Doe^Jane", "4711", "19800102", "F"))
    named = exported(session, tmp_path / "named", doe)
    assert {each["subject"]["identifier"]["value"] for kind in KINDS for each in of_kind(named, kind)} == {
        "4711"
    }
    assert "Doe" not in json.dumps(named)
    (report,) = of_kind(named, "DiagnosticReport")
    day = pydicom.dcmread(next((tmp_path / "named" / "dicom").glob("0*.dcm"))).ContentDate
    assert report["effectiveDateTime"].replace("-", "") == day


@pytest.mark.parametrize(
    "options", [OPTIONS, replace(OPTIONS, deidentify=False, patient=Patient("A^B", "1"))]
)
def test_the_same_results_have_the_same_identifiers_again_and_changed_ones_new(
    options: ExportOptions, session: Session, tmp_path: Path
) -> None:
    def identifiers(plain: dict[str, Any]) -> list[str]:
        found = [each["resource"]["identifier"][0]["value"] for each in plain["entry"]]
        assert len(set(found)) == len(found)
        return found

    first, again = (identifiers(exported(session, tmp_path / name, options)) for name in ("a", "b"))
    assert first == again
    session.apply(SetAge(GestationalAge(134, "CRL")))
    changed = identifiers(exported(session, tmp_path / "c", options))
    assert first[-1] != changed[-1]
    assert first[:3] == changed[:3], "study and pictures are what they were"


def test_a_server_is_asked_to_make_each_only_where_there_is_none(session: Session, tmp_path: Path) -> None:
    plain = exported(session, tmp_path / "out.zip".removesuffix(".zip"))
    export_session(session, tmp_path / "out.zip", OPTIONS, data=tmp_path / "data")
    for target in (tmp_path / "out", tmp_path / "out.zip"):
        sent = json.loads(transaction(target))
        assert sent["type"] == "transaction"
        for asked, held in zip(sent["entry"], plain["entry"], strict=True):
            (identifier,) = held["resource"]["identifier"]
            assert asked["resource"] == held["resource"]
            assert asked["request"] == {
                "method": "POST",
                "url": held["resource"]["resourceType"],
                "ifNoneExist": f"identifier={identifier['system']}|{identifier['value']}",
            }


def test_only_a_whole_export_with_fhir_is_posted(session: Session, tmp_path: Path) -> None:
    exported(session, tmp_path / "out")
    export_session(session, tmp_path / "other", replace(OPTIONS, fhir=False), data=tmp_path / "data")
    with pytest.raises(ExportError, match="export again with --fhir"):
        transaction(tmp_path / "other")
    (tmp_path / "out" / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(ExportError, match="was changed since"):
        transaction(tmp_path / "out")


def test_without_the_extra_it_says_so_before_anything_is_written(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.extras.installed", lambda package: package != "fhir")
    assert lacking("fhir", "FHIR").startswith("FHIR needs fhir.resources: pip install")
    with pytest.raises(ExportError, match="FHIR needs"):
        export_session(session, tmp_path / "out", OPTIONS, data=tmp_path / "data")
    assert not (tmp_path / "out").exists()


def test_the_models_of_fhir_are_loaded_only_when_a_file_is_made() -> None:
    code = (
        "import sys, main, app.cli, semc_core.cli.export, semc_core.export.write, semc_core.export.fhir.post;"
        "import semc_core.export.fhir.document; print([n for n in sys.modules if n.startswith('fhir')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.strip() == "[]", done.stderr


def test_the_command_line_writes_it_where_it_is_asked_for(session: Session, tmp_path: Path) -> None:
    folder = session.folder
    session.close()
    command = ["export", str(folder), "--no-clips", "--no-report", "--no-frames", "--out"]
    assert main([*command, str(tmp_path / "plain.zip")]) == 0
    assert main([*command, str(tmp_path / "fhir.zip"), "--fhir"]) == 0
    for name, there in (("plain.zip", False), ("fhir.zip", True)):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert (FILE in archive.namelist()) is there
