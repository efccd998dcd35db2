"""The losses of SHIKE (Jin et al., CVPR 2023): of every expert, and what experts teach each other.

Each expert k is taught three things of a frame of class y:

- its class: the cross-entropy of its logits z_k;
- which wrong class is the hardest: the divergence of its shares of the wrong classes from a teacher's. The
  teacher's logit of the hardest wrong class, that with the greatest mean over the experts, is that mean, and
  of every other wrong class the greatest of any expert;
- the others' answers: the divergence of its shares of all classes from each other expert's.

In the last part of the training the classifiers alone learn, by a balanced softmax: n_c, how often class c is
drawn, is a factor of its share. As in the released code the divergences are means over the classes, and the
second one has the weight 10. There the class y is left in with a logit of -30; here it is out.

Shapes: B frames, E experts, K classes.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

HARDEST: Final = 10.0
"""Weight of what is taught of the wrong classes."""
CLASSIFIERS_FROM: Final = 0.9
"""Progress of the training from which the classifiers alone learn: the last 20 of 200 epochs."""


def excavation(expert_logits: Tensor, labels: Tensor) -> Tensor:
    """All three, of all experts, float (B,).

    Args:
        expert_logits: float (B, E, K), K at least 2.
        labels: int64 (B,).
    """
    own = _cross_entropy(expert_logits, labels)
    return own + HARDEST * hardest_wrong(expert_logits, labels) + mutual(expert_logits)


def balanced(expert_logits: Tensor, labels: Tensor, drawn: Tensor) -> Tensor:
    """The cross-entropy of the balanced softmax, of all experts, float (B,).

    Args:
        expert_logits: float (B, E, K).
        labels: int64 (B,).
        drawn: float (K,), how often each class is drawn, in any unit; one that never is counts as hardly.
    """
    shares = drawn / drawn.sum()
    return _cross_entropy(expert_logits + shares.clamp(min=1e-6).log(), labels)


def hardest_wrong(expert_logits: Tensor, labels: Tensor) -> Tensor:
    """How far the experts' shares of the wrong classes are from the teacher's, over K, float (B,).

    Args:
        expert_logits: float (B, E, K).
        labels: int64 (B,).
    """
    wrong = _wrong(expert_logits, labels)  # (B, E, K - 1)
    mean, greatest = wrong.mean(dim=1), wrong.amax(dim=1)
    hardest = F.one_hot(mean.argmax(dim=1), wrong.shape[2]).bool()
    teacher = F.log_softmax(mean.where(hardest, greatest), dim=1)[:, None]
    return _divergence(teacher, F.log_softmax(wrong, dim=2)).sum(dim=1) / expert_logits.shape[2]


def mutual(expert_logits: Tensor) -> Tensor:
    """How far the experts' answers are from each other's, over K, float (B,); 0 of one expert.

    Args:
        expert_logits: float (B, E, K).
    """
    logs = F.log_softmax(expert_logits, dim=2)
    each = _divergence(logs[:, None], logs[:, :, None])  # (B, E, E): of a learner from a teacher
    return each.sum(dim=(1, 2)) / expert_logits.shape[2]


def _wrong(expert_logits: Tensor, labels: Tensor) -> Tensor:
    """The logits without those of the true class, (B, E, K - 1)."""
    frames, experts, classes = expert_logits.shape
    kept = torch.ones_like(expert_logits, dtype=torch.bool)
    kept.scatter_(2, labels[:, None, None].expand(-1, experts, 1), False)
    return expert_logits[kept].reshape(frames, experts, classes - 1)


def _cross_entropy(expert_logits: Tensor, labels: Tensor) -> Tensor:
    """Sum over the experts, (B,)."""
    experts = expert_logits.shape[1]
    each = F.cross_entropy(expert_logits.flatten(0, 1), labels.repeat_interleave(experts), reduction="none")
    return each.reshape(-1, experts).sum(dim=1)


def _divergence(teacher: Tensor, learner: Tensor) -> Tensor:
    """KL(teacher || learner) of logarithms of shares, over the last axis."""
    return (teacher.exp() * (teacher - learner)).sum(dim=-1)
