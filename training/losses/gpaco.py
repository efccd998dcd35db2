"""Generalised parametric contrastive loss (Cui et al., TPAMI 2023), as the released SEMC code uses it.

The class logits join the contrast as if the classes were K more samples. The released code calls this its
contrastive loss, in the place of L_sup and L_self (eq. 13-15).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from training.losses.contrastive import ALONE, Queue, Ranks, anchors, contrast_set


def parametric_contrastive(
    embeddings: Tensor,
    expert_logits: Tensor,
    labels: Tensor,
    queue: Queue,
    temperature: float,
    pair_weight: float = 0.05,
    smoothing: float = 0.1,
    ranks: Ranks = ALONE,
) -> Tensor:
    """The loss per sample, the mean over its E views as queries.

    A query is compared with the K classes, by the logits of its own expert, and with everything in the batch
    and the queue but itself, by the dot product over the temperature. The loss is the weighted mean of minus
    the log of the shares: weight 1, smoothed, for its class, `pair_weight` for every sample of its class.

    Args:
        embeddings: float (B, E, D), L2-normalised.
        expert_logits: float (B, E, K), of the expert that each projection came from.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,); Q may be 0.
        temperature: Of the pairs, above 0; the logits are taken as they are.
        pair_weight: alpha of the publication; 0.05 as released.
        smoothing: Share of the class's weight that the other classes get evenly, 0-1.
        ranks: The other processes.

    Returns:
        float (B,).
    """
    contrast = contrast_set(embeddings, labels, queue, ranks)
    queries = anchors(embeddings, labels, contrast, every_view=True)
    others = queries.not_own(len(contrast.labels))
    pairs = (queries.features @ contrast.features.T / temperature).masked_fill(~others, float("-inf"))
    classes = expert_logits.transpose(0, 1).flatten(0, 1).to(pairs.dtype)
    shares = torch.log_softmax(torch.cat([classes, pairs], dim=1), dim=1)
    count = classes.shape[1]
    target = F.one_hot(queries.labels, count).to(pairs.dtype)
    target = (1 - smoothing) * target + smoothing / (count - 1) * (1 - target)
    same = (queries.labels[:, None] == contrast.labels[None, :]) & others
    weights = torch.cat([target, pair_weight * same], dim=1)
    # An anchor's own share is minus infinity, and nothing times that is not a number.
    shares = shares.masked_fill(torch.cat([torch.zeros_like(classes, dtype=torch.bool), ~others], dim=1), 0.0)
    return queries.per_sample(-(weights * shares).sum(dim=1) / weights.sum(dim=1))
