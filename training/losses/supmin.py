"""Supervised contrastive loss for imbalanced data, after SupMin (Mildenberger et al. 2025, arXiv 2503.17024).

Where one class is most of the data, most pairs of the supervised loss are pairs of that class, and pulling
them all together makes every embedding alike. So samples of that class have only their own views as
positives; the others have all of their class. The publication has two classes, this has any number.
"""

from __future__ import annotations

from torch import Tensor

from training.losses.contrastive import ALONE, Queue, Ranks
from training.losses.selfcon import self_contrastive
from training.losses.supcon import supervised_contrastive


def supervised_minority(
    embeddings: Tensor,
    labels: Tensor,
    queue: Queue,
    temperature: float,
    majority: int,
    ranks: Ranks = ALONE,
    every_view: bool = False,
) -> Tensor:
    """The self-supervised loss for samples of the majority class, the supervised one for all others.

    Args:
        embeddings: float (B, E, D), L2-normalised, E at least 2.
        labels: int64 (B,).
        queue: Keys (Q, D) and labels (Q,); Q may be 0.
        temperature: Above 0.
        majority: The class with the most samples.
        ranks: The other processes.
        every_view: Every view is a query, not the first alone.

    Returns:
        float (B,).
    """
    supervised = supervised_contrastive(embeddings, labels, queue, temperature, ranks, every_view)
    own = self_contrastive(embeddings, labels, queue, temperature, ranks, every_view)
    return own.where(labels == majority, supervised)
