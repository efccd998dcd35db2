"""Cross-entropy of the gated logits (paper eq. 18)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def gated_cross_entropy(
    logits: Tensor, labels: Tensor, class_weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """L_moe per sample (eq. 18).

    Args:
        logits: float (B, K), gated (eq. 17).
        labels: int64 (B,).
        class_weights: float (K,), a factor per true class; None is 1 for all.
        smoothing: Share of the target spread evenly over all classes, 0-1.

    Returns:
        float (B,).
    """
    loss = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    return loss if class_weights is None else loss * class_weights[labels]


def inverse_frequency(counts: Tensor) -> Tensor:
    """Class weights in inverse proportion to how many samples a class has, as in the released code.

    Args:
        counts: (K,), samples of each class; a class without any counts as having one.

    Returns:
        float (K,), with a mean of 1 over all samples, so that the learning rate keeps its meaning.
    """
    present = counts.float().clamp(min=1)
    return present.sum() / (len(present) * present)
