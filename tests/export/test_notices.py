"""What an export says of itself: stored in English, shown in the language in use."""

from __future__ import annotations

import gettext
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from semc_core.export.collect import named
from semc_core.export.deidentify import NO_REGION
from semc_core.export.measured import measured_values
from semc_core.export.notices import Notice, shown
from semc_core.export.report.data import RESEARCH_NOTICE, report_plane, seconds
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.language import ENGLISH, _, current, decimal, in_english, use, use_catalogue
from tests.export.dicom.examples import PLANE
from tests.export.dicom.test_obgyn_report import ONE_OF_EACH
from tests.export.report.test_report import ENTRY, _data
from tests.export.scans import frame

SAID = "Left out because their pictures hold text: {names}."


class _Shouted(gettext.NullTranslations):
    """Every text in capitals, but for its names."""

    def gettext(self, message: str) -> str:
        parts = message.replace("{", "\0{").replace("}", "}\0").split("\0")
        return "".join(part if part.startswith("{") else part.upper() for part in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture(autouse=True)
def shouting() -> Iterator[None]:
    use_catalogue("de", _Shouted())
    yield
    use(ENGLISH)


def test_a_notice_is_stored_in_english_and_shown_in_the_language() -> None:
    notice = Notice(SAID, names=(named(ENTRY), named(replace(ENTRY, plane="LLP"))))
    english = "Left out because their pictures hold text: FHP1 at 0:00.4, LLP at 0:00.4."
    assert json.loads(json.dumps([notice])) == [english]
    assert notice == english
    assert shown(notice) == "LEFT OUT BECAUSE THEIR PICTURES HOLD TEXT: FHP1 AT 0:00.4, LLP AT 0:00.4."
    inner = Notice("The plane has no clip: {why}.", why=NO_REGION)
    assert str(NO_REGION) in inner
    assert str(NO_REGION).upper() in shown(inner)
    assert shown("Plain.") == "PLAIN."


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
