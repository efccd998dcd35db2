"""Who is left out of which training."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.errors import UsageError
from training.fetal.pictures import COUNTRIES, HEADS, NEGATIVES, SPAIN
from training.fetal.runs import EVERYTHING, HALVES, PARTS, RUNS, split_of
from training.fetal.versions import Row


def _rows() -> list[Row]:
    rows = []
    for country in (*COUNTRIES, HEADS):
        for patient in range(40):
            group = f"{country} {patient}"
            rows += [Row("brain", country, country, group, f"{group} {number}.png") for number in range(2)]
    for source in (name for half in NEGATIVES for name in half):
        rows += [Row("NSP", source, "", source, f"{number}.png") for number in range(2)]
    return rows


ROWS = _rows()


@pytest.mark.parametrize("run", [run for run in (*RUNS, *HALVES) if run != EVERYTHING])
def test_no_group_is_learned_from_and_judged(run: str) -> None:
    split = split_of(run, ROWS)
    learned = {row.group for row, kept in zip(ROWS, split.train, strict=True) if kept}
    judged = {row.group for row, kept in zip(ROWS, split.test, strict=True) if kept}
    assert learned
    assert judged
    assert not learned & judged


@pytest.mark.parametrize("run", COUNTRIES)
def test_a_country_is_left_out_whole_with_half_of_the_sources_without_a_fetus(run: str) -> None:
    split = split_of(run, ROWS)
    assert not any(row.country == run for row, kept in zip(ROWS, split.train, strict=True) if kept)
    judged = {row.source for row, kept in zip(ROWS, split.test, strict=True) if kept and not row.country}
    assert judged in (set(NEGATIVES[0]), set(NEGATIVES[1]))


def test_every_patient_of_spain_and_every_head_is_judged_once() -> None:
    times = sum(split_of(f"part{number}", ROWS).test.astype(int) for number in range(PARTS))
    own = np.array([row.country in (SPAIN, HEADS) for row in ROWS])
    assert (np.asarray(times)[own] == 1).all()


def test_an_unknown_run_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="Ghana"):
        split_of("France", ROWS)


def test_between_them_the_halves_leave_out_every_country_of_africa_and_every_source_once() -> None:
    times: dict[str, int] = {}
    for half in HALVES:
        test = split_of(half, ROWS).test
        for name in {row.country or row.source for row, judged in zip(ROWS, test, strict=True) if judged}:
            times[name] = times.get(name, 0) + 1
    wanted = [*(country for country in COUNTRIES if country != SPAIN), *NEGATIVES[0], *NEGATIVES[1]]
    assert {name: times.pop(name) for name in wanted} == dict.fromkeys(wanted, 1)
    assert times == {SPAIN: 2, HEADS: 2}, "of those a fifth of the patients each"
