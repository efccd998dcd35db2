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
