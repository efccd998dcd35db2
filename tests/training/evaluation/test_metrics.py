"""Measures of a classifier, held to torchmetrics, to slow loops, and to cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_calibration_error,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from semc_core.groups.bootstrap import DRAWS, Estimate, GroupDraws, area_under_roc, ratio
from training.evaluation.metrics import score
from training.evaluation.reliability import operating_point, reliability, risk_curve
from training.metrics import frame_metrics

CLASSES = ("A", "B", "NSP")


def made_up(
    count: int, groups: int, seed: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    """Probabilities (N, 3), labels (N,) and groups of a classifier that is right about two times in three."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    logits = rng.normal(0, 1, (count, 3)) + 1.5 * np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities.astype(np.float32), labels, [f"p{i}" for i in rng.integers(0, groups, count)]


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_values_are_those_of_torchmetrics() -> None:
    probabilities, labels, groups = made_up(400, 20)
    scores, per_class, matrix = score(probabilities, labels, CLASSES, GroupDraws(groups, 10))
    theirs = frame_metrics(torch.from_numpy(probabilities), torch.from_numpy(labels), CLASSES)
    for name in ("accuracy", "precision", "recall", "f1"):
        assert getattr(scores, name).value == pytest.approx(theirs[name], abs=1e-6), name
    for own in per_class:
        assert own.recall.value == pytest.approx(theirs["per_class"][own.name]["recall"], abs=1e-6)
        assert own.precision.value == pytest.approx(theirs["per_class"][own.name]["precision"], abs=1e-6)
    assert matrix.sum() == 400
    error = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=3, n_bins=15
    )
    assert reliability(probabilities, labels, GroupDraws(groups, 10)).error.value == pytest.approx(
        float(error), abs=1e-6
    )


def test_a_small_case_worked_out_by_hand() -> None:
    called = np.array([0, 0, 0, 1, 1, 2])
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = (0.8 * np.eye(3)[called] + 0.1 * (1 - np.eye(3)[called])).astype(np.float32)
    scores, per_class, matrix = score(probabilities, labels, CLASSES, GroupDraws(list("abcdef"), 50))
    assert matrix.tolist() == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert scores.accuracy.value == pytest.approx(4 / 6)
    assert scores.precision.value == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert scores.recall.value == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert [own.f1.value for own in per_class] == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    # Every frame is 0.8 sure, and two of three are right.
    measured = reliability(probabilities, labels, GroupDraws(list("abcdef"), 50))
    assert measured.error.value == pytest.approx(0.8 - 4 / 6, abs=1e-6)
    assert measured.likelihood_loss.value == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6, abs=1e-6)
    assert measured.brier.value == pytest.approx((4 * 0.06 + 2 * (0.64 + 0.81 + 0.01)) / 6, abs=1e-6)


def test_where_every_class_has_frames_the_means_are_those_of_torchmetrics() -> None:
    probabilities, labels, groups = made_up(400, 20)
    ours = frame_metrics(torch.from_numpy(probabilities), torch.from_numpy(labels), CLASSES)
    for name, theirs in (
        ("precision", multiclass_precision),
        ("recall", multiclass_recall),
        ("f1", multiclass_f1_score),
    ):
        expected = float(theirs(torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=3))
        assert ours[name] == pytest.approx(expected, abs=1e-6), name
        assert getattr(score(probabilities, labels, CLASSES, GroupDraws(groups, 10))[0], name).value == (
            pytest.approx(expected, abs=1e-6)
        )


def test_a_class_without_frames_is_left_out_of_the_means_even_if_it_was_called() -> None:
    labels = np.array([0, 0, 1, 1])
    right = np.eye(3, dtype=np.float32)[labels]
    scores, per_class, _ = score(right, labels, CLASSES, GroupDraws(list("abcd"), 50))
    assert (scores.f1.value, scores.precision.value, scores.recall.value) == (1.0, 1.0, 1.0)
    assert per_class[2].recall.value is None
    assert per_class[2].auroc.value is None
    wrong = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    scores, per_class, _ = score(wrong, labels, CLASSES, GroupDraws(list("abcd"), 50))
    assert scores.f1.value == pytest.approx((1 + 2 / 3) / 2)
    assert scores.precision.value == pytest.approx(1)
    assert scores.recall.value == pytest.approx((1 + 1 / 2) / 2)
    assert per_class[2].called == 1
    theirs = frame_metrics(torch.from_numpy(wrong), torch.from_numpy(labels), CLASSES)
    for name in ("f1", "precision", "recall"):
        assert theirs[name] == pytest.approx(getattr(scores, name).value), name
    # A class that has frames and was never called counts as 0.
    never = np.eye(3, dtype=np.float32)[[0, 0, 0, 0]]
    assert score(never, labels, CLASSES, GroupDraws(list("abcd"), 50))[0].precision.value == pytest.approx(
        0.25
    )


def test_a_class_that_one_group_has_gets_no_interval() -> None:
    probabilities, labels, _ = made_up(120, 1)
    groups = ["rare" if label == 1 else f"p{i % 6}" for i, label in enumerate(labels)]
    _, per_class, _ = score(probabilities, labels, CLASSES, GroupDraws(groups, 100))
    assert per_class[1].f1.value is not None
    assert per_class[1].f1.low is None
    assert per_class[0].f1.low is not None


def test_the_area_under_the_curve_counts_ties_half() -> None:
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 6, 80) / 5
    positive = rng.random(80) < 0.4
    found = area_under_roc(scores, positive, GroupDraws([str(i) for i in range(80)], 20))
    expected = binary_auroc(torch.from_numpy(scores), torch.from_numpy(positive).long())
    assert found[0][0] == pytest.approx(float(expected), abs=1e-6)


def test_draws_give_what_drawing_frames_group_by_group_gives() -> None:
    probabilities, labels, groups = made_up(60, 7)
    draws = GroupDraws(groups, 12)
    names = np.unique(groups)
    accuracies, areas = [], []
    for weights in draws.weights.astype(int):
        drawn = np.concatenate(
            [
                np.flatnonzero(np.array(groups) == name)
                for name, n in zip(names, weights, strict=True)
                for _ in range(n)
            ]
        )
        accuracies.append((probabilities[drawn].argmax(1) == labels[drawn]).mean())
        own = binary_auroc(
            torch.from_numpy(probabilities[drawn, 0]), torch.from_numpy(labels[drawn] == 0).long()
        )
        areas.append(float(own))
    scores, per_class, _ = score(probabilities, labels, CLASSES, draws)
    for estimate, slow in ((scores.accuracy, accuracies), (per_class[0].auroc, areas)):
        assert (estimate.low, estimate.high) == pytest.approx(
            tuple(np.percentile(slow, (2.5, 97.5))), abs=1e-6
        )


def test_one_group_has_no_interval_and_alike_frames_widen_it() -> None:
    probabilities, labels, _ = made_up(300, 1)
    alone, _, _ = score(probabilities, labels, CLASSES, GroupDraws(["p"] * 300, 50))
    assert alone.accuracy.value is not None
    assert alone.accuracy.low is None
    # The same thirty frames ten times over say no more than thirty frames.
    alike, many = np.tile(probabilities[:30], (10, 1)), np.tile(labels[:30], 10)
    grouped = [str(i % 30) for i in range(300)]
    honest, _, _ = score(alike, many, CLASSES, GroupDraws(grouped, 200))
    naive, _, _ = score(alike, many, CLASSES, GroupDraws([str(i) for i in range(300)], 200))
    assert width(honest.accuracy) > 2 * width(naive.accuracy)


def test_leaving_out_the_least_sure_lowers_the_risk() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], np.float32)
    labels = np.array([0, 0, 1, 1])  # only the least sure is wrong
    curve = risk_curve(probabilities, labels)
    assert (curve.coverages[0], curve.risks[0]) == (1.0, 0.25)
    assert curve.risks[-1] == 0
    assert curve.area == pytest.approx(0.25 / 4)
    assert curve.table[-1] == pytest.approx((0.5, 0.8, 0.0))


def test_a_threshold_finds_planes_and_raises_alarms() -> None:
    probabilities = np.array(
        [[0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.9, 0.05, 0.05], [0.1, 0.85, 0.05], [0.2, 0.1, 0.7]],
        np.float32,
    )
    labels = np.array([0, 0, 1, 2, 2])
    point = operating_point(probabilities, labels, 2, 0.8, GroupDraws(list("abcde"), 50))
    assert point.found.value == pytest.approx(1 / 3)
    assert point.precision.value == pytest.approx(1 / 3)
    assert point.false_alarms.value == pytest.approx(1 / 2)


def test_a_threshold_itself_counts_as_found_and_a_plane_is_the_surest_but_none() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.125, 0.25, 0.625]], np.float32)
    point = operating_point(probabilities, np.array([1, 2, 2]), 0, 0.5, GroupDraws(list("abc"), 50))
    assert (point.threshold, point.precision.value) == (0.5, 1.0)
    assert point.found.value == pytest.approx(2 / 3)
    assert point.false_alarms.value is None


def test_confidences_fall_into_fifteen_equal_bins_with_their_upper_edges() -> None:
    confidences = np.array([1.0, 14 / 15 + 1e-3, 14 / 15 - 1e-3, 0.62, 0.61, 0.5, 0.5])
    probabilities = np.stack([confidences, 1 - confidences], axis=1).astype(np.float32)
    labels = np.array([0, 1, 0, 1, 0, 0, 0])
    measured = reliability(probabilities, labels, GroupDraws(list("abcdefg"), 50))
    assert measured.counts == (0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 1, 2)
    assert measured.accuracies == (*[None] * 7, 1.0, None, 0.5, None, None, None, 1.0, 0.5)
    known = [each for each in measured.confidences if each is not None]
    assert known == pytest.approx([0.5, 0.615, 14 / 15 - 1e-3, (1 + 14 / 15 + 1e-3) / 2])
    exact = np.eye(2, dtype=np.float32)[[0, 1]]
    assert reliability(exact, np.array([0, 1]), GroupDraws(list("ab"), 50)).counts[-1] == 2
    even = np.full((2, 16), 1 / 16, np.float32)
    assert reliability(even, np.array([0, 1]), GroupDraws(list("ab"), 50)).counts[0] == 2


def test_calibration_costs_have_the_intervals_of_their_means() -> None:
    probabilities, labels, groups = made_up(90, 6)
    draws = GroupDraws(groups, 40)
    measured = reliability(probabilities, labels, draws)
    names, truth = np.unique(groups), probabilities[np.arange(90), labels].astype(np.float64)
    squared = ((probabilities - np.eye(3)[labels]) ** 2).sum(axis=1)
    for estimate, values in ((measured.likelihood_loss, -np.log(truth)), (measured.brier, squared)):
        sums = np.array([values[np.array(groups) == name].sum() for name in names])
        sizes = np.array([(np.array(groups) == name).sum() for name in names])
        means = (draws.weights @ sums) / (draws.weights @ sizes)
        assert estimate.value == pytest.approx(values.mean(), abs=1e-5)
        assert (estimate.low, estimate.high) == pytest.approx(
            tuple(np.percentile(means, (2.5, 97.5))), abs=1e-5
        )


def test_a_probability_of_zero_costs_much_and_not_everything() -> None:
    wrong = np.eye(2, dtype=np.float32)[[1, 1]]
    measured = reliability(wrong, np.array([0, 0]), GroupDraws(list("ab"), 50))
    assert measured.likelihood_loss.value == pytest.approx(-np.log(1e-12))
    assert measured.brier.value == 2.0


def test_the_curve_of_risks_falls_through_a_hundred_and_one_shares_of_the_frames() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.permutation(np.linspace(0.5, 0.999, 400))
    probabilities = np.stack([confidence, 1 - confidence], axis=1).astype(np.float32)
    labels = (rng.random(400) < 0.3).astype(np.int64)
    curve = risk_curve(probabilities, labels)
    order = np.argsort(-confidence)
    wrong = labels[order] != 0
    kept = [max(1, round(400 * (101 - step) / 101)) for step in range(101)]
    assert curve.coverages == pytest.approx([each / 400 for each in kept])
    assert curve.risks == pytest.approx([wrong[:each].mean() for each in kept])
    assert curve.area == pytest.approx(np.mean([wrong[: each + 1].mean() for each in range(400)]))
    assert [row[0] for row in curve.table] == [1.0, 0.95, 0.9, 0.8, 0.7, 0.5]
    for coverage, lowest, risk in curve.table:
        count = round(400 * coverage)
        assert (lowest, risk) == pytest.approx((confidence[order[count - 1]], wrong[:count].mean()), abs=1e-6)


def test_of_a_single_frame_one_is_always_kept() -> None:
    curve = risk_curve(np.array([[0.25, 0.75]], np.float32), np.array([1]))
    assert set(curve.coverages) == {1.0}
    assert set(curve.risks) == {0.0}
    assert {row[1] for row in curve.table} == {0.75}


def test_two_groups_have_an_interval_where_half_of_the_draws_define_the_measure() -> None:
    draws = GroupDraws(list("ab"), 100)
    value = np.array([0.5])
    for defined, has in ((50, True), (49, False)):
        drawn = np.where(np.arange(100) < defined, np.linspace(0, 1, 100), np.nan)
        assert (draws.estimate(value, drawn).low is not None) is has
    assert draws.estimate(np.array([np.nan]), np.ones(100)) == Estimate(None)
    one = GroupDraws(["a", "a"], 100)
    assert one.estimate(value, np.ones(100)) == Estimate(0.5)


def test_an_estimate_is_told_with_its_interval_or_with_a_dash() -> None:
    told = [str(each) for each in (Estimate(0.12345, 0.1, 0.25), Estimate(0.5), Estimate(None))]
    assert told == ["0.123 (0.100 to 0.250)", "0.500", "-"]


def test_draws_are_a_thousand_of_as_many_groups_and_the_same_for_the_same_seed() -> None:
    draws, again, other = (
        GroupDraws(list("aabbc")),
        GroupDraws(list("aabbc")),
        GroupDraws(list("aabbc"), seed=2),
    )
    assert draws.weights.shape == (1000, 3)
    assert DRAWS == 1000
    assert set(draws.weights.sum(axis=1)) == {3.0}
    assert np.array_equal(draws.weights, again.weights)
    assert np.array_equal(draws.weights, GroupDraws(list("aabbc"), 1000, 1).weights)
    assert not np.array_equal(draws.weights, other.weights)
    # Each group is drawn once in a draw, on average.
    assert draws.weights.mean(axis=0) == pytest.approx([1.0, 1.0, 1.0], abs=0.1)
    assert draws.of_frame.tolist() == [0, 0, 1, 1, 2]


def test_areas_are_those_of_each_draw_where_it_has_both_kinds_of_frames() -> None:
    rng = np.random.default_rng(4)
    scores, positive = rng.integers(0, 9, 60) / 8, rng.random(60) < 0.5
    groups = [f"p{i % 5}" for i in range(60)]
    draws = GroupDraws(groups, 150)  # more than are worked out at once
    _, drawn = area_under_roc(scores, positive, draws)
    assert drawn.shape == (150,)
    for weights, area in zip(draws.weights.astype(int), drawn, strict=True):
        often = weights[draws.of_frame]
        above, below = (
            np.repeat(scores[positive], often[positive]),
            np.repeat(scores[~positive], often[~positive]),
        )
        pairs = (above[:, None] > below[None]) + 0.5 * (above[:, None] == below[None])
        assert area == pytest.approx(pairs.mean())
    none, of_none = area_under_roc(scores, np.zeros(60, bool), draws)
    assert np.isnan(none).all()
    assert (none.shape, of_none.shape) == ((1,), (150,))
    assert np.isnan(of_none).all()
    all_of_it, _ = area_under_roc(scores, np.ones(60, bool), draws)
    assert np.isnan(all_of_it).all()
    apart = GroupDraws(["x" if each else "y" for each in positive], 50)
    found = area_under_roc(scores, positive, apart)[1]
    both = (apart.weights > 0).all(axis=1)
    assert np.isfinite(found[both]).all()
    assert np.isnan(found[~both]).all()
    assert not both.all()


def test_a_ratio_of_nothing_is_none_and_one_of_a_half_is_one() -> None:
    found = ratio(np.array([1.0, 1.0, 0.25]), np.array([0.0, 2.0, 0.5]))
    assert found.tolist()[1:] == [0.5, 0.5]
    assert np.isnan(found[0])


def test_the_interval_of_a_share_is_that_of_its_groups() -> None:
    groups = [f"p{number}" for number in range(40) for _ in range(5)]
    these = np.array([number % 2 == 0 for number in range(40) for _ in range(5)])
    among = np.ones(200, bool)
    among[150:] = False
    found = GroupDraws(groups, 2000).share(these, among)
    assert found.value == 0.5
    assert found.low is not None
    assert found.high is not None
    # Thirty groups that are right or wrong as a whole: half, with a deviation of 0.5 / sqrt(30).
    assert found.low == pytest.approx(0.5 - 1.96 * 0.091, abs=0.04)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.091, abs=0.04)
