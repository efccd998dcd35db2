"""What every contrastive loss here compares: the experts' projections, of all processes, and the queue.

Shapes: B samples of this process, W processes, E views of a sample (its experts' projections), D length of a
projection, Q keys in the queue, N = W B E + Q, A anchors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Queue = tuple[Tensor, Tensor]
"""Keys float (Q, D) and labels int64 (Q,); Q may be 0."""


def _unchanged(rows: Tensor) -> Tensor:
    return rows


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where this process stands among those that train together.

    With these, the mean over processes of the losses' means, and of its gradients, are those of one process
    with all samples.

    Attributes:
        gather: (B, ...) -> (W B, ...), the rows of all processes in the order of their ranks. Back through it
            every process gets the gradients that all of them have for its rows, summed, as from
            `torch.distributed.nn.functional.all_gather`. B must be the same everywhere.
        rank: Of this process, from 0.
    """

    gather: Callable[[Tensor], Tensor] = _unchanged
    rank: int = 0


ALONE = Ranks()
"""One process."""


@dataclass(frozen=True, slots=True, eq=False)
class ContrastSet:
    """O_con and Y_con (eq. 11-12): [O1; O2; O3; Q] with [y; y; y; y_Q].

    Attributes:
        features: float (N, D). Row e * W * B + g is view e of sample g, counted over all processes.
        labels: int64 (N,).
        own: int64 (B, E), the rows of this process's samples.
    """

    features: Tensor
    labels: Tensor
    own: Tensor


def contrast_set(embeddings: Tensor, labels: Tensor, queue: Queue, ranks: Ranks = ALONE) -> ContrastSet:
    """Put together what anchors are compared with.

    Args:
        embeddings: float (B, E, D), L2-normalised.
        labels: int64 (B,).
        queue: Past keys with their labels.
        ranks: Where the other processes' samples come from.
    """
    keys, key_labels = queue
    batch, views = embeddings.shape[:2]
    everyone, all_labels = ranks.gather(embeddings), ranks.gather(labels)
    stacked = everyone.transpose(0, 1).flatten(0, 1)
    samples = torch.arange(batch, device=labels.device) + ranks.rank * batch
    steps = torch.arange(views, device=labels.device) * len(everyone)
    return ContrastSet(
        torch.cat([stacked, keys.to(stacked.dtype)]),
        torch.cat([all_labels.repeat(views), key_labels]),
        samples[:, None] + steps[None, :],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """The queries of a batch: O1 of every sample, or all its views, one view after the other.

    Attributes:
        features: float (A, D); A is B, or E B.
        labels: int64 (A,).
        rows: int64 (A,), their own places in the contrast set.
        views: How many views of each sample.
    """

    features: Tensor
    labels: Tensor
    rows: Tensor
    views: int

    def not_own(self, count: int) -> Tensor:
        """bool (A, `count`): false where an anchor would meet itself."""
        places = torch.arange(count, device=self.rows.device)
        return places[None, :] != self.rows[:, None]

    def per_sample(self, losses: Tensor) -> Tensor:
        """float (A,) -> (B,), the mean over a sample's anchors."""
        return losses.reshape(self.views, -1).mean(dim=0)


def anchors(embeddings: Tensor, labels: Tensor, contrast: ContrastSet, every_view: bool) -> Anchors:
    """O1 of every sample (the paper), or every view of it (SupCon, GPaCo as released)."""
    views = embeddings.shape[1] if every_view else 1
    return Anchors(
        embeddings[:, :views].transpose(0, 1).flatten(0, 1),
        labels.repeat(views),
        contrast.own[:, :views].T.flatten(),
        views,
    )


def log_shares(queries: Anchors, contrast: ContrastSet, temperature: float) -> Tensor:
    """log of exp(a.f / t) over its sum, with each anchor's own row left out of the sum.

    Returns:
        float (A, N); the anchor's own entry is 0 and means nothing.
    """
    similarity = queries.features @ contrast.features.T / temperature
    others = queries.not_own(len(contrast.features))
    total = torch.logsumexp(similarity.masked_fill(~others, float("-inf")), dim=1, keepdim=True)
    return (similarity - total).masked_fill(~others, 0.0)


def mean_over(shares: Tensor, positive: Tensor) -> Tensor:
    """Minus the mean of `shares` (A, N) over `positive` (A, N); 0 for an anchor without a positive."""
    return -(shares * positive).sum(dim=1) / positive.sum(dim=1).clamp(min=1)
