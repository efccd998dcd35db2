"""A worklist of 10,000 examinations: all of them, or as many as are taken, and that there are more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from semc_core.pacs.worklist import MOST_ROWS, WorklistQuestion, ask_worklist
from tests.pacs.worklists import answer_of, answering


@pytest.mark.long
def test_ten_thousand_are_taken_and_of_more_it_is_said_that_they_are_not_all() -> None:
    assert MOST_ROWS == 10_000
    row = answer_of()

    def answers(_: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(MOST_ROWS + 5):
            row.PatientID = f"{number:05d}"
            yield 0xFF00, row
        yield 0x0000, None

    # The wait is for a machine that has ten times as much to do; all of it may take four times that.
    with answering(answers, answer_s=60) as ris:
        found = ask_worklist(ris, WorklistQuestion(None))
    assert [each.patient_id for each in found.rows] == [f"{number:05d}" for number in range(MOST_ROWS)]
    assert not found.whole
    assert "more than 10000 examinations; ask for one day" in found.notice
