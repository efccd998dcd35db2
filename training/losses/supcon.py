"""Supervised contrastive loss over the experts and the queue (paper eq. 11-13)."""

from __future__ import annotations

from torch import Tensor

from training.losses.contrastive import ALONE, Queue, Ranks, anchors, contrast_set, log_shares, mean_over


def supervised_contrastive(
    embeddings: Tensor,
    labels: Tensor,
    queue: Queue,
    temperature: float,
    ranks: Ranks = ALONE,
    every_view: bool = False,
) -> Tensor:
    """L_sup per sample (eq. 13), O1 being the query.

    The positives of a sample are all entries of the same class but its own row: its other experts' views,
    the batch, and the queue. The mean over positives is outside the logarithm (Khosla et al., L_out).

    Args:
        embeddings: float (B, E, D), L2-normalised; E at least 2, so that every sample has a positive.
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
    positive = queries.labels[:, None] == contrast.labels[None, :]
    positive &= queries.not_own(len(contrast.labels))
    return queries.per_sample(mean_over(log_shares(queries, contrast, temperature), positive))
