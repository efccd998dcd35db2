"""The obstetric report (TID 5000): values, ages, centiles and pictures as another program reads them."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.coding import Code

from semc_core.export.dicom.codes import AGE_EQUATIONS, DATED_BY, GESTATIONAL_AGE, measure_code
from semc_core.export.dicom.images import STATEMENT, encode_object, still, without_pixels
from semc_core.export.dicom.obgyn_report import obgyn_report
from semc_core.export.dicom.structured_report import ReportedPlane
from semc_core.export.dicom.study import StudyContext
from semc_core.export.measured import FETAL, measured_values
from semc_core.export.options import ExportOptions
from semc_core.measure.gestation import ORIGINS, GestationalAge, Origin
from semc_core.measure.growth import age_from, centile
from semc_core.session.records import PERSON, MeasurementEntry
from tests.export.dicom.examples import (
    AGE,
    BEGAN,
    DEFAULTS,
    IDENTIFIED,
    PLANE,
    no_dicom,
    ultrasound,
    write_object,
)
from tests.export.dicom.validity import can_check, check_dicom

SHIFTED: Final = ExportOptions(dates="shifted")
OTHER: Final = replace(PLANE, plane_id=4, frame_index=30, note="")
HEAD: Final = ((2.0, 10.0), (30.0, 10.0), (16.0, 1.0))
LINE: Final = ((2.0, 2.0), (18.0, 2.0))


def entry(number: int, structure: str, mm: float | None = 2.0, plane_id: int | None = 3) -> MeasurementEntry:
    """An ellipse of a head or an abdomen, or a line of anything else, in the frame of its plane."""
    round_ = structure in ("head", "abdomen")
    frame = {3: PLANE.frame_index, 4: OTHER.frame_index}.get(plane_id or 0, 99)
    return MeasurementEntry(
        number, "ellipse" if round_ else "distance", HEAD if round_ else LINE, structure, frame,
        0.4, plane_id, 33, 21, mm, mm, "by hand", PERSON, None,
    )  # fmt: skip


ONE_OF_EACH: Final = (
    entry(1, "head"), entry(2, "abdomen"), entry(3, "femur"), entry(4, "bpd_outer_inner", 2.5),
)  # fmt: skip


def planes_of(study: StudyContext) -> list[ReportedPlane]:
    pixels = np.zeros((21, 33), np.uint8)
    return [
        ReportedPlane(plane, (without_pixels(still(study, plane, pixels, number)),))
        for number, plane in enumerate((PLANE, OTHER), 1)
    ]


def made(
    *entries: MeasurementEntry,
    age: GestationalAge | None = AGE,
    study: StudyContext | None = None,
) -> Dataset:
    """The report, as another program reads it."""
    study = study or no_dicom()
    report = obgyn_report(study, planes_of(study), entries, age, BEGAN)
    assert report is not None
    return pydicom.dcmread(io.BytesIO(encode_object(report)))


def name(item: Dataset) -> Code:
    (code,) = item.ConceptNameCodeSequence
    return Code(code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning)


def inside(item: Dataset, value: str) -> list[Dataset]:
    """The children of a name."""
    return [
        each
        for each in item.get("ContentSequence", ())
        if "ConceptNameCodeSequence" in each and name(each).value == value
    ]


def number(item: Dataset) -> tuple[float, str]:
    (value,) = item.MeasuredValueSequence
    return float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue


def coded(item: Dataset, value: str) -> list[str]:
    return [each.ConceptCodeSequence[0].CodeValue for each in inside(item, value)]


def groups(report: Dataset) -> list[Dataset]:
    (biometry,) = inside(report, "125002")
    return inside(biometry, "125005")


def referred(report: Dataset, item: Dataset) -> Dataset:
    """The one item that another refers to by its place."""
    (path,) = (
        each.ReferencedContentItemIdentifier
        for each in item.ContentSequence
        if "ReferencedContentItemIdentifier" in each
    )
    assert path[0] == 1
    found = report
    for place in path[1:]:
        found = found.ContentSequence[place - 1]
    return found


def everything(item: Dataset) -> Iterator[Dataset]:
    yield item
    for each in item.get("ContentSequence", ()):
        yield from everything(each)


def test_each_measure_has_a_group_with_its_value_its_age_and_its_centile() -> None:
    report = made(*ONE_OF_EACH)
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "5000"
    assert name(report).value == "125000"
    found = groups(report)
    assert [name(group.ContentSequence[0]).value for group in found] == [
        "11984-2", "11820-8", "11820-8", "11851-3", "11979-2", "11963-6",
    ]  # fmt: skip
    values = {one.value.name: one.value.number for one in measured_values(ONE_OF_EACH, [PLANE]) if one.plane}
    for group, measure in zip(found, FETAL, strict=True):
        assert number(group.ContentSequence[0]) == (round(values[measure], 3), "mm")
    hc, bpd, inner, _, _, fl = found
    assert coded(bpd.ContentSequence[0], "370129005") == ["outer-outer"]
    assert coded(inner.ContentSequence[0], "370129005") == ["outer-inner"]
    (age,) = inside(hc, "18185-9")
    assert number(age) == (age_from("HC", values["HC"]).days, "d")
    assert coded(age, "121420") == ["11932-1"]
    assert inside(bpd, "18185-9") == [], "Hadlock's BPD is from the outer to the inner border"
    assert coded(inside(inner, "18185-9")[0], "121420") == ["11902-4"]
    assert inside(inner, "125012") == [], "the standard's BPD is from outer border to outer border"
    (rank,) = inside(fl, "125012")
    assert number(rank) == (round(centile("FL", values["FL"], 19).percent, 2), "%")
    assert rank.ContentSequence[0].ConceptCodeSequence[0].CodeMeaning == "FL by GA, INTERGROWTH-21st 2014"


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_age_by_dates_is_in_the_summary_with_what_it_was_reckoned_from(origin: Origin) -> None:
    report = made(*ONE_OF_EACH, age=GestationalAge(133, origin))
    (summary,) = inside(report, "121111")
    (fetus,) = inside(summary, "125008")
    (age,) = inside(fetus, "18185-9")
    assert number(age) == (133.0, "d")
    assert coded(age, "121420") == [DATED_BY[origin].value]
    (patient,) = inside(report, "121118")
    assert inside(patient, "121106")[0].TextValue == (
        "Gestational age 19+0 as given" if origin == "as given" else f"Gestational age 19+0 by {origin}"
    )
    ranks = [rank for group in groups(report) for rank in inside(group, "125012")]
    assert len(ranks) == 5
    assert all(referred(report, rank) == age for rank in ranks)
    assert inside(summary, "121106")[0].TextValue == STATEMENT


def test_without_dates_only_diameters_of_the_head_are_ranked_at_the_age_by_its_circumference() -> None:
    report = made(*ONE_OF_EACH, age=None)
    (summary,) = inside(report, "121111")
    assert inside(summary, "125008") == inside(report, "121118") == []
    ranked = [group for group in groups(report) if inside(group, "125012")]
    assert [name(group.ContentSequence[0]).value for group in ranked] == ["11820-8", "11851-3"]
    (by_hc,) = inside(groups(report)[0], "18185-9")
    for group in ranked:
        assert referred(report, inside(group, "125012")[0]) == by_hc


def test_several_measurements_are_all_there_and_their_mean_stands_for_them() -> None:
    entries = (entry(1, "femur", 2.0), entry(2, "femur", 2.1, 4), entry(3, "femur", 2.2, None))
    (group,) = groups(made(*entries))
    *single, mean = inside(group, "11963-6")
    values = [one.value.number for one in measured_values(entries, [PLANE, OTHER])]
    assert [number(one)[0] for one in single] == [round(value, 3) for value in values]
    assert number(mean) == (round(fmean(values), 3), "mm")
    assert coded(mean, "121401") == ["373098007"]
    assert coded(mean, "121404") == ["121412"]
    assert all(coded(one, "121401") == [] for one in single)
    assert number(inside(group, "125012")[0])[0] == round(centile("FL", fmean(values), 19).percent, 2)
    assert number(inside(group, "18185-9")[0])[0] == age_from("FL", fmean(values)).days


def test_each_measurement_refers_to_the_picture_of_the_frame_that_was_measured() -> None:
    elsewhere = replace(entry(4, "femur"), frame_index=PLANE.frame_index + 1)
    study = no_dicom()
    shown = [each.images[0].SOPInstanceUID for each in planes_of(study)]
    report = made(entry(1, "femur"), entry(2, "femur", 2.1, 4), entry(3, "femur", 2.2, None), elsewhere)
    (group,) = groups(report)
    pictures = [
        [each.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for each in inside(one, "121112")]
        for one in inside(group, "11963-6")
    ]
    assert pictures == [[shown[0]], [shown[1]], [], [], []]
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    named = {
        image.ReferencedSOPInstanceUID
        for series in evidence.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    }
    assert named == set(shown)


def test_there_is_none_where_no_fetus_was_measured_in_millimetres() -> None:
    study = no_dicom()
    for entries in ((), (entry(1, "head", None),), (entry(1, ""), entry(2, "", None))):
        assert obgyn_report(study, planes_of(study), entries, AGE, BEGAN) is None


def test_every_code_of_loinc_is_in_the_context_group_of_the_standard() -> None:
    def members(group: int) -> set[Code]:
        keys = cid_concepts[group].get("LN", [])
        return {
            Code(value, "LN", meaning)
            for key in keys
            for value, (meaning, groups_) in concepts["LN"][key].items()
            if group in groups_
        }

    assert {measure_code(each) for each in FETAL} <= members(12005)
    assert {*AGE_EQUATIONS.values(), DATED_BY["last period"]} <= members(12013)
    assert GESTATIONAL_AGE in members(12019)


def test_the_same_report_is_the_same_object_and_another_is_another() -> None:
    first, again = made(*ONE_OF_EACH), made(*ONE_OF_EACH)
    assert first.SOPInstanceUID == again.SOPInstanceUID
    assert first.SOPInstanceUID != made(*ONE_OF_EACH[:3]).SOPInstanceUID
    assert (first.SeriesNumber, first.SeriesDescription) == (9005, "SEMC Live OB-GYN report")


@pytest.mark.parametrize("options", [DEFAULTS, SHIFTED, IDENTIFIED])
@pytest.mark.parametrize("make", [no_dicom, ultrasound])
def test_it_names_nobody_and_no_date_unless_identity_is_kept(
    make: Callable[[ExportOptions], StudyContext], options: ExportOptions
) -> None:
    study = make(options)
    report = made(*ONE_OF_EACH, study=study)
    assert report.PatientID == study.patient.patient_id
    assert report.PatientID.startswith("ANON-") or not options.deidentify
    assert report.ContentDate == ("19000101" if options.deidentify else "20260314")
    assert not [item for item in everything(report) if item.get("ValueType") in ("DATE", "DATETIME", "PNAME")]
    assert b"Ratched" not in encode_object(report)


@pytest.mark.parametrize("age", [AGE, None, GestationalAge(133, "CRL")])
@pytest.mark.parametrize("make", [no_dicom, ultrasound])
@pytest.mark.parametrize("options", [DEFAULTS, SHIFTED, IDENTIFIED])
@pytest.mark.requirement("H3")
def test_it_is_valid(
    make: Callable[[ExportOptions], StudyContext],
    options: ExportOptions,
    age: GestationalAge | None,
    tmp_path: Path,
) -> None:
    study, path = make(options), tmp_path / "a.dcm"
    entries = (*ONE_OF_EACH, entry(5, "femur", 2.1, 4), entry(6, "ofd", 2.0, None))
    report = obgyn_report(study, planes_of(study), entries, age, BEGAN)
    assert report is not None
    write_object(report, path)
    if can_check():
        found = check_dicom(path)
        assert found.errors == ()
        assert not [
            line for line in found.warnings if "<99SEMC>" not in line and "build DICOMDIR" not in line
        ]
    program = shutil.which("dsrdump")
    if program is not None:
        # It checks relations between items, and that what is referred to is there.
        done = subprocess.run([program, str(path)], capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0
        assert "E:" not in done.stderr
        assert done.stdout.count("inferred from 1.") == sum(
            "125012" in str(item.get("ConceptNameCodeSequence", "")) for item in everything(report)
        )
    if not can_check() and program is None:
        pytest.skip("neither dciodvfy (dicom3tools) nor dsrdump (dcmtk) is installed")
