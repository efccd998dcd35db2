"""A protocol's checklist in the report and in the structured report, of what is exported."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from main import main
from semc_core.export.bundle import export_session
from semc_core.export.checklist import export_checklist
from semc_core.export.options import ExportOptions
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import Reject, SetItem
from tests.export.scans import video_session


def test_rows_name_what_was_found_and_what_the_model_does_not_know(tmp_path: Path) -> None:
    book = load_protocols(tmp_path)
    with video_session(tmp_path / "scan") as session:
        session.apply(SetItem("lp2025-liver", "right-lobe", "not possible", "bowel gas"))
        made = export_checklist(book.named("lp2025-liver"), session.model, session.planes(), session.items())
        assert made.progress == "50% complete: 2 of 6 found, 1 not possible, 2 unknown to the model."
        rows = {row.title: row for row in made.rows}
        assert (rows["First porta hepatis"].status, rows["First porta hepatis"].planes) == (
            "found",
            ("FHP1",),
        )
        assert rows["Second porta hepatis"].status == "missing"
        assert rows["Right lobe"].reason == "bowel gas"
        session.apply(Reject(1))
        made = export_checklist(book.named("lp2025-liver"), session.model, session.planes(), ())
        assert made.rows[0].status == "missing"
        fetal = export_checklist(book.named("fasp-20-week"), session.model, session.planes(), ())
        assert fetal.rows[-1].title == "Profile (optional)"
        assert {row.status for row in fetal.rows} == {"unknown to the model"}
        assert fetal.rows[0].planes == ("Brain(Tv)",)


def test_the_checklist_is_in_the_report_and_in_the_structured_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.export.bundle.data_folder", lambda: tmp_path / "data")
    with video_session(tmp_path / "scan") as session:
        session.apply(SetItem("lp2025-liver", "right-lobe", "not possible", "bowel gas"))
    out = tmp_path / "out"
    arguments = [
        "--protocol",
        "lp2025-liver",
        "--dicom",
        "--no-clips",
        "--no-frames",
        "--identified",
        "--patient-id",
        "4711",
    ]
    assert main(["export", str(session.folder), "--out", str(out), *arguments]) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Liver, six planes (LP2025)" in page
    assert "2 of 6 found, 1 not possible" in page
    assert "bowel gas" in page
    report = pydicom.dcmread(out / "dicom" / "report.dcm").to_json()
    assert "Protocol: Liver, six planes (LP2025)" in report
    assert "Not possible" in report
    assert main(["export", str(session.folder), "--out", str(tmp_path / "b"), "--protocol", "nothing"]) == 1


def test_the_log_says_which_protocol_was_exported(tmp_path: Path) -> None:
    protocol = load_protocols(tmp_path).named("lp2025-liver")
    with video_session(tmp_path / "scan") as session:
        options = ExportOptions(protocol=protocol, clips=False, report=False, deidentify=False)
        export_session(session, tmp_path / "out", options, data=tmp_path)
        (entry,) = session.exports()
    assert entry.detail["protocol"] == "lp2025-liver"
