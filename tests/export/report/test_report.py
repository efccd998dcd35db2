"""The report, as a page and as PDF, from the same data."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.export.checklist import Checklist, ChecklistRow
from semc_core.export.report.data import RESEARCH_NOTICE, ReportData, report_plane, seconds
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.session.correcting.sentences import decided
from semc_core.session.records import PlaneEntry
from tests.export.scans import CROP, HEIGHT, WIDTH, frame

ENTRY = PlaneEntry(
    3, "FHP1", "FHP1", 0.934, 8, 0.4, 0.1, 0.9, True, False, False, "", "model", "a.png", "0", None, "",
    WIDTH, HEIGHT, CROP,
)  # fmt: skip
ROWS = (
    ChecklistRow("First porta hepatis", ("FHP1",), "found"),
    ChecklistRow("Left lobe", ("LLP",), "not possible", "bowel gas"),
)


def _data(count: int = 3, note: str = "") -> ReportData:
    planes = tuple(
        report_plane(
            replace(ENTRY, plane_id=number, chosen_by="person", note=note), frame(number, colour=True)
        )
        for number in range(count)
    )
    return ReportData(
        code="ANON-1",
        subject=(("Source", "a loop"),),
        planes=planes,
        not_found=("LLP (Left lobe)",),
        checklist=Checklist("Liver", ROWS),
        regions=(("1.0 s to 2.0 s", "LLP", note),),
        measurements=(("1: HC", "172.5 mm", "frame 3"),),
        note=note,
        notices=("Knows only simulated scans.",),
        model=(("Model", "semc_tiny"), ("SHA-256 of the file", "ab" * 32)),
        made_by=(("Program", "SEMC Live"),),
    )


def test_the_page_is_one_file_that_fetches_nothing() -> None:
    page = html_report(_data()).decode()
    assert RESEARCH_NOTICE in page
    assert page.count("data:image/jpeg;base64,") == 3
    assert not re.search(r"https?://|<script|<link|url\(", page)
    for words in (
        "93%",
        "First porta hepatis",
        "not possible",
        "bowel gas",
        "Knows only simulated scans.",
        "172.5 mm",
        "ab" * 32,
    ):
        assert words in page


def test_a_plane_that_was_saved_at_one_moment_was_not_held() -> None:
    moment = replace(ENTRY, plane="NSP", found_as="NSP", start_s=16.2, end_s=16.2, time_s=16.2, by_hand=True)
    data = _data(1)
    assert "held 0.1 s to 0.9 s" in html_report(data).decode()
    page = html_report(replace(data, planes=(report_plane(moment, frame(8)),))).decode()
    assert "frame 8, 16.2 s</div>" in page
    assert "held" not in page
    assert "No plane · No standard plane" in page


def test_what_a_person_typed_is_shown_and_not_obeyed() -> None:
    page = html_report(_data(note='<script>alert("1")</script>')).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("count", [0, 1, 7])
def test_the_pdf_has_every_plane_and_embedded_fonts(tmp_path: Path, count: int) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_report(_data(count, "Größe, Ελληνικά, Кириллица, a note " + "that is long " * 30)))
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/FontFile2") == 2
    assert content.count(b"/Subtype /Image") == count
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed to read it back")
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    for words in (
        "Standard planes",
        "Größe, Ελληνικά, Кириллица",
        "Knows only",
        "bowel gas",
        "172.5 mm",
        "research use only",
    ):
        assert words in text
    assert text.count("Found by the program, confirmed by a person") == count


def test_the_pdf_cuts_a_note_that_no_page_holds_and_says_where_it_goes_on(tmp_path: Path) -> None:
    note = "A note that goes on and on. " * 300
    name = "Left lobe with the left hepatic vein and the caudate lobe behind it, in a sagittal plane"
    data = _data(2)
    first, second = data.planes
    planes = (replace(first, note=note), replace(second, plane=name, name=name))
    rows = (*ROWS, ChecklistRow("Right lobe", ("RLP",), "not possible", note))
    text = _pdf_text(tmp_path, replace(data, planes=planes, checklist=Checklist("Liver", rows)))
    assert name in text
    assert "Words that end in … go on in report.html." in text
    assert text.count("\f") == 2, "pages"
    assert "go on in report.html" not in _pdf_text(tmp_path, data)
    assert note.strip() in html_report(replace(data, planes=planes)).decode()


def _pdf_text(folder: Path, data: ReportData) -> str:
    """What the PDF says, in one line a page."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed to read it back")
    path = folder / "report.pdf"
    path.write_bytes(pdf_report(data))
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    return re.sub(r"[ \n]+", " ", text)


def test_the_pdf_writes_chinese_and_says_when_it_lacks_letters(tmp_path: Path) -> None:
    lacking = "fonts of this PDF lack"
    chinese = _pdf_text(tmp_path, _data(1, "肝脏标准切面，已保存。" * 30))
    assert "肝脏标准切面，已保存。" in chinese.replace(" ", "")
    assert lacking not in chinese
    assert lacking in _pdf_text(tmp_path, _data(1, "ᏣᎳᎩ"))


def test_the_same_data_give_the_same_pdf() -> None:
    assert pdf_report(_data()) == pdf_report(_data())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Found by the program"),
        ({"chosen_by": "person"}, "Found by the program, confirmed by a person"),
        ({"plane": "LLP", "chosen_by": "person"}, "Found by the program, renamed by a person (was FHP1)"),
        ({"plane_id": 1001, "found_as": None, "chosen_by": "person"}, "Added by a person"),
        ({"plane_id": 1001, "plane": "LLP", "found_as": None, "chosen_by": "person"}, "Added by a person"),
        ({"by_hand": True, "chosen_by": "person"}, "Saved by a person, named by the program"),
        ({"by_hand": True, "found_as": None, "chosen_by": "person"}, "Saved and named by a person"),
        ({"by_hand": True, "plane": "LLP", "chosen_by": "person"}, "Saved and named by a person (was FHP1)"),
    ],
)
def test_it_says_who_decided(changes: dict[str, object], words: str) -> None:
    assert decided(replace(ENTRY, **changes)) == words  # type: ignore[arg-type]


def test_times_are_for_people() -> None:
    assert [seconds(value) for value in (0.04, 59.9, 59.96, 125.04)] == [
        "0.0 s",
        "59.9 s",
        "60.0 s",
        "2:05.0 min",
    ]
