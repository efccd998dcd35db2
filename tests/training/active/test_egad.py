"""The formula of EGAD, against a plain computation of it, frame by frame and pair by pair."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from training.active.egad import (
    UNLIKE,
    UNSURE,
    bins_of,
    choose,
    predictive_entropy,
    shared_information,
)


def random(count: int, features: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, features)).astype(np.float32)


def probabilities(count: int, classes: int = 4, seed: int = 0) -> NDArray[np.float32]:
    exponentials = np.exp(2 * random(count, classes, seed))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)


def entropy_of(shares: list[float]) -> float:
    return -sum(share * math.log(share) for share in shares if share > 0)


def information_of(first: list[int], second: list[int]) -> float:
    """By counting pairs."""
    count = len(first)
    both = {pair: times / count for pair, times in Counter(zip(first, second, strict=True)).items()}
    one = {value: times / count for value, times in Counter(first).items()}
    other = {value: times / count for value, times in Counter(second).items()}
    shared = sum(share * math.log(share / (one[a] * other[b])) for (a, b), share in both.items())
    return shared / math.sqrt(entropy_of(list(one.values())) * entropy_of(list(other.values())))


def test_entropy_is_that_of_probabilities_in_parts_of_the_greatest() -> None:
    p = np.array([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.7, 0.1, 0.1, 0.1]], np.float32)
    wanted = [1, 0, 0.5, entropy_of([0.7, 0.1, 0.1, 0.1]) / math.log(4)]
    np.testing.assert_allclose(predictive_entropy(p), wanted, atol=1e-6)


def test_bins_hold_equally_many_features_by_their_order() -> None:
    features = random(5, 256, 1)
    bins = bins_of(features)
    for row, own in zip(bins, features, strict=True):
        assert np.bincount(row).tolist() == [32] * 8
        assert all(own[row == b].max() < own[row == b + 1].min() for b in range(7))
    assert np.array_equal(bins_of(3 * features + 7), bins)
    assert [1 + int(bins_of(random(1, count, 2)).max()) for count in (16, 64, 4096)] == [2, 4, 8]


def test_information_is_that_of_the_pairs_of_bins() -> None:
    first, second = bins_of(random(6, 256, 3)), bins_of(random(6, 256, 4))
    second[0] = first[0]  # the same
    second[1] = 7 - first[1]  # the other way round, which says as much
    found = shared_information(first, second)
    wanted = [information_of(a.tolist(), b.tolist()) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert found[:2] == pytest.approx([1, 1])
    assert found[2:].max() < 0.15


def by_hand(
    p: NDArray[np.float32], features: NDArray[np.float32], labelled: NDArray[np.float32], budget: int
) -> list[tuple[int, float, float, float]]:
    """Place, score, similarity and information of each frame that is chosen, by the plain definition."""
    entropies = [entropy_of(row) / math.log(len(row)) for row in p.astype(float).tolist()]
    least_sure = sorted(range(len(p)), key=lambda i: -entropies[i])[: math.ceil(len(p) / 3)]
    known = [(row, bins_of(row[None])[0].tolist()) for row in labelled]
    chosen: list[tuple[int, float, float, float]] = []
    for _number in range(budget):
        scored = []
        for i in least_sure:
            if i in [one[0] for one in chosen]:
                continue
            own = features[i]
            if not known:
                scored.append((2.0, entropies[i], i, 0.0, 0.0))
                continue
            cosines = [float(own @ o / np.linalg.norm(own) / np.linalg.norm(o)) for o, _ in known]
            nearest = int(np.argmax(cosines))
            similarity = (1 + cosines[nearest]) / 2
            information = information_of(bins_of(own[None])[0].tolist(), known[nearest][1])
            score = 2 - 0.5 * similarity - 0.5 * information
            scored.append((score, entropies[i], i, similarity, information))
        score, _, i, similarity, information = max(scored)
        chosen.append((i, score, similarity, information))
        known.append((features[i], bins_of(features[i][None])[0].tolist()))
    return chosen


@pytest.mark.parametrize("labelled", [0, 1, 9])
def test_frames_are_chosen_by_the_formula(labelled: int) -> None:
    p, features, known = probabilities(36), random(36, 64, 5), random(labelled, 64, 6)
    found = choose(p, features, known, 6)
    wanted = by_hand(p, features, known, 6)
    assert [each.place for each in found] == [place for place, *_ in wanted]
    np.testing.assert_allclose(
        [(each.score, each.similarity, each.information) for each in found],
        [numbers for _, *numbers in wanted],
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        [each.entropy for each in found], predictive_entropy(p)[[e.place for e in found]]
    )


def test_many_labelled_frames_are_compared_in_parts_as_in_one() -> None:
    p, features, known = probabilities(30), random(30, 32, 7), random(2500, 32, 8)
    assert [e.place for e in choose(p, features, known, 5)] == [e[0] for e in by_hand(p, features, known, 5)]


def test_neighbours_in_a_video_are_not_chosen_together() -> None:
    views = random(4, 64, 9).repeat(10, axis=0) + 0.01 * random(40, 64, 10)
    p = np.full((40, 3), 1 / 3, np.float32)
    p[:, 0] += 1e-3 * np.arange(40, dtype=np.float32)[::-1] % 7
    p /= p.sum(axis=1, keepdims=True)
    p[30:] = [1, 0, 0]  # of the last view the model is sure
    chosen = choose(p, views, np.zeros((0, 64), np.float32), 3)
    assert {each.place // 10 for each in chosen} <= {0, 1, 2}
    pool = set(np.argsort(-predictive_entropy(p), kind="stable")[:14].tolist())
    views_there = {place // 10 for place in pool}
    assert len({each.place // 10 for each in chosen}) == min(3, len(views_there))


def test_only_what_the_model_is_least_sure_of_is_considered_and_the_reason_is_the_stronger_one() -> None:
    p, features = probabilities(30), random(30, 64, 11)
    known = features.copy()  # each is labelled already but one
    odd = int(np.argsort(-predictive_entropy(p))[4])
    known[odd] = features[(odd + 1) % 30]
    (first,) = choose(p, features, known, 1)
    assert (first.place, first.reason) == (odd, UNLIKE)
    (same,) = choose(p, features, features, 1)
    least_sure = int(predictive_entropy(p).argmax())
    assert (same.place, same.reason) == (least_sure, UNSURE)
    assert (same.similarity, same.information) == pytest.approx((1, 1), abs=1e-5)
    third = set(np.argsort(-predictive_entropy(p), kind="stable")[:10].tolist())
    assert {each.place for each in choose(p, features, known, 10)} == third


def test_a_budget_beyond_the_third_takes_more_and_one_beyond_all_takes_all() -> None:
    p, features, nothing = probabilities(9), random(9, 16, 12), np.zeros((0, 16), np.float32)
    assert len(choose(p, features, nothing, 5)) == 5
    assert {each.place for each in choose(p, features, nothing, 100)} == set(range(9))
