"""The privacy profile says what an export does to DICOM objects, pictures and tables."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
import pytest
from pydicom.datadict import keyword_for_tag

from semc_core.export.dicom.header import study_of_dicom
from semc_core.export.dicom.images import still
from semc_core.export.dicom.obgyn_report import obgyn_report
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.options import ExportOptions
from semc_core.export.tables import frames_csv_gz, plane_json, planes_csv
from semc_core.session.correcting.changes import SetNote
from tests.docs.privacy_page import OWN, PAGE, asked, claimed, options_claimed, page, there
from tests.docs.written import DEIDENTIFIED, of_studies
from tests.export.dicom.examples import AGE, BEGAN, FEMUR, MODEL, PLANE, UIDS, sample
from tests.export.scans import video_session
from tests.export.test_deidentify import steps

NAME: Final = "Zxqvok"
UID: Final = "1.2.3.4.5471147"


def test_the_page_is_what_the_program_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.privacy_page"


def planted(folder: Path) -> Path:
    """An ultrasound in whose header every element that an export could fill names somebody."""
    dataset = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    for tag, action in asked().items():
        keyword = keyword_for_tag(tag)
        if keyword not in OWN or keyword.endswith("Sequence"):
            continue
        kind = pydicom.datadict.dictionary_VR(tag)
        value = {"UI": UID, "DA": "19471117", "TM": "114711", "CS": "M"}.get(kind, NAME)
        dataset.add_new(tag, kind, value)
        assert action
    path = folder / "a.dcm"
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("options", DEIDENTIFIED, ids=lambda options: options.dates)
@pytest.mark.requirement("H1")
def test_every_row_of_the_profile_is_kept_to(options: ExportOptions, tmp_path: Path) -> None:
    study = study_of_dicom(planted(tmp_path), UIDS, options, text_left=False)
    image = still(study, PLANE, np.zeros((4, 4), np.uint8), 1)
    report = structured_report(study, [ReportedPlane(PLANE, (image,))], MODEL, BEGAN)
    of_fetus = obgyn_report(study, [ReportedPlane(PLANE, (image,))], [FEMUR], AGE, BEGAN)
    assert of_fetus is not None
    for dataset in (image, report, of_fetus):
        found = there([dataset])
        assert len(found) > 10
        for tag in found:
            element = dataset[tag]
            if element.VR == "UI":
                assert element.value.startswith("2.25."), element.keyword
            if element.VR != "SQ":
                text = str(element.value)
                assert not any(each in text for each in (NAME, UID, "19471117", "114711")), element.keyword
            assert element.keyword in OWN
        assert dataset.PatientSex == "", "the planted sex was copied"


def test_the_options_that_objects_claim_are_those_on_the_page() -> None:
    said = {code for code, when in options_claimed().items() if not when.startswith("never")}
    objects = of_studies()
    assert claimed(objects) == said
    always = {code for code, when in options_claimed().items() if when.startswith("always")}
    assert all(always <= claimed([each]) for each in objects)


def test_tables_and_records_name_nobody(tmp_path: Path) -> None:
    with video_session(tmp_path / f"{NAME} scan", name=f"{NAME}.mkv", count=14) as session:
        session.apply(SetNote(1, f"{NAME} was cold"))
        with steps(session, ExportOptions(clips=False), tmp_path) as (collected, scan):
            written = [
                planes_csv(scan.planes, scan.table),
                gzip.decompress(frames_csv_gz(scan.table, scan.model)),
                *(plane_json(scan, plane, "ab" * 32) for plane in scan.planes),
                *(plane.stem.encode() for plane in scan.planes),
            ]
            day = collected.began
            assert collected.source.source_id == f"{NAME}.mkv"
    assert len(written) == 6
    for content in written:
        for word in (NAME, "cold", str(tmp_path), f"{day:%Y-%m-%d}", f"{day:%Y%m%d}"):
            assert word.encode() not in content
    assert b"ANON-" in written[2]
