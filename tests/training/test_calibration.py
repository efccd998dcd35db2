"""Temperature, novelty and thresholds as they are learned from frames, against what they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.types import Thresholds
from tests.training.toys import CLASSES, toy
from training.calibration import choose_thresholds, fit_novelty, fit_temperature, fit_thresholds
from training.metrics import frame_metrics


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_the_temperature_is_the_one_of_the_least_likelihood_loss(factor: float) -> None:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (600,), generator=generator)
    honest = torch.randn(600, 3, generator=generator) + 1.5 * torch.nn.functional.one_hot(labels, 3)
    logits = honest * factor
    temperature = fit_temperature(logits, labels)
    tried = {t: float(torch.nn.functional.cross_entropy(logits.double() / t, labels))
             for t in np.geomspace(0.1, 10, 400)}  # fmt: skip
    assert temperature == pytest.approx(min(tried, key=lambda t: tried[t]), rel=0.02)
    assert fit_temperature(2 * logits, labels) == pytest.approx(2 * temperature, rel=1e-4)
    before = frame_metrics(torch.softmax(honest * 4, 1), labels, CLASSES)["calibration_error"]
    after = frame_metrics(torch.softmax(logits / temperature, 1), labels, CLASSES)["calibration_error"]
    assert after < 0.5 * before


def test_novelty_is_small_for_the_known_and_large_for_the_unknown() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 5, (2, 16))
    labels = rng.integers(0, 2, 400)
    known = (centres[labels] + rng.normal(0, 1, (400, 16))).astype(np.float32)
    held_out = (centres[rng.integers(0, 2, 200)] + rng.normal(0, 1, (200, 16))).astype(np.float32)
    novelty = fit_novelty(known, labels, held_out, dimensions=16)
    assert np.mean(novelty.of(held_out) <= 1) == pytest.approx(0.99, abs=0.011)
    assert novelty.of((centres.mean(0) + 30 + rng.normal(0, 1, (50, 16))).astype(np.float32)).min() > 1.5


def test_the_lowest_threshold_of_the_wanted_precision_is_chosen() -> None:
    # Three planes at 0.9 are right, one at 0.7 is wrong.
    highest, right = (0.9, 0.9, 0.9, 0.7), (True, True, True, False)
    probabilities = np.array([[p, 0.0, 1 - p] for p in highest], np.float32)
    labels = np.array([0 if own else 1 for own in right])
    choice = choose_thresholds(probabilities, labels, 2, 0.97)
    assert (choice.thresholds.enter, choice.precision, choice.found, choice.reached) == (
        0.71,
        1.0,
        0.75,
        True,
    )
    assert choice.thresholds.leave == pytest.approx(0.43, abs=0.01)
    mild = choose_thresholds(probabilities, labels, 2, 0.75)
    assert mild.thresholds.enter == 0.5
    never = choose_thresholds(probabilities, np.array([1, 1, 0, 1]), 2, 0.97)
    assert not never.reached
    assert never.precision == pytest.approx(1 / 3)


def test_the_temperature_stays_within_a_twentieth_and_twenty() -> None:
    labels = torch.tensor([0, 1, 2])
    right = torch.eye(3)  # the surer, the better; and where all is wrong, the less sure
    assert fit_temperature(right, labels) == pytest.approx(0.05, rel=1e-6)
    assert fit_temperature(-right, labels) == pytest.approx(20.0, rel=1e-6)


def spread(count: int, features: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, (count, features)).astype(np.float32)


def test_novelty_is_the_whitened_distance_from_the_nearest_mean_over_the_quantile() -> None:
    labels = np.repeat([3, 5], [30, 50])
    train = spread(80, 4, 1) * np.array([1, 2, 3, 4], np.float32)
    train[labels == 5] += 20
    held_out, new = spread(25, 4, 2) * 3, spread(9, 4, 3) * 9
    novelty = fit_novelty(
        train, labels, held_out, centres_per_class=1, dimensions=4, shrinkage=0.2, quantile=0.8
    )
    means = np.stack([train[labels == label].mean(axis=0) for label in (3, 5)])
    offsets = train - means[(labels == 5).astype(int)]
    covariance = np.cov(offsets.T.astype(np.float64), bias=True)
    mixed = 0.8 * covariance + 0.2 * np.diag([np.diag(covariance).mean()] * 4)

    def distance(features: NDArray[np.float32]) -> NDArray[np.float64]:
        apart = (features[:, None] - means[None]).astype(np.float64)
        return np.asarray(
            np.sqrt(np.einsum("nmf,fg,nmg->nm", apart, np.linalg.inv(mixed), apart).min(axis=1))
        )

    limit = np.quantile(distance(held_out), 0.8)
    np.testing.assert_allclose(novelty.mean, means, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(novelty.limit, limit, rtol=1e-4)
    np.testing.assert_allclose(novelty.of(new), distance(new) / limit, rtol=1e-4)


def test_of_a_direction_the_length_of_the_features_is_not_learned() -> None:
    labels = np.repeat([0, 1], 40)
    ways = np.repeat(np.eye(4, dtype=np.float32)[:2], 40, axis=0)
    train = (ways + 0.02 * spread(80, 4, 1)) * np.linspace(1, 30, 80, dtype=np.float32)[:, None]
    novelty = fit_novelty(train, labels, train, centres_per_class=2, shrinkage=1.0, of_direction=True)
    assert np.mean(novelty.of(train) <= 1) == pytest.approx(0.99, abs=0.013)
    np.testing.assert_allclose(novelty.of(100 * train), novelty.of(train), rtol=1e-3, atol=1e-4)
    assert novelty.of(np.eye(4, dtype=np.float32)[2:]).min() > 5
    assert not fit_novelty(train, labels, train, centres_per_class=2).of_direction


def test_fewer_dimensions_are_those_of_most_variance() -> None:
    train = spread(400, 3, 1) * np.array([1, 5, 2], np.float32)
    labels = np.zeros(400, np.int64)
    novelty = fit_novelty(train, labels, train, centres_per_class=1, dimensions=1, shrinkage=0.0)
    (direction,) = novelty.whiten.T
    assert abs(direction[1]) == pytest.approx(1 / train[:, 1].std(), rel=0.02)
    assert np.abs(direction[[0, 2]]).max() < 0.1 * abs(direction[1])


def test_every_class_has_the_centres_of_its_own_clusters() -> None:
    corners = np.array([[0, 0], [40, 0], [0, 40], [40, 40]], np.float32)
    train = np.repeat(corners, 20, axis=0) + spread(80, 2, 1)
    novelty = fit_novelty(train, np.repeat([0, 0, 1, 1], 20), train, centres_per_class=2)
    expected = np.stack([train[start : start + 20].mean(axis=0) for start in range(0, 80, 20)])
    for found, wanted in ((novelty.mean[:2], expected[:2]), (novelty.mean[2:], expected[2:])):
        np.testing.assert_allclose(found[np.argsort(found[:, 0])], wanted, atol=1e-4)


def test_a_class_of_few_or_equal_pictures_has_no_more_centres_than_pictures() -> None:
    train = np.array([[0, 0], [1, 0], [5, 5], [5, 5], [5, 5], [9, 5], [8, 5]], np.float32)
    novelty = fit_novelty(train, np.array([0, 0, 1, 1, 1, 1, 1]), train, centres_per_class=4)
    assert len(novelty.mean) == 2 + 4
    assert np.isfinite(novelty.mean).all()
    np.testing.assert_array_equal(np.unique(novelty.mean[:2], axis=0), train[:2])
    assert {tuple(row) for row in novelty.mean[2:]} <= {(5.0, 5.0), (9.0, 5.0), (8.0, 5.0), (8.5, 5.0)}


def test_the_usual_novelty_is_of_four_centres_64_directions_and_the_99th_percentile() -> None:
    train, labels, held_out = spread(60, 70, 1), np.repeat([0, 1], 30), spread(40, 70, 2)
    usual = fit_novelty(train, labels, held_out)
    said = fit_novelty(
        train, labels, held_out, centres_per_class=4, dimensions=64, shrinkage=0.05, quantile=0.99, seed=1
    )
    for name, values in usual.tensors().items():
        np.testing.assert_array_equal(values, said.tensors()[name])
    assert list(usual.tensors()) == ["novelty.mean", "novelty.whiten", "novelty.limit"]
    assert (usual.mean.shape, usual.whiten.shape, usual.limit.shape) == ((8, 70), (70, 64), ())
    assert {values.dtype for values in usual.tensors().values()} == {np.dtype(np.float32)}
    assert usual.of(held_out).dtype == np.float32


def test_centres_are_found_the_same_way_each_time_and_another_way_with_another_seed() -> None:
    train, labels = spread(60, 8, 1), np.repeat([0, 1], 30)
    first, again, other = (fit_novelty(train, labels, train, seed=seed).mean for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_pictures_that_are_all_alike_are_refused() -> None:
    same = np.ones((40, 6), np.float32)
    with pytest.raises(UsageError, match="tells no two pictures of planes apart"):
        fit_novelty(same, np.repeat([0, 1], 20), same)


def answers(rows: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Of two planes, the second class being none of them."""
    return np.array([[first, 1 - first - second, second] for first, second in rows], np.float32)


def test_frames_of_no_plane_are_wrong_where_they_are_found_and_do_not_count_as_missed() -> None:
    shown = answers([(0.9, 0.0), (0.1, 0.8), (0.3, 0.6), (0.7, 0.0), (0.0, 0.0)])
    labels = np.array([0, 2, 2, 1, 1])
    choice = choose_thresholds(shown, labels, 1, 0.7)
    assert choice.thresholds.enter == 0.5
    assert (choice.precision, choice.found, choice.reached) == (0.75, 1.0, True)
    exact = choose_thresholds(shown, labels, 1, 0.75)
    assert (exact.thresholds.enter, exact.reached) == (0.5, True)
    strict = choose_thresholds(shown, labels, 1, 0.9)
    assert strict.thresholds.enter == 0.71
    assert strict.found == pytest.approx(2 / 3)
    assert strict.thresholds.leave == 0.43


def test_a_frame_at_the_threshold_is_found() -> None:
    choice = choose_thresholds(answers([(0.5, 0.0), (0.75, 0.0)]), np.array([0, 1]), 1, 0.5)
    assert (choice.thresholds.enter, choice.found) == (0.5, 1.0)


def test_the_lowest_of_the_most_precise_thresholds_is_chosen_where_none_is_precise_enough() -> None:
    # From 0.61 on one of two is right, up to 0.8; before it is one of three, after it none of one.
    choice = choose_thresholds(answers([(0.6, 0), (0.8, 0), (0.9, 0)]), np.array([1, 0, 2]), 1, 0.97)
    assert (choice.thresholds.enter, choice.precision, choice.reached) == (0.61, 0.5, False)


def test_where_nothing_is_found_there_is_no_precision() -> None:
    choice = choose_thresholds(answers([(0.2, 0.1)]), np.array([1]), 1, 0.5)
    assert (choice.precision, choice.found, choice.reached) == (None, None, False)
    assert choice.thresholds.enter == 0.5


def test_entering_is_tried_up_to_95_hundredths() -> None:
    shown = answers([(0.94, 0.0), (0.96, 0.0)])
    assert choose_thresholds(shown, np.array([1, 0]), 1, 0.9).thresholds.enter == 0.95
    shown = answers([(0.953, 0.0), (0.96, 0.0)])
    assert not choose_thresholds(shown, np.array([1, 0]), 1, 0.9).reached


def test_the_times_of_a_hold_are_those_given() -> None:
    base = Thresholds(min_hold_s=2.0, smoothing_s=0.1, merge_gap_s=3.0)
    shown, labels = answers([(0.9, 0.0)]), np.array([0])
    made = choose_thresholds(shown, labels, 1, 0.5, base).thresholds
    assert made == Thresholds(0.5, 0.3, 2.0, 0.1, 3.0)
    assert choose_thresholds(shown, labels, 1, 0.5).thresholds == Thresholds(enter=0.5, leave=0.3)


def test_the_thresholds_of_frames_are_chosen_with_their_labels_and_the_class_of_none() -> None:
    data = toy(0, 30, seed=1)
    rng = np.random.default_rng(1)
    shown = rng.dirichlet(np.ones(len(data.classes)), len(data.labels)).astype(np.float32)
    shown += np.eye(len(data.classes), dtype=np.float32)[data.labels.numpy()] * 0.4
    made = {name: fit_thresholds(shown, data, 0.8, name) for name in data.classes}
    for place, name in enumerate(data.classes):
        assert made[name] == choose_thresholds(shown, data.labels.numpy(), place, 0.8).thresholds
    assert len({each.enter for each in made.values()}) > 1
