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

from training.evaluation.bootstrap import Estimate, GroupDraws, area_under_roc
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
