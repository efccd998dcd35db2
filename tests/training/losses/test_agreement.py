"""What is learned from frames without labels, held against formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semc_core.errors import UsageError
from training.losses.agreement import (
    agreement,
    cross_labels,
    mixed,
    mixing_shares,
    ramp,
    soft_cross_entropy,
)
from training.losses.config import UnlabelledOptions

RNG = np.random.default_rng(5)
FIRST, SECOND = RNG.normal(0, 2, (7, 4)), RNG.normal(0, 2, (7, 4))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-(p * np.log(p)).sum(1))


def test_the_agreement_is_the_formula_and_nothing_where_both_are_sure_of_one_class() -> None:
    p, q = softmax(FIRST), softmax(SECOND)
    both = ((p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1)) / 2
    expected = entropy(p) + entropy(q) - entropy((p + q) / 2) + both
    found = agreement(torch.from_numpy(FIRST), torch.from_numpy(SECOND))
    assert found.numpy() == pytest.approx(expected, abs=1e-9)
    sure = torch.tensor([[40.0, 0.0, 0.0]])
    assert agreement(sure, sure).item() == pytest.approx(0, abs=1e-6)
    assert agreement(sure, sure.flip(1)).item() > 1
    assert agreement(sure * 0, sure * 0).item() == pytest.approx(math.log(3))


def test_each_student_learns_the_others_likeliest_class_and_does_not_teach_by_it() -> None:
    first = torch.from_numpy(FIRST).requires_grad_()
    second = torch.from_numpy(SECOND).requires_grad_()
    p, q = softmax(FIRST), softmax(SECOND)
    row = np.arange(len(p))
    expected = -np.log(p[row, q.argmax(1)]) - np.log(q[row, p.argmax(1)])
    found = cross_labels(first, second)
    assert found.detach().numpy() == pytest.approx(expected, abs=1e-9)
    found.sum().backward()  # type: ignore[no-untyped-call]
    one = np.zeros_like(p)
    one[row, q.argmax(1)] = 1
    assert first.grad is not None
    assert first.grad.numpy() == pytest.approx(p - one, abs=1e-9)


def test_mixtures_are_of_pictures_and_of_what_the_teacher_says_alike() -> None:
    order, shares = torch.tensor([2, 0, 1]), torch.tensor([0.25, 1.0, 0.0])
    pictures = torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 1, 2, 2)
    assert mixed(pictures, order, shares)[:, 0, 0, 0].tolist() == [1.5, 1.0, 1.0]
    target = mixed(torch.eye(3), order, shares)
    assert target[0].tolist() == [0.25, 0.0, 0.75]
    logits = torch.from_numpy(FIRST[:3, :3])
    expected = -(target.numpy() * np.log(softmax(FIRST[:3, :3]))).sum(1)
    assert soft_cross_entropy(logits, target).numpy() == pytest.approx(expected, abs=1e-6)


def test_shares_are_draws_from_the_arcsine_law() -> None:
    drawn = np.sort(mixing_shares(20_000, torch.Generator().manual_seed(1)).numpy())
    law = 2 / math.pi * np.arcsin(np.sqrt(drawn))
    assert np.abs(law - (np.arange(len(drawn)) + 0.5) / len(drawn)).max() < 0.015


def test_the_weight_rises_along_a_sigmoid() -> None:
    assert ramp(0.0, 0.4) == pytest.approx(math.exp(-5))
    assert ramp(0.2, 0.4) == pytest.approx(math.exp(-1.25))
    assert ramp(0.4, 0.4) == ramp(0.9, 0.4) == ramp(0.0, 0.0) == 1


@pytest.mark.parametrize("given", [{"weight": -1}, {"share": 0}, {"least_sure": 1.1}, {"teacher": -0.1}])
def test_values_out_of_range_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="without labels"):
        UnlabelledOptions(**given)
