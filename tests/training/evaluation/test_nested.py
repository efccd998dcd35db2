"""Intervals over patients and seeds hold what they promise, and differences are paired in both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semc_core.groups.bootstrap import DRAWS, Floats, GroupDraws, area_under_roc, ratio
from training.evaluation.nested import Nested, difference_of, mean_of, nested

PATIENTS, FRAMES = 24, 5
GROUPS = [f"p{place // FRAMES}" for place in range(PATIENTS * FRAMES)]


def mean_of_frames(scores: Floats, draws: GroupDraws) -> Floats:
    """The simplest metric: the mean score of the frames, float64 (1 + D,)."""
    sums = np.concatenate(draws.sums(np.stack([scores, np.ones(len(scores))], axis=1)))
    return ratio(sums[:, 0], sums[:, 1])


Runs = Mapping[int, Any]
Metric = Callable[[Any, GroupDraws], Floats]
WHOLE = (-math.inf, math.inf)


def nested_interval(
    metric: Metric,
    runs: Runs,
    groups: Sequence[str],
    draws: int = DRAWS,
    seed: int = 1,
    within: tuple[float, float] = WHOLE,
) -> Nested:
    drawn = GroupDraws(groups, draws, seed)
    of = {number: {"": metric(run, drawn)} for number, run in runs.items()}
    return mean_of(of, "", drawn.count, within=within)


def nested_difference(
    metric: Metric, new: Runs, old: Runs, groups: Sequence[str], draws: int = DRAWS
) -> Nested | None:
    drawn = GroupDraws(groups, draws)
    first, second = ({number: {"": metric(run, drawn)} for number, run in of.items()} for of in (new, old))
    return difference_of(first, second, "", drawn.count)


def experiment(
    rng: np.random.Generator, seeds: int, of_patients: float, of_seeds: float, truth: float = 0.0
) -> dict[int, Floats]:
    """Scores of every frame by seed, of patients and seeds that deviate by chance from the truth."""
    patients = np.repeat(rng.normal(truth, of_patients, PATIENTS), FRAMES)
    return {
        seed: patients + rng.normal(0, of_seeds) + rng.normal(0, 0.05, len(patients))
        for seed in range(1, seeds + 1)
    }


def holds(found: Nested, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


@pytest.mark.parametrize(
    ("seeds", "of_patients", "of_seeds"),
    [(5, 0.5, 0.02), (5, 0.02, 0.2), (3, 0.02, 0.2), (3, 0.5, 0.15), (5, 0.5, 0.2)],
    ids=["patients", "five seeds", "three seeds", "both, three seeds", "both, five seeds"],
)
def test_an_interval_holds_the_truth_as_often_as_it_says(
    seeds: int, of_patients: float, of_seeds: float
) -> None:
    rng = np.random.default_rng(5)
    found = [
        nested_interval(mean_of_frames, experiment(rng, seeds, of_patients, of_seeds), GROUPS, draws=400)
        for _ in range(200)
    ]
    assert 0.88 <= np.mean([holds(each, 0.0) for each in found]) <= 0.99


def test_without_the_stretch_intervals_of_few_seeds_are_too_short() -> None:
    rng = np.random.default_rng(6)
    kept = {True: 0, False: 0}
    for _ in range(200):
        runs = experiment(rng, 3, 0.02, 0.2)
        draws = GroupDraws(GROUPS, 400)
        values = [mean_of_frames(each, draws) for each in runs.values()]
        for stretch in kept:
            kept[stretch] += holds(nested(values, PATIENTS, stretch=stretch), 0.0)
    assert kept[False] < 170 < kept[True]


def test_a_difference_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        # The same patients are hard for both; each network has patients and seeds of its own beside that.
        shared = np.repeat(rng.normal(0, 2.0, PATIENTS), FRAMES)
        new = {seed: shared + each for seed, each in experiment(rng, 4, 0.3, 0.1, truth=0.4).items()}
        old = {seed: shared + each for seed, each in experiment(rng, 4, 0.3, 0.1).items()}
        found = nested_difference(mean_of_frames, new, old, GROUPS, draws=400)
        assert found is not None
        held += holds(found, 0.4)
    assert 0.88 * 200 <= held <= 0.99 * 200


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(8)
    shared = np.repeat(rng.normal(0, 1.0, PATIENTS), FRAMES)
    of_seed = {seed: rng.normal(0, 0.3) for seed in range(1, 6)}
    new, old = (
        {seed: shared + off + rng.normal(better, 0.05, len(shared)) for seed, off in of_seed.items()}
        for better in (0.1, 0.0)
    )
    apart = [nested_interval(mean_of_frames, each, GROUPS) for each in (new, old)]
    paired = nested_difference(mean_of_frames, new, old, GROUPS)
    assert paired is not None
    unpaired = math.hypot(*(width(each) for each in apart))
    assert width(paired) < unpaired / 4
    assert paired.mean == pytest.approx(apart[0].mean - apart[1].mean)
    assert holds(paired, 0.1)
    assert not holds(paired, 0.0)


def width(found: Nested) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_the_same_answers_differ_by_nothing() -> None:
    runs = experiment(np.random.default_rng(9), 4, 0.5, 0.2)
    assert nested_difference(mean_of_frames, runs, dict(runs), GROUPS) == Nested(0.0, 0.0, 0.0, 4)


def test_only_common_seeds_are_compared() -> None:
    rng = np.random.default_rng(10)
    one, other = (experiment(rng, 4, 0.5, 0.2) for _ in range(2))
    found = nested_difference(mean_of_frames, one, {7: other[1], 3: other[3], 4: other[4]}, GROUPS)
    assert found is not None
    assert found.seeds == 2
    assert found.mean == pytest.approx(np.mean([(one[seed] - other[seed]).mean() for seed in (3, 4)]))
    assert nested_difference(mean_of_frames, one, {7: other[1]}, GROUPS) is None


def test_the_same_seed_of_the_bootstrap_gives_the_same_interval() -> None:
    runs = experiment(np.random.default_rng(11), 3, 0.5, 0.2)
    first, again, other = (nested_interval(mean_of_frames, runs, GROUPS, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first.mean == other.mean
    shuffled = {seed: runs[seed] for seed in (3, 1, 2)}
    assert nested_interval(mean_of_frames, shuffled, GROUPS) == first


def test_patients_are_drawn_whole() -> None:
    runs = experiment(np.random.default_rng(12), 3, 0.5, 0.0)
    each_alone = [str(place) for place in range(len(GROUPS))]
    whole, alone = (nested_interval(mean_of_frames, runs, groups) for groups in (GROUPS, each_alone))
    assert width(whole) > 1.5 * width(alone)


def test_of_one_seed_the_interval_is_over_patients_alone() -> None:
    runs = experiment(np.random.default_rng(13), 1, 0.5, 0.2)
    draws = GroupDraws(GROUPS)
    values = mean_of_frames(runs[1], draws)
    known = draws.estimate(values[:1], values[1:])
    assert nested_interval(mean_of_frames, runs, GROUPS) == Nested(values[0], known.low, known.high, 1)


def test_without_an_interval_there_is_none() -> None:
    runs = experiment(np.random.default_rng(14), 3, 0.5, 0.2)
    for found in (
        nested_interval(mean_of_frames, runs, ["one"] * len(GROUPS)),
        nested_interval(mean_of_frames, runs, GROUPS, draws=0),
    ):
        assert (found.low, found.high) == (None, None)
        assert math.isfinite(found.mean)
    nothing = nested([np.full(101, np.nan)] * 2, PATIENTS)
    assert nothing.as_json() == {"mean": None, "low": None, "high": None, "seeds": 2}
    half = np.concatenate([[0.5], np.full(60, np.nan), np.full(40, 0.5)])
    assert nested([half, half], PATIENTS).low is None


def test_an_interval_of_shares_stays_within_0_and_1() -> None:
    runs = {seed: np.full(len(GROUPS), value) for seed, value in ((1, 0.97), (2, 0.99), (3, 1.0))}
    free, held = (
        nested_interval(mean_of_frames, runs, GROUPS, within=within)
        for within in ((-math.inf, math.inf), (0.0, 1.0))
    )
    assert free.high is not None
    assert free.high > 1
    assert held.high == 1
    assert held.low == free.low


def test_a_measure_of_ranks_is_drawn_by_weights() -> None:
    rng = np.random.default_rng(15)
    truth = rng.integers(0, 2, len(GROUPS)).astype(bool)
    runs = {seed: truth + rng.normal(0, 0.8, len(truth)) for seed in (1, 2)}

    def auroc(scores: Floats, draws: GroupDraws) -> Floats:
        return np.concatenate(area_under_roc(scores, truth, draws))

    found = nested_interval(auroc, runs, GROUPS, within=(0.0, 1.0))
    assert found.mean == pytest.approx(np.mean([roc_auc_score(truth, each) for each in runs.values()]))
    assert holds(found, found.mean)
