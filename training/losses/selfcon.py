"""Self-supervised contrastive loss over the experts (paper eq. 14)."""

from __future__ import annotations

import torch
from torch import Tensor

from training.losses.supcon import contrast_set, log_shares


def self_contrastive(
    embeddings: Tensor, labels: Tensor, queue: tuple[Tensor, Tensor], temperature: float
) -> Tensor:
    """L_self per sample (eq. 14), O1 being the query; labels are carried along but not used.

    The positives of a sample are its own other experts' projections; everything else in the batch and the
    queue is negative.

    Args:
        embeddings: float (B, E, D), L2-normalised, E at least 2.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,); Q may be 0.
        temperature: Above 0.

    Returns:
        float (B,).
    """
    batch, experts = embeddings.shape[:2]
    features, _ = contrast_set(embeddings, labels, queue)
    shares = log_shares(embeddings[:, 0], features, temperature)
    others = torch.arange(1, experts, device=labels.device) * batch
    own = torch.arange(batch, device=labels.device)[:, None] + others[None, :]
    return -shares.gather(1, own).mean(dim=1)
