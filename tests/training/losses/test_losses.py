"""The losses against slow, obvious loops, and what the queue remembers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from semc_core.model.network import Details
from training.losses.alpha import AlphaNetwork
from training.losses.memory_bank import MemoryBank
from training.losses.moe import gated_cross_entropy
from training.losses.selfcon import self_contrastive
from training.losses.semc import LossOptions, SemcLoss
from training.losses.supcon import supervised_contrastive

TEMPERATURE = 0.2


def batch(seed: int = 0, size: int = 6, queued: int = 5) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = F.normalize(torch.randn(size, 3, 8, generator=generator), dim=2)
    labels = torch.randint(0, 3, (size,), generator=generator)
    keys = F.normalize(torch.randn(queued, 8, generator=generator), dim=1)
    return embeddings, labels, (keys, torch.randint(0, 3, (queued,), generator=generator))


def entries(
    embeddings: Tensor, labels: Tensor, queue: tuple[Tensor, Tensor]
) -> list[tuple[Tensor, int, tuple[int, int]]]:
    """Vector, label and (expert, sample) of everything in the contrast."""
    listed = []
    for expert in range(3):
        for sample in range(len(labels)):
            listed.append((embeddings[sample, expert], int(labels[sample]), (expert, sample)))
    for key, label in zip(*queue, strict=True):
        listed.append((key, int(label), (-1, -1)))
    return listed


def slow_share(anchor: Tensor, sample: int, other: Tensor, everything: list) -> float:  # type: ignore[type-arg]
    total = 0.0
    for vector, _, place in everything:
        if place != (0, sample):
            total += math.exp(float(anchor @ vector) / TEMPERATURE)
    return math.log(math.exp(float(anchor @ other) / TEMPERATURE) / total)


@pytest.mark.parametrize("queued", [0, 5])
def test_supervised_loss_is_the_obvious_sum(queued: int) -> None:
    embeddings, labels, queue = batch(queued=queued)
    everything = entries(embeddings, labels, queue)
    for sample, loss in enumerate(supervised_contrastive(embeddings, labels, queue, TEMPERATURE)):
        anchor = embeddings[sample, 0]
        terms = [
            slow_share(anchor, sample, vector, everything)
            for vector, label, place in everything
            if label == int(labels[sample]) and place != (0, sample)
        ]
        assert float(loss) == pytest.approx(-sum(terms) / len(terms), rel=1e-4)


@pytest.mark.parametrize("queued", [0, 5])
def test_self_supervised_loss_is_the_obvious_sum(queued: int) -> None:
    embeddings, labels, queue = batch(seed=1, queued=queued)
    everything = entries(embeddings, labels, queue)
    for sample, loss in enumerate(self_contrastive(embeddings, labels, queue, TEMPERATURE)):
        anchor = embeddings[sample, 0]
        own = [slow_share(anchor, sample, embeddings[sample, e], everything) for e in (1, 2)]
        assert float(loss) == pytest.approx(-sum(own) / 2, rel=1e-4)


def test_self_supervised_loss_ignores_labels() -> None:
    embeddings, labels, queue = batch(seed=2)
    first = self_contrastive(embeddings, labels, queue, TEMPERATURE)
    second = self_contrastive(embeddings, (labels + 1) % 3, queue, TEMPERATURE)
    assert torch.equal(first, second)


def test_gated_cross_entropy_is_the_obvious_sum() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0]])
    labels, weights = torch.tensor([0, 1]), torch.tensor([1.0, 2.0, 3.0])
    for sample, loss in enumerate(gated_cross_entropy(logits, labels, weights, smoothing=0.1)):
        total = sum(math.exp(float(z)) for z in logits[sample])
        label = int(labels[sample])
        expected = 0.0
        for k in range(3):
            target = 0.1 / 3 + (0.9 if k == label else 0.0)
            expected -= target * math.log(math.exp(float(logits[sample, k])) / total)
        assert float(loss) == pytest.approx(expected * float(weights[label]), rel=1e-5)


def test_queue_keeps_the_newest_at_any_batch_size() -> None:
    queue = MemoryBank(7, 2)
    remembered: list[int] = []
    for size in (3, 1, 5, 4, 20, 2):
        start = len(remembered)
        values = torch.arange(start, start + size)
        remembered += values.tolist()
        queue.add(torch.stack([values, -values], dim=1).float(), values)
        keys, labels = queue.contents()
        assert sorted(labels.tolist()) == remembered[-7:]
        assert torch.equal(keys[:, 0].long(), labels)


def test_queue_survives_the_state_dict() -> None:
    queue, other = MemoryBank(4, 2), MemoryBank(4, 2)
    queue.add(torch.rand(3, 2), torch.tensor([1, 2, 0]))
    other.load_state_dict(queue.state_dict())
    assert torch.equal(other.contents()[0], queue.contents()[0])
    assert other.contents()[1].tolist() == [1, 2, 0]


def test_alpha_stays_within_its_bounds() -> None:
    network = AlphaNetwork(4, bounds=(0.2, 0.6))
    alpha = network(torch.randn(50, 4) * 1000)
    assert alpha.shape == (50,)
    assert float(alpha.detach().min()) >= 0.2 - 1e-6
    assert float(alpha.detach().max()) <= 0.6 + 1e-6


def details_of(embeddings: Tensor, seed: int = 3) -> Details:
    generator, empty = torch.Generator().manual_seed(seed), torch.zeros(0)
    pooled, logits = (torch.randn(len(embeddings), n, generator=generator) for n in (4, 3))
    experts = torch.randn(len(embeddings), 3, 3, generator=generator)
    shares = torch.softmax(torch.randn(len(embeddings), 3, generator=generator), dim=1)
    return Details(logits, experts, shares, embeddings, empty, pooled, empty)


@pytest.mark.parametrize("alpha", [0.3, None])
@pytest.mark.parametrize("weight", [0.1, 0.7])
def test_total_mixes_by_alpha_and_lambda_and_feeds_the_queue(alpha: float | None, weight: float) -> None:
    embeddings, labels, _ = batch(seed=3)
    embeddings.requires_grad_(True)
    loss = SemcLoss(4, LossOptions(alpha=alpha, queue_size=32, self_weight=weight))
    loss.queue = MemoryBank(32, 8)
    parts = loss(details_of(embeddings), labels)
    mixed = parts.alpha * parts.moe + (1 - parts.alpha) * (parts.supcon + weight * parts.selfcon)
    assert torch.allclose(parts.total, mixed)
    assert float(parts.selfcon.detach().min()) > 0.1
    parts.total.mean().backward()
    assert embeddings.grad is not None
    assert float(embeddings.grad.norm()) > 0
    keys, key_labels = loss.queue.contents()
    assert len(keys) == 12  # O2 and O3 of six samples; O1 does not enter
    assert torch.equal(keys[0], embeddings[0, 1].detach())
    assert torch.equal(key_labels, labels.repeat_interleave(2))


def test_alpha_is_learned_from_what_each_sample_shows() -> None:
    embeddings, labels, _ = batch(seed=3)
    torch.manual_seed(2)
    loss, found = SemcLoss(4, LossOptions(alpha=None)), details_of(embeddings)
    loss.queue = MemoryBank(0, 8)
    parts = loss(found, labels)
    assert torch.equal(parts.alpha, loss.alpha(found.fused_pooled))
    assert float(parts.alpha.detach().std()) > 1e-3
