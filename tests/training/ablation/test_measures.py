"""The threshold-free measures are scikit-learn's, also in draws, and thresholds are the best ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from semc_core.groups.bootstrap import GroupDraws
from training.ablation.measures import (
    MEASURES,
    Predicted,
    average_precision,
    beside_planes,
    best_thresholds,
    judged,
    measured,
)


def predicted(seed: int = 1, frames: int = 120, classes: int = 4, patients: int = 8) -> Predicted:
    """Answers that are better than chance, with ties."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, frames)
    logits = rng.normal(size=(frames, classes)) + 1.2 * np.eye(classes)[truth]
    values = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    groups = [f"p{place}" for place in rng.integers(0, patients, frames)]
    nowhere = np.full(frames, -1)
    return Predicted(truth, values, values >= 0.3, groups, nowhere, np.zeros(frames))


def test_they_are_those_of_scikit_learn() -> None:
    each = predicted()
    found = measured(each, GroupDraws(each.groups, draws=0))
    one_hot = np.eye(4)[each.truth]
    assert found["auroc"][0] == pytest.approx(roc_auc_score(one_hot, each.probabilities, average="macro"))
    assert found["average_precision"][0] == pytest.approx(
        average_precision_score(one_hot, each.probabilities, average="macro")
    )
    assert found["f1_at_thresholds"][0] == pytest.approx(f1_score(one_hot, each.called, average="macro"))
    assert set(found) == set(MEASURES)


def test_a_draw_is_the_measure_of_the_drawn_frames() -> None:
    each = predicted()
    draws = GroupDraws(each.groups, draws=5, seed=2)
    found = measured(each, draws)
    for number, weights in enumerate(draws.weights):
        places = np.repeat(np.arange(len(each.truth)), weights[draws.of_frame].astype(int))
        drawn = Predicted(
            each.truth[places], each.probabilities[places], each.called[places],
            ["all"] * len(places), each.near[places], each.off[places],
        )  # fmt: skip
        alone = measured(drawn, GroupDraws(drawn.groups, draws=0))
        for name in MEASURES:
            assert found[name][1 + number] == pytest.approx(alone[name][0], abs=1e-5), name


def test_frames_of_one_score_count_together() -> None:
    scores, positive = np.array([0.5, 0.5, 0.5, 0.1]), np.array([True, False, False, True])
    for order in ([0, 1, 2, 3], [1, 2, 0, 3]):
        found, _ = average_precision(scores[order], positive[order], GroupDraws(["a"] * 4, draws=0))
        assert found[0] == pytest.approx(average_precision_score(positive, scores))


def test_no_other_threshold_calls_a_class_better() -> None:
    each = predicted(seed=3)
    thresholds = best_thresholds(each.probabilities, each.truth)
    for k in range(4):
        best = f1_score(each.truth == k, each.probabilities[:, k] >= thresholds[k])
        for other in np.unique(each.probabilities[:, k]):
            assert best >= f1_score(each.truth == k, each.probabilities[:, k] >= other) - 1e-12
    assert best_thresholds(each.probabilities, np.zeros(120, int))[1] == 0.5


def test_what_no_probability_scales_does_not_move_them() -> None:
    each = predicted()
    thresholds = best_thresholds(each.probabilities, each.truth)
    before = judged(each.probabilities, each.truth, thresholds)
    scaled = each.probabilities**3 / 2
    assert judged(scaled, each.truth, best_thresholds(scaled, each.truth)) == pytest.approx(before)


def test_a_plane_is_held_against_its_own_neighbours_by_how_far_they_are() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    near = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    off = np.array([0, 0, 0, 0, 5, 15, 5, 15.0])
    values = np.zeros((8, 3))
    values[:, 0] = [0.9, 0.8, 0, 0, 0.85, 0.1, 0.99, 0.99]  # one plane's neighbour at 5 lies between
    values[:, 1] = [0.99, 0.99, 0.9, 0.8, 0.99, 0.99, 0.1, 0.1]
    each = Predicted(truth, values, values > 0.5, ["a"] * 8, near, off)
    assert beside_planes(each) == {"5": pytest.approx((0.5 + 1) / 2), "15": 1}
    assert beside_planes(predicted()) == {}
