"""Even use of the experts, losses weighed by their uncertainty, and a queue that waits until it is full."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from semc_core.model.architecture import PROJECTION_OUT
from semc_core.model.network import Details
from tests.training.losses.test_losses import details_of
from training.losses.alpha import Uncertainties
from training.losses.balance import uneven_use, use_entropy
from training.losses.config import LossOptions
from training.losses.memory_bank import MemoryBank
from training.losses.semc import SemcLoss


def answers() -> tuple[Details, Tensor]:
    """A network's answers to six frames, and their labels."""
    generator = torch.Generator().manual_seed(5)
    embeddings = F.normalize(torch.randn(6, 3, PROJECTION_OUT, generator=generator), dim=2)
    return details_of(embeddings.requires_grad_()), torch.randint(0, 3, (6,), generator=generator)


def test_even_use_is_zero_and_one_expert_alone_is_the_most() -> None:
    # Each frame has its own expert, each expert as many frames.
    even = torch.eye(3).repeat(4, 1)
    assert uneven_use(even) == pytest.approx(0, abs=1e-6)
    assert use_entropy(even) == pytest.approx(1)
    alone = torch.tensor([[1.0, 0.0, 0.0]]).repeat(5, 1)
    assert float(uneven_use(alone)) == pytest.approx(2 * (3 - 1), rel=1e-5)
    assert use_entropy(alone) == pytest.approx(0, abs=1e-6)
    assert use_entropy(torch.ones(4, 1)) == 0


def test_uneven_use_is_the_squared_variation_of_importance_and_of_load() -> None:
    weights = torch.softmax(torch.randn(9, 3, generator=torch.Generator().manual_seed(1)), dim=1)
    shares = weights.numpy().astype(np.float64)
    importance = shares.sum(axis=0)
    load = np.bincount(shares.argmax(axis=1), minlength=3)
    wanted = sum((use.std() / use.mean()) ** 2 for use in (importance, load))
    assert float(uneven_use(weights)) == pytest.approx(wanted, rel=1e-5)


def test_its_gradient_leads_to_an_even_use() -> None:
    scores = torch.zeros(8, 3)
    scores[:, 0] = 2.0
    scores.requires_grad_()
    before = float(uneven_use(torch.softmax(scores, dim=1)).detach())
    for _ in range(50):
        (gradient,) = torch.autograd.grad(uneven_use(torch.softmax(scores, dim=1)), scores)
        scores = (scores - 3.0 * gradient).detach().requires_grad_()
    after = torch.softmax(scores, dim=1)
    assert float(uneven_use(after).detach()) < before
    assert float(after.detach().mean(dim=0)[0]) < 0.5


def test_the_weight_of_the_balance_is_that_of_the_options() -> None:
    details, labels = answers()
    plain = SemcLoss(4, LossOptions(queue_size=0))(details, labels)
    asked = SemcLoss(4, LossOptions(queue_size=0, balance=0.3))(details, labels)
    unevenness = uneven_use(details.expert_weights)
    assert float(unevenness) > 0
    torch.testing.assert_close(asked.total, plain.total + 0.3 * unevenness)
    alone = SemcLoss(4, LossOptions(contrast="none", balance=0.3))(details, labels)
    torch.testing.assert_close(alone.total, alone.moe + 0.3 * unevenness)


def test_at_the_best_uncertainties_each_weighed_loss_is_one() -> None:
    weighs = Uncertainties()
    losses = torch.full((4,), 0.02), torch.full((4,), 30.0)
    optimiser = torch.optim.Adam(weighs.parameters(), lr=0.1)
    for _ in range(500):
        optimiser.zero_grad()
        weighs(*losses)[0].mean().backward()
        optimiser.step()
    weights = torch.exp(-weighs.scales.detach())
    assert float(weights[0]) * 0.02 == pytest.approx(1, rel=1e-3)
    assert float(weights[1]) * 30.0 == pytest.approx(1, rel=1e-3)
    total, share = weighs(*losses)
    assert float(total[0].detach()) == pytest.approx(2 + math.log(0.02) + math.log(30), rel=1e-3)
    assert float(share[0].detach()) == pytest.approx(1500 / 1501, rel=1e-3)


def test_weighed_by_uncertainty_the_loss_is_of_both_and_alpha_says_nothing() -> None:
    details, labels = answers()
    loss = SemcLoss(4, LossOptions(queue_size=0, weighing="uncertainty", alpha=0.9))
    found = loss(details, labels)
    torch.testing.assert_close(found.total, found.moe + found.supcon + 0.1 * found.selfcon)
    assert found.alpha.tolist() == [0.5] * len(labels)
    found.total.mean().backward()
    assert loss.uncertainties is not None
    gradient = loss.uncertainties.scales.grad
    assert gradient is not None
    assert gradient.ne(0).all()


def test_a_queue_that_waits_is_empty_until_it_is_full() -> None:
    for waits, seen in ((False, [4, 8, 10]), (True, [0, 0, 10])):
        queue = MemoryBank(10, 2, waits)
        counts = []
        for _ in range(3):
            queue.add(torch.ones(4, 2), torch.ones(4, dtype=torch.long))
            counts.append(len(queue.contents()[0]))
            assert len(queue.guessed()[1]) == counts[-1]
        assert counts == seen


def test_the_age_of_the_oldest_key_is_told_in_steps() -> None:
    details, labels = answers()
    loss = SemcLoss(4, LossOptions(queue_size=40))
    ages = []
    for _ in range(5):
        loss(details, labels)
        ages.append(loss.oldest_key_steps)
    # Two views of each of the frames enter at every step.
    a_step = 2 * len(labels)
    assert ages == [min(40, a_step * number) / a_step for number in range(1, 6)]
    assert SemcLoss(4, LossOptions(queue_size=0)).oldest_key_steps == 0
