"""Self-supervised contrastive loss over the experts (paper eq. 14)."""

from __future__ import annotations

import torch
from torch import Tensor

from training.losses.contrastive import ALONE, Queue, Ranks, anchors, contrast_set, log_shares, mean_over
from training.losses.supcon import supervised_contrastive


def self_contrastive(
    embeddings: Tensor,
    labels: Tensor,
    queue: Queue,
    temperature: float,
    ranks: Ranks = ALONE,
    every_view: bool = False,
) -> Tensor:
    """L_self per sample (eq. 14), O1 being the query; labels are carried along but not used.

    The positives of a sample are its own other experts' projections; everything else in the batch and the
    queue is negative.

    Args:
        embeddings: float (B, E, D), L2-normalised, E at least 2.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,); Q may be 0.
        temperature: Above 0.
        ranks: The other processes.
        every_view: Every expert's view is a query, not O1 alone.

    Returns:
        float (B,).
    """
    contrast = contrast_set(embeddings, labels, queue, ranks)
    queries = anchors(embeddings, labels, contrast, every_view)
    shares = log_shares(queries, contrast, temperature)
    own = torch.zeros_like(shares, dtype=torch.bool)
    own.scatter_(1, contrast.own.repeat(queries.views, 1), True)
    return queries.per_sample(mean_over(shares, own & queries.not_own(shares.shape[1])))


def pseudo_label_contrastive(
    embeddings: Tensor, predicted: Tensor, queue: Queue, temperature: float, ranks: Ranks = ALONE
) -> Tensor:
    """Another reading of eq. 14: the network's own predictions stand in for labels.

    The paper says that L_self mines "class-consistent samples from both the current batch and the queue
    without relying on explicit labels". Off by default.

    Args:
        embeddings: float (B, E, D), L2-normalised.
        predicted: int64 (B,), the classes the network names now.
        queue: Keys (Q, D) and the classes (Q,) that were named when they entered.
        temperature: Above 0.
        ranks: The other processes.

    Returns:
        float (B,).
    """
    return supervised_contrastive(embeddings, predicted, queue, temperature, ranks)
