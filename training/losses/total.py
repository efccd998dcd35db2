"""The training loss: alpha L_moe + (1 - alpha) (L_sup + lambda L_self), per sample (paper eq. 15, 18, 19)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from semc_core.model.layout import PROJECTION_OUT
from semc_core.model.network import Details
from training.losses.alpha import AlphaNetwork, FixedAlpha
from training.losses.moe import gated_cross_entropy
from training.losses.queue import KeyQueue
from training.losses.selfcon import self_contrastive
from training.losses.supcon import supervised_contrastive


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How the losses are put together.

    Attributes:
        alpha: A fixed share of L_moe, or None to learn it (eq. 19).
        alpha_bounds: Of the learned alpha.
        self_weight: lambda of eq. 15.
        temperature: Of both contrastive losses.
        queue_size: Keys remembered.
        smoothing: Label smoothing in L_moe.
    """

    alpha: float | None = 0.5
    alpha_bounds: tuple[float, float] = (0.05, 0.95)
    self_weight: float = 0.1
    temperature: float = 0.2
    queue_size: int = 2048
    smoothing: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class LossParts:
    """The losses of a batch, each float (B,); `total` carries the gradient."""

    total: Tensor
    moe: Tensor
    supcon: Tensor
    selfcon: Tensor
    alpha: Tensor


class SemcLoss(nn.Module):
    """The losses with what they remember and learn: the queue and alpha. Used in training only.

    Args:
        features: C, channels of the pooled fused features.
        options: See there.
        class_weights: float (K,) for L_moe, or None.
    """

    def __init__(self, features: int, options: LossOptions, class_weights: Tensor | None = None) -> None:
        super().__init__()
        self.options = options
        self.queue = KeyQueue(options.queue_size, PROJECTION_OUT)
        self.alpha: nn.Module = (
            AlphaNetwork(features, options.alpha_bounds)
            if options.alpha is None
            else FixedAlpha(options.alpha)
        )
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, details: Details, labels: Tensor) -> LossParts:
        """The losses of a batch; afterwards O2 and O3 enter the queue.

        Args:
            details: Of the batch, from a network in training mode.
            labels: int64 (B,).
        """
        weights = self.class_weights if isinstance(self.class_weights, Tensor) else None
        options, embeddings = self.options, details.embeddings
        moe = gated_cross_entropy(details.logits, labels, weights, options.smoothing)
        # Copies: the queue is written below, and the gradient still needs what was read.
        keys, key_labels = self.queue.contents()
        queue = (keys.clone(), key_labels.clone())
        supcon = supervised_contrastive(embeddings, labels, queue, options.temperature)
        selfcon = self_contrastive(embeddings, labels, queue, options.temperature)
        alpha = self.alpha(details.fused_pooled)
        total = alpha * moe + (1 - alpha) * (supcon + options.self_weight * selfcon)
        others = embeddings.shape[1] - 1
        self.queue.add(embeddings[:, 1:].flatten(0, 1), labels.repeat_interleave(others))
        return LossParts(total, moe, supcon, selfcon, alpha)
