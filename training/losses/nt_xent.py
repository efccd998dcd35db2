"""SimCLR and anatomy-aware contrastive learning (AWCL, arXiv 2208.10642, eq. 1-3).

Both are the contrastive losses of SEMC without its queue, every view of a frame being a query.

Shapes: B frames, V views of each (2 in the publications), D length of a projection.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from training.losses.contrastive import ALONE, Queue, Ranks
from training.losses.selfcon import self_contrastive
from training.losses.supcon import supervised_contrastive

UNKNOWN: Final = -1
"""The anatomy of a frame that has no label."""


def simclr(projections: Tensor, temperature: float, ranks: Ranks = ALONE) -> Tensor:
    """L_C (eq. 1): a view is to find the other view of its frame among all views of the batch.

    Args:
        projections: float (B, V, D), L2-normalised.
        temperature: tau, above 0.
        ranks: The other processes.

    Returns:
        float (B,), the mean over a frame's views.
    """
    labels = torch.zeros(len(projections), dtype=torch.long, device=projections.device)
    return self_contrastive(projections, labels, _nothing(projections), temperature, ranks, every_view=True)


def anatomy_aware(projections: Tensor, anatomies: Tensor, temperature: float, ranks: Ranks = ALONE) -> Tensor:
    """L (eq. 3): L_A (eq. 2) where a frame's anatomy is known, L_C (eq. 1) where it is not.

    A(i) are the batch's other views of the same anatomy; the mean over them is outside the logarithm.

    Args:
        projections: float (B, V, D), L2-normalised; all views of a frame have its anatomy.
        anatomies: int64 (B,), `UNKNOWN` or a number from 0.
        temperature: tau, above 0.
        ranks: The other processes.

    Returns:
        float (B,), the mean over a frame's views.
    """
    alone = simclr(projections, temperature, ranks)
    queue = _nothing(projections)
    together = supervised_contrastive(projections, anatomies, queue, temperature, ranks, every_view=True)
    return together.where(anatomies != UNKNOWN, alone)


def _nothing(projections: Tensor) -> Queue:
    """An empty queue."""
    labels = torch.zeros(0, dtype=torch.long, device=projections.device)
    return projections.new_zeros((0, projections.shape[-1])), labels
