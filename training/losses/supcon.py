"""Supervised contrastive loss over the experts and the queue (paper eq. 11-13).

Shapes: B batch, E experts, D length of a projection, Q keys in the queue.
"""

from __future__ import annotations

import torch
from torch import Tensor


def contrast_set(embeddings: Tensor, labels: Tensor, queue: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """O_con and Y_con (eq. 11-12): [O1; O2; O3; Q] with [y; y; y; y_Q].

    Args:
        embeddings: float (B, E, D), L2-normalised.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,).

    Returns:
        float (E * B + Q, D) and int64 (E * B + Q,). Row e * B + b is expert e's view of sample b.
    """
    keys, key_labels = queue
    stacked = embeddings.transpose(0, 1).flatten(0, 1)
    features = torch.cat([stacked, keys.to(stacked.dtype)])
    return features, torch.cat([labels.repeat(embeddings.shape[1]), key_labels])


def log_shares(anchors: Tensor, features: Tensor, temperature: float) -> Tensor:
    """log of exp(a.f / t) over its sum, with each anchor's own row left out of the sum.

    Args:
        anchors: float (B, D), equal to the first B rows of `features`.
        features: float (N, D).
        temperature: t.

    Returns:
        float (B, N); the anchor's own entry is 0 and means nothing.
    """
    similarity = anchors @ features.T / temperature
    own = torch.eye(len(anchors), len(features), dtype=torch.bool, device=anchors.device)
    logits = similarity.masked_fill(own, float("-inf"))
    return (similarity - torch.logsumexp(logits, dim=1, keepdim=True)).masked_fill(own, 0.0)


def supervised_contrastive(
    embeddings: Tensor, labels: Tensor, queue: tuple[Tensor, Tensor], temperature: float
) -> Tensor:
    """L_sup per sample (eq. 13), O1 being the query.

    The positives of a sample are all entries of the same class but its own row: its other experts' views,
    the batch, and the queue. The mean over positives is outside the logarithm (Khosla et al., L_out).

    Args:
        embeddings: float (B, E, D), L2-normalised; E at least 2, so that every sample has a positive.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,); Q may be 0.
        temperature: Above 0.

    Returns:
        float (B,).
    """
    features, all_labels = contrast_set(embeddings, labels, queue)
    shares = log_shares(embeddings[:, 0], features, temperature)
    positive = labels[:, None] == all_labels[None, :]
    positive &= ~torch.eye(len(labels), len(features), dtype=torch.bool, device=labels.device)
    return -(shares * positive).sum(dim=1) / positive.sum(dim=1)
