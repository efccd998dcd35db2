"""Twins in what is handed over, and in the list of a protocol: each thing says of which fetus it is."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pydicom
import pytest

from main import main
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import AddMeasurement, SetFetus, SetItem
from semc_core.session.session import Session
from tests.export.scans import HEIGHT, WIDTH, video_session

PROTOCOL = "lp2025-liver"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("semc_core.export.bundle.load_text_finder", lambda: None)
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")


def scanned(folder: Path, *, twins: bool) -> Session:
    """Plane 1 (FHP1) at 0.4 s, plane 2 (LLP) at 2 s; from 1 s on it is fetus B, where there are two."""
    session = video_session(folder)
    session.apply(AddMeasurement("distance", ((1.0, 1.0), (50.0, 40.0)), 40, 2.0, WIDTH, HEIGHT, 2))
    if twins:
        session.apply(SetFetus(1.0, "B"))
        session.apply(SetItem(PROTOCOL, "right-lobe", "not possible", "Gas", fetus="B"))
    return session


def exported(session: Session, out: Path) -> Path:
    options = ExportOptions(
        clips=False, frames=False, dicom=True, fhir=True, protocol=load_protocols().named(PROTOCOL)
    )
    return export_session(session, out, options).target


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_every_part_of_an_export_says_of_which_fetus_a_plane_is(tmp_path: Path) -> None:
    with scanned(tmp_path / "scan", twins=True) as session:
        out = exported(session, tmp_path / "out")
    planes = rows_of(out / "planes.csv")
    assert [(row["plane"], row["fetus"]) for row in planes] == [("FHP1", "A"), ("LLP", "B")]
    assert [row["fetus"] for row in rows_of(out / "measurements.csv")] == ["B"]
    records = [
        json.loads((out / row["png"]).with_suffix(".json").read_text(encoding="utf-8")) for row in planes
    ]
    assert [record["fetus"] for record in records] == ["A", "B"]
    assert [each["fetus"] for each in records[1]["measurements"]] == ["B"]
    images = [pydicom.dcmread(out / "dicom" / f"{Path(row['png']).stem}.dcm") for row in planes]
    assert [image.ImageComments[:7] for image in images] == ["fetus A", "fetus B"]
    structured = str(pydicom.dcmread(out / "dicom" / "report.dcm"))
    assert structured.count("Fetus ID") == 2 + 2 * 6, "each plane, and each item of each list"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "fetus A, frame 8" in page
    assert "fetus B, frame 40" in page
    assert page.count("Fetus A: Right lobe") == page.count("Fetus B: Right lobe") == 1
    assert "Fetus A: 17% complete" in page
    resources = json.loads((out / "fhir.json").read_text(encoding="utf-8"))
    held = [each["resource"] for each in resources["entry"]]
    focus = [each["focus"] for each in held if each["resourceType"] == "Observation"]
    assert focus == [[{"display": "Fetus B"}]]
    (report,) = [each for each in held if each["resourceType"] == "DiagnosticReport"]
    assert "fetus A" in report["conclusion"]


def test_of_one_fetus_no_part_says_anything(tmp_path: Path) -> None:
    with scanned(tmp_path / "scan", twins=False) as session:
        out = exported(session, tmp_path / "out")
    said = [
        path.name
        for path in out.rglob("*")
        if path.suffix in (".csv", ".json", ".html", ".dcm") and b"fetus" in path.read_bytes().lower()
    ]
    assert said == []


def test_the_commands_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "scan"
    scanned(folder, twins=True).close()
    assert main(["protocols", PROTOCOL, "--session", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert ", fetus A" in shown
    assert ", fetus B" in shown
    assert main(["protocols", PROTOCOL, "--session", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    by_fetus = {(row["fetus"], row["id"]): row["status"] for row in told["rows"]}
    assert by_fetus["A", "first-porta-hepatis"] == "found"
    assert by_fetus["B", "first-porta-hepatis"] == "missing"
    assert by_fetus["B", "right-lobe"] == "not possible"
    assert by_fetus["A", "right-lobe"] != "not possible"
    assert main(["session", "show", str(folder)]) == 0
    assert "Fetus" in capsys.readouterr().out
    assert main(["session", "show", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [plane["fetus"] for plane in told["planes"]] == ["A", "B"]
    assert main(["session", "verify", str(folder)]) == 0


def test_without_a_second_one_the_commands_say_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "scan"
    scanned(folder, twins=False).close()
    for arguments in (
        ["protocols", PROTOCOL, "--session", str(folder), "--json"],
        ["session", "show", str(folder), "--json"],
        ["session", "show", str(folder)],
    ):
        capsys.readouterr()
        assert main(arguments) == 0
        assert "fetus" not in capsys.readouterr().out.lower()
