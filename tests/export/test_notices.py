"""What an export says of itself: stored in English, shown in the language in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.export.bundle import export_session
from semc_core.export.collect import named
from semc_core.export.deidentify import NO_REGION
from semc_core.export.manifest import MANIFEST_NAME
from semc_core.export.measured import measured_values
from semc_core.export.options import ExportOptions
from semc_core.export.report.data import RESEARCH_NOTICE, report_plane, seconds
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.language import _, current, decimal, english, in_english, joined
from semc_core.session.correcting.changes import SetNote
from tests.export.dicom.examples import PLANE
from tests.export.dicom.test_obgyn_report import ONE_OF_EACH
from tests.export.report.test_report import ENTRY, _data
from tests.export.scans import frame, video_session
from tests.languages.made_up import shouted, speaking

SAID = "Left out because their pictures hold text: {names}."


@pytest.fixture(autouse=True)
def shouting() -> Iterator[None]:
    with speaking(shouted):
        yield


def test_a_sentence_of_an_export_is_shown_in_the_language_and_stored_in_english() -> None:
    names = joined((named(ENTRY), named(replace(ENTRY, plane="LLP"))), ", ")
    said = _(SAID, names=names)
    assert said == "LEFT OUT BECAUSE THEIR PICTURES HOLD TEXT: FHP1 AT 0:00.4, LLP AT 0:00.4."
    assert english(said) == "Left out because their pictures hold text: FHP1 at 0:00.4, LLP at 0:00.4."
    inner = _("The plane has no clip: {why}.", why=_(NO_REGION))
    assert NO_REGION in english(inner)
    assert NO_REGION.upper() in inner
    assert _(inner) is inner, "said once more where it is shown"


def test_the_manifest_is_english(tmp_path: Path) -> None:
    with video_session(tmp_path / "scan", count=14) as session:
        session.apply(SetNote(None, "words"))
        result = export_session(
            session, tmp_path / "out", ExportOptions(clips=False, text="keep"), data=tmp_path / "data"
        )
    stored = json.loads((tmp_path / "out" / MANIFEST_NAME).read_text(encoding="utf-8"))["notices"]
    assert stored
    assert stored == [english(each) for each in result.notices]
    assert not any(each.isupper() for each in stored)


def test_what_is_stored_is_english_in_its_thread_alone() -> None:
    with in_english():
        assert (_("Planes"), decimal(1.5, 1), current()) == ("Planes", "1.5", "en")
    assert (_("Planes"), decimal(1.5, 1), current()) == ("PLANES", "1,5", "de")


def test_the_report_follows_the_language() -> None:
    plane = report_plane(ENTRY, frame(3, colour=True))
    data = replace(_data(), planes=(plane,))
    page = html_report(data).decode()
    assert '<html lang="de">' in page
    for words in (RESEARCH_NOTICE.upper(), "STANDARD PLANES", "HELD 0,1 s TO 0,9 s", ">NOT POSSIBLE<"):
        assert words in page, words
    assert 'class="status found"' in page
    assert b"/Lang (de)" in pdf_report(data) or b"(de)" in pdf_report(data)
    assert seconds(12.34) == "12,3 s"


def test_a_measurement_is_stored_in_english() -> None:
    one = measured_values(ONE_OF_EACH, [PLANE])[0]
    with in_english():
        where = one.where
    assert where in one.sentence
    assert one.where != where
    assert f"{one.value.number:.1f}" in one.sentence
    assert f"{one.value.number:.1f}" not in one.text
