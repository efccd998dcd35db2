"""The structured report: what it says, what it refers to, and whether it is valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from highdicom.sr import ComprehensiveSR
from pydicom.dataset import Dataset

from semc_core.errors import ExportError
from semc_core.export.checklist import Checklist, ChecklistRow
from semc_core.export.dicom.codes import own_code
from semc_core.export.dicom.images import STATEMENT, clip, encode_object, still, without_pixels
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.dicom.study import StudyContext
from semc_core.export.options import ExportOptions
from tests.export.dicom.examples import (
    BEGAN,
    DEFAULTS,
    IDENTIFIED,
    MODEL,
    PLANE,
    no_dicom,
    read_back,
    ultrasound,
    write_object,
)
from tests.export.dicom.validity import can_check, check_dicom

ADDED = replace(PLANE, plane_id=1001, plane="LLP", found_as=None, chosen_by="person", confidence=0.25)
CHECKLIST = Checklist(
    "LP2025 liver",
    (
        ChecklistRow("First porta hepatis", ("FHP1",), "found"),
        ChecklistRow("Right lobe", ("RLP",), "not possible", "Nurse Ratched could not"),
    ),
)


def reported(study: StudyContext) -> list[ReportedPlane]:
    frames = np.zeros((2, 21, 33, 3), np.uint8)
    one = without_pixels(still(study, PLANE, frames[0], 1))
    loop = without_pixels(clip(study, PLANE, frames, [0.0, 0.04], 1, frame_indices=[11, 12]))
    other = without_pixels(still(study, ADDED, frames[0], 2))
    return [ReportedPlane(PLANE, (one, loop)), ReportedPlane(ADDED, (other,))]


def items(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(name, value in words) of every content item."""
    for item in dataset.get("ContentSequence", []):
        name = item.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in item else ""
        if item.ValueType == "CODE":
            yield name, item.ConceptCodeSequence[0].CodeMeaning
        elif item.ValueType == "NUM":
            yield name, str(item.MeasuredValueSequence[0].NumericValue)
        elif item.ValueType == "IMAGE":
            yield name, item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        else:
            yield name, str(item.get("TextValue", item.get("PersonName", "")))
        yield from items(item)


@pytest.mark.parametrize("study", [no_dicom(), ultrasound()])
def test_it_tells_what_was_found_how_sure_and_who_decided(study: StudyContext) -> None:
    planes = reported(study)
    report = read_back(structured_report(study, planes, MODEL, BEGAN, CHECKLIST))
    said = list(items(report))
    for expected in (
        ("Finding", "First porta hepatis plane"),
        ("Finding", "Left lobe plane"),
        ("Finding Site", "Liver"),
        ("Certainty of Finding", "93.0"),
        ("Certainty of Finding", "25.0"),
        ("Who decided last on plane and frame", "The model"),
        ("Who decided last on plane and frame", "A person"),
        ("Plane that the model found", "Not found by the model"),
        ("How the plane came to its name", "Found by the program"),
        ("How the plane came to its name", "Added by a person"),
        ("Algorithm Name", "SEMC Live, model semc_live"),
        ("Algorithm Parameters", f"model SHA-256 {MODEL.sha256}"),
        ("Comment", STATEMENT),
        ("Comment", MODEL.notice),
        ("Comment", "Protocol: LP2025 liver"),
        ("First porta hepatis", "Found"),
        ("Right lobe", "Not possible"),
        *(("Source of Measurement", image.SOPInstanceUID) for one in planes for image in one.images),
    ):
        assert expected in said
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99SEMC"
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    referred = [one for series in evidence.ReferencedSeriesSequence for one in series.ReferencedSOPSequence]
    assert len(referred) == 3


def test_another_program_can_read_its_measurements() -> None:
    study = ultrasound()
    report = ComprehensiveSR.from_dataset(
        read_back(structured_report(study, reported(study), MODEL, BEGAN, CHECKLIST))
    )
    groups = report.content.get_image_measurement_groups()
    assert [group.get_measurements()[0].value for group in groups] == [93.0, 25.0]


def test_notes_and_reasons_are_written_where_there_are_any() -> None:
    study = no_dicom(IDENTIFIED)
    kept = structured_report(study, reported(study), MODEL, BEGAN, CHECKLIST)
    said = list(items(kept))
    assert ("Comment", "Plane 3: seen by Nurse Ratched") in said
    assert ("Comment", "Right lobe: Nurse Ratched could not") in said
    silent = [replace(one, plane=replace(one.plane, note="")) for one in reported(study)]
    report = structured_report(study, silent, MODEL, BEGAN, replace(CHECKLIST, rows=CHECKLIST.rows[:1]))
    assert b"Ratched" not in encode_object(report)


def test_it_says_when_it_was_made_only_where_identity_is_kept() -> None:
    made = [
        structured_report(study, reported(study), MODEL, BEGAN)
        for study in (no_dicom(), no_dicom(IDENTIFIED))
    ]
    assert [(each.ContentDate, each.ContentTime) for each in made] == [
        ("19000101", "000000"), ("20260314", "150926"),
    ]  # fmt: skip


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(ExportError, match="at least one"):
        structured_report(no_dicom(), [], MODEL, BEGAN)
    with pytest.raises(ExportError, match="at least one"):
        structured_report(no_dicom(), [ReportedPlane(PLANE, ())], MODEL, BEGAN)


def test_long_and_strange_names_become_codes_that_differ() -> None:
    names = ["a" * 17, "a" * 18, "Milz längs", "Milz l\N{LATIN SMALL LETTER O}ngs", "b\\c", ""]
    codes = [own_code(name, name).value for name in names]
    assert len(set(codes)) == len(names)
    assert all(1 <= len(code) <= 16 and code.isascii() and "\\" not in code for code in codes)
    assert own_code("LPV-S", "").value == "LPV-S"


@pytest.mark.skipif(not can_check(), reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("options", [DEFAULTS, ExportOptions(dates="shifted"), IDENTIFIED])
@pytest.mark.parametrize("make", [no_dicom, ultrasound])
@pytest.mark.requirement("H3")
def test_it_is_valid(
    make: Callable[[ExportOptions], StudyContext], options: ExportOptions, tmp_path: Path
) -> None:
    study = make(options)
    write_object(structured_report(study, reported(study), MODEL, BEGAN, CHECKLIST), tmp_path / "a.dcm")
    found = check_dicom(tmp_path / "a.dcm")
    assert found.errors == ()
    # dciodvfy knows the standard's schemes of codes, not a program's own.
    assert not [line for line in found.warnings if "<99SEMC>" not in line and "build DICOMDIR" not in line]
