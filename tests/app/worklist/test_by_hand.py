"""What is typed of an examination, as data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.worklist.by_hand import FIELDS, examination_of_typed, faults, filled_from, shown
from app.worklist.presenter import THE_SESSION, examination_line, reassigning
from semc_core.session.examination import EXAMINATION, Examination

TODAY = date(2026, 11, 30)
ASKED = Examination(
    "Zweistein^Alberta", "4711", "19780304", "F", "A100", "1.2.3", "SPS7", "Anatomy", "RP3", "Growth",
    "Smith^Jo", "US", "20261130", "0856", "Small for dates", "Meierhofer^Anna", "St. Elsewhere",
)  # fmt: skip


def typed(**texts: str) -> dict[str, str]:
    return shown(None) | texts


def test_what_is_shown_and_kept_again_is_the_same() -> None:
    for each in (
        ASKED,
        replace(ASKED, patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう"),
        replace(ASKED, patient_name="Last^First^Middle^Dr"),
        replace(ASKED, patient_name="Plain", birth_date="", sex=""),
        Examination(operator="Meierhofer^Anna"),
    ):
        assert examination_of_typed(each, shown(each)) == each
    assert shown(ASKED)["patient_name"] == "Zweistein, Alberta"
    assert shown(ASKED)["birth_date"] == "1978-03-04"


def test_what_is_typed_becomes_what_a_worklist_would_have_said() -> None:
    made = examination_of_typed(
        None,
        typed(patient_name=" Zweistein , Alberta ", birth_date="04.03.1978", operator="Meierhofer, Anna"),
    )
    assert made == Examination("Zweistein^Alberta", birth_date="19780304", operator="Meierhofer^Anna")
    assert EXAMINATION.parse(made.to_text()) == made
    assert examination_of_typed(None, typed()) is None
    assert examination_of_typed(Examination("A^B", modality="US"), typed()) is None


def test_another_patient_or_number_drops_what_belonged_to_the_request() -> None:
    for change in ({"patient_id": "4712"}, {"accession_number": "A200"}):
        made = examination_of_typed(ASKED, shown(ASKED) | change)
        assert made is not None
        assert (made.study_uid, made.step_id, made.procedure_id, made.referring_physician) == ("",) * 4
        assert made.indication == "Small for dates"
    corrected = examination_of_typed(ASKED, shown(ASKED) | {"patient_name": "Zweystein, Alberta"})
    assert corrected == replace(ASKED, patient_name="Zweystein^Alberta")


def test_a_line_of_the_worklist_leaves_what_it_does_not_say() -> None:
    row = replace(ASKED, indication="", operator="", institution="", site="")
    said = typed(indication="Bleeding", operator="Meierhofer, Anna", site="Room 7", patient_name="Other")
    filled = filled_from(row, said)
    assert filled == replace(row, indication="Bleeding", operator="Meierhofer^Anna", site="Room 7")
    assert filled_from(ASKED, typed(indication="Bleeding")) == ASKED


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("patient_name", "Zwei\x07stein", "cannot be seen"),
        ("patient_name", "Zwei\u202estein", "cannot be seen"),
        ("patient_id", "47\\11", "backslash"),
        ("patient_name", "x" * 65, "65 characters are too many; at most 64"),
        ("indication", "x" * 65, "at most 64"),
        ("accession_number", "x" * 17, "at most 16"),
        ("birth_date", "1978-02-30", "no day"),
        ("birth_date", "197834", "no day"),
        ("birth_date", "yesterday", "no day"),
        ("birth_date", "2026-12-01", "still to come"),
        ("birth_date", "1878-12-01", "130 years"),
    ],
)
def test_what_cannot_be_kept_is_said_by_the_field(field: str, text: str, words: str) -> None:
    wrong = faults(typed(**{field: text}), TODAY)
    assert list(wrong) == [field]
    assert words in wrong[field]
    assert "Zwei" not in wrong[field]


def test_what_can_be_kept_is_not_complained_of() -> None:
    whole = shown(replace(ASKED, patient_name="x" * 64, accession_number="x" * 16))
    assert faults(whole, TODAY) == {}
    assert faults(typed(birth_date="2026-11-30"), TODAY) == {}
    assert {each.name for each in FIELDS} == set(whole)


def test_nobody_is_asked_of_planes_that_were_nobodys() -> None:
    other = replace(ASKED, patient_id="9")
    assert reassigning(ASKED, other, 2, THE_SESSION).startswith("The session in review is of Zweistein")
    assert "stop this scan" not in reassigning(ASKED, other, 2, THE_SESSION)
    assert not reassigning(Examination(operator="Meierhofer^Anna"), ASKED, 2)


def test_an_examination_of_nobody_is_said_to_be() -> None:
    line = examination_line(Examination(indication="Bleeding"), "this session", used=False)
    assert line == "Examination of this session: nobody is named (Ctrl+I) · Bleeding"
