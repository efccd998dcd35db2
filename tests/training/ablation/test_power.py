"""The power that is promised is that of simulated experiments, and components are found again."""

from __future__ import annotations

import math
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.groups.bootstrap import GroupDraws
from tests.training.ablation.test_measures import predicted
from training.ablation.measures import measured
from training.ablation.power import (
    Components,
    _limit,
    cautious,
    components,
    groups_needed,
    interval,
    pooled,
    power,
    pseudo_values,
    table_of,
)

ROOT = Path(__file__).resolve().parents[3]


def experiments(
    of: Components, difference: float, groups: int, seeds: int, count: int
) -> NDArray[np.float64]:
    """float64 (count, S, G): as the model says that differences come about."""
    rng = np.random.default_rng(5)
    table = difference + math.sqrt(of.patients) * rng.normal(size=(count, 1, groups))
    table = table + math.sqrt(of.seeds) * rng.normal(size=(count, seeds, 1))
    return np.asarray(table + math.sqrt(of.rest) * rng.normal(size=(count, seeds, groups)))


def found_share(tables: NDArray[np.float64]) -> float:
    """In how many of the experiments the test finds a difference."""
    intervals = [interval(table) for table in tables]
    return sum(low > 0 or high < 0 for low, high in intervals) / len(intervals)


@pytest.mark.parametrize(
    ("of", "groups", "seeds"),
    [
        (Components(0.02**2, 0.005**2, 0.02**2), 40, 5),
        (Components(0.01**2, 0.012**2, 0.03**2), 30, 8),
        (Components(0.05**2, 0.001**2, 0.05**2), 200, 5),
    ],
)
def test_the_promised_power_is_that_of_simulated_experiments(of: Components, groups: int, seeds: int) -> None:
    promised = power(0.01, of, groups, seeds)
    assert 0.3 < promised < 0.95
    simulated = found_share(experiments(of, 0.01, groups, seeds, 400))
    assert simulated == pytest.approx(promised, abs=0.07)
    assert found_share(experiments(of, 0.0, groups, seeds, 400)) == pytest.approx(0.05, abs=0.035)


def test_components_are_found_again() -> None:
    of = Components(0.04**2, 0.02**2, 0.05**2)
    tables = experiments(of, 0.01, 60, 20, 100)
    found = pooled([components(table) for table in tables])
    assert found.patients == pytest.approx(of.patients, rel=0.1)
    assert found.seeds == pytest.approx(of.seeds, rel=0.15)
    assert found.rest == pytest.approx(of.rest, rel=0.05)
    with pytest.raises(ValueError, match="two seeds"):
        components(tables[0][:1])


def test_the_cautious_variance_of_the_seeds_is_seldom_too_small() -> None:
    of = Components(0.02**2, 0.02**2, 0.04**2)
    found = [cautious(table) for table in experiments(of, 0.0, 30, 4, 400)]
    below = sum(each.seeds < of.seeds for each in found) / len(found)
    assert below == pytest.approx(0.2, abs=0.06)
    plain = [components(table) for table in experiments(of, 0.0, 30, 4, 400)]
    assert sum(each.seeds < of.seeds for each in plain) / len(plain) > 0.45
    assert [each.rest for each in found] == [each.rest for each in plain]


def test_more_of_anything_is_more_power_and_no_patients_make_up_for_few_seeds() -> None:
    of = Components(0.02**2, 0.02**2, 0.02**2)
    assert power(0.01, of, 40, 5) < power(0.01, of, 80, 5) < power(0.01, of, 80, 20)
    assert power(0.01, of, 40, 5) < power(0.02, of, 40, 5)
    assert power(0.0, of, 40, 5) == pytest.approx(0.05, abs=0.002)
    assert groups_needed(0.01, of, seeds=5) is None
    needed = groups_needed(0.01, of, seeds=60)
    assert needed is not None
    assert power(0.01, of, needed, 60) >= 0.8 > power(0.01, of, needed - 1, 60)


def test_students_t_has_its_limits() -> None:
    for freedom, limit in ((4, 2.776), (10, 2.228), (math.inf, 1.960)):
        assert _limit(0.05, freedom) == pytest.approx(limit, abs=0.004)


def test_a_patients_part_is_the_jackknifes() -> None:
    each = predicted(patients=6)
    parts = pseudo_values(each, "auroc")
    whole = measured(each, GroupDraws(each.groups, draws=0))["auroc"][0]
    names = sorted(set(each.groups))
    assert len(parts) == len(names)
    kept = np.array([group != names[2] for group in each.groups])
    rest = type(each)(
        each.truth[kept], each.probabilities[kept], each.called[kept],
        [group for group in each.groups if group != names[2]], each.near[kept], each.off[kept],
    )  # fmt: skip
    without = measured(rest, GroupDraws(rest.groups, draws=0))["auroc"][0]
    assert parts[2] == pytest.approx(6 * whole - 5 * without, abs=1e-4)
    table = table_of({1: each, 2: each}, {2: predicted(seed=2, patients=6)}, "auroc")
    assert table.shape == (1, 6)


def test_the_script_tells_what_is_needed_from_an_ablations_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.training.ablation.test_tables import write_runs

    write_runs(tmp_path / "out", {"plain": 0.0, "ace": 0.6}, seeds=(1, 2, 3))
    monkeypatch.setattr(sys, "argv", ["power.py", str(tmp_path / "out")])
    runpy.run_path(str(ROOT / "docs" / "benchmarks" / "power.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert "out: 4 steps" in said
    assert "ACE: patients" in said
    assert " 20 seeds:" in said
    assert "with the seeds' upper 80 % limit" in said
