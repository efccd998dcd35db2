"""Twins in the structured reports: each says of which fetus what it holds is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from semc_core.export.dicom.codes import GESTATIONAL_AGE, GROWTH_RANK
from semc_core.export.dicom.images import comment, still, without_pixels
from semc_core.export.dicom.obgyn_report import obgyn_report
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.measured import fetal_measures, measured_values
from semc_core.session.records import PERSON, MeasurementEntry
from tests.export.dicom.examples import BEGAN, MODEL, PLANE, no_dicom, read_back, write_object
from tests.export.dicom.validity import can_check, check_dicom

FIRST = replace(PLANE, fetus="A", note="")
SECOND = replace(PLANE, plane_id=4, frame_index=30, fetus="B", note="")


def head(number: int, fetus: str, mm: float) -> MeasurementEntry:
    """A head of another size."""
    plane = FIRST if fetus == "A" else SECOND
    points = ((2.0, 10.0), (30.0, 10.0), (16.0, 1.0))
    return MeasurementEntry(
        number, "ellipse", points, "head", plane.frame_index, 0.4, plane.plane_id, 33, 21, mm, mm, "by hand",
        PERSON, None, fetus=fetus,
    )  # fmt: skip


HEADS = (head(1, "A", 2.0), head(2, "B", 2.2))


def planes() -> list[ReportedPlane]:
    pixels = np.zeros((21, 33), np.uint8)
    return [
        ReportedPlane(plane, (without_pixels(still(no_dicom(), plane, pixels, number)),))
        for number, plane in enumerate((FIRST, SECOND), 1)
    ]


def called(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue) if "ConceptNameCodeSequence" in item else ""


def below(item: Dataset) -> Iterator[Dataset]:
    for child in item.get("ContentSequence", ()):
        yield child
        yield from below(child)


def fetus_of(container: Dataset) -> list[str]:
    return [str(item.TextValue) for item in container.ContentSequence if called(item) == "11951-1"]


def test_twins_are_not_measured_as_one() -> None:
    found = fetal_measures(measured_values(HEADS, [FIRST, SECOND]), None)
    assert [(one.fetus, one.name, len(one.values)) for one in found if one.name == "HC"] == [
        ("A", "HC", 1),
        ("B", "HC", 1),
    ]
    as_one = [replace(each, fetus="") for each in HEADS]
    found = fetal_measures(measured_values(as_one, [FIRST, SECOND]), None)
    assert [len(one.values) for one in found if one.name == "HC"] == [2]


def test_each_section_of_biometry_names_its_fetus(tmp_path: Path) -> None:
    report = obgyn_report(no_dicom(), planes(), HEADS, None, BEGAN)
    assert report is not None
    read = read_back(report)
    sections = [item for item in read.ContentSequence if called(item) == "125002"]
    assert [fetus_of(section) for section in sections] == [["A"], ["B"]]
    numbers = list(read.ContentSequence)
    for section in sections:
        place = numbers.index(section) + 1
        ranks = [item for item in below(section) if called(item) == GROWTH_RANK.value]
        assert ranks
        for rank in ranks:
            references = [each.get("ReferencedContentItemIdentifier") for each in rank.ContentSequence]
            (at,) = [each for each in references if each]
            assert list(at)[:2] == [1, place], "at the age by the HC of the same fetus"
            item: Dataset = read
            for number in list(at)[1:]:
                item = item.ContentSequence[number - 1]
            assert called(item) == GESTATIONAL_AGE.value
    if can_check():
        write_object(report, tmp_path / "report.dcm")
        assert not check_dicom(tmp_path / "report.dcm").errors


def test_each_group_of_a_plane_names_its_fetus(tmp_path: Path) -> None:
    report = structured_report(no_dicom(), planes(), MODEL, BEGAN)
    groups = [item for item in below(read_back(report)) if called(item) == "125007"]
    assert [fetus_of(group) for group in groups] == [["A"], ["B"]]
    classes = [item for item in below(read_back(report)) if called(item) == "121024"]
    assert [item.ConceptCodeSequence[0].CodeMeaning for item in classes] == ["Fetus", "Fetus"]
    if can_check():
        write_object(report, tmp_path / "report.dcm")
        assert not check_dicom(tmp_path / "report.dcm").errors


@pytest.mark.parametrize("letter", ["", "B"])
def test_an_image_says_it_in_its_comment(letter: str) -> None:
    assert comment(replace(FIRST, fetus=letter)).startswith("fetus B; FHP1" if letter else "FHP1")


def test_of_one_fetus_nothing_is_said() -> None:
    alone = [replace(each, plane=replace(each.plane, fetus="")) for each in planes()]
    measured = [replace(each, fetus="") for each in HEADS]
    obstetric = obgyn_report(no_dicom(), alone, measured, None, BEGAN)
    assert obstetric is not None
    for report in (structured_report(no_dicom(), alone, MODEL, BEGAN), obstetric):
        assert not [item for item in below(read_back(report)) if called(item) in ("11951-1", "121024")]
