"""What two networks learn from frames without labels: to agree, and to be sure (FM-DACL, arXiv 2603.18119).

Two students that began differently, and a teacher, which is a slow average of the first. On each frame every
student learns what the other says; both are drawn together, and away from doubt; and of two frames mixed both
learn the mixture of what the teacher says of each. Written after the description: there they are a foundation
model's encoder and a convolutional network, for segmentation.

Shapes: U frames, K classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def ramp(progress: float, length: float) -> float:
    """How much of the weight counts: exp(-5 (1 - t)^2), which rises from 0.0067 to 1 (Laine & Aila 2017).

    Args:
        progress: Of the training, 0-1.
        length: Share of the training in which it rises; 0: it is 1 at once.
    """
    t = 1.0 if length <= 0 else min(1.0, progress / length)
    return math.exp(-5 * (1 - t) ** 2)


def cross_labels(first: Tensor, second: Tensor) -> Tensor:
    """The cross-entropy of each student against the other's likeliest class, both added, (U,).

    Args:
        first: Logits of a student, float (U, K).
        second: Of the other.
    """
    to_first = F.cross_entropy(first, second.detach().argmax(1), reduction="none")
    return to_first + F.cross_entropy(second, first.detach().argmax(1), reduction="none")


def agreement(first: Tensor, second: Tensor) -> Tensor:
    """H(p) + H(q) - H((p + q) / 2) + KL(p, q), in nats, (U,): 0 where both are sure of one class.

    The divergence is the mean of both directions, so that neither student is the truth.

    Args:
        first: Logits of a student, float (U, K).
        second: Of the other.
    """
    log_p, log_q = F.log_softmax(first, 1), F.log_softmax(second, 1)
    p, q = log_p.exp(), log_q.exp()
    mean = (p + q) / 2
    divergence = ((p - q) * (log_p - log_q)).sum(1) / 2
    return _entropy(p, log_p) + _entropy(q, log_q) - _entropy(mean, mean.clamp_min(1e-12).log()) + divergence


def mixing_shares(count: int, generator: torch.Generator) -> Tensor:
    """Draws from Beta(0.5, 0.5), the arcsine law, float (count,), each 0-1: most are near an end."""
    return (torch.rand(count, generator=generator) * (math.pi / 2)).sin() ** 2


def mixed(values: Tensor, order: Tensor, shares: Tensor) -> Tensor:
    """Each of `values` (U, ...), with its partner `values[order]`, by its share, (U,), of the first."""
    own = shares.reshape(-1, *[1] * (values.ndim - 1)).to(values.dtype)
    return own * values + (1 - own) * values[order]


def soft_cross_entropy(logits: Tensor, probabilities: Tensor) -> Tensor:
    """- sum_k p_k log softmax(logits)_k, (U,), of logits and probabilities (U, K)."""
    return -(probabilities * F.log_softmax(logits, 1)).sum(1)


def _entropy(p: Tensor, log_p: Tensor) -> Tensor:
    return -(p * log_p).sum(1)
