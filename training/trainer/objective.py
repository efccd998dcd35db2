"""The network and its losses as one module, so that several processes and half precision treat them as one.

Shapes: V views of each of B frames, C channels of the pooled features, D length of a projection.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.model.architecture import PROJECTION_OUT
from semc_core.model.weights import AnyNetwork
from training.losses.contrastive import ALONE, Ranks
from training.losses.nt_xent import simclr
from training.losses.semc import SemcLoss


class ProjectionHead(nn.Module):
    """g of SimCLR: pooled features -> an L2-normalised projection, by one hidden layer. Training only."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, features), nn.ReLU(), nn.Linear(features, PROJECTION_OUT)
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """float (N, C) -> (N, D)."""
        return F.normalize(self.layers(pooled), dim=1)


class SecondTask(nn.Module):
    """SimCLR beside the classification, end to end (Migliorelli et al. 2024).

    Args:
        features: C.
        temperature: Of the contrast.
        ranks: The other processes.
    """

    def __init__(self, features: int, temperature: float = 0.5, ranks: Ranks = ALONE) -> None:
        super().__init__()
        self.head = ProjectionHead(features)
        self._temperature, self._ranks = temperature, ranks

    def forward(self, pooled: Tensor, views: int) -> Tensor:
        """The loss per frame, (B,), of pooled features (V B, C): all frames once, then all again."""
        projections = torch.stack(self.head(pooled).chunk(views), dim=1)
        return simclr(projections, self._temperature, self._ranks)


class Objective(nn.Module):
    """What is learned in a step.

    Args:
        network: To train.
        loss: Of its answers.
        views: V.
        second: The second task, or None.
        second_weight: Of its loss.
    """

    def __init__(
        self,
        network: AnyNetwork,
        loss: SemcLoss,
        views: int,
        second: SecondTask | None,
        second_weight: float,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.second = network, loss, second
        self._views, self._second_weight = views, second_weight

    def forward(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Classify a batch and judge it.

        Args:
            inputs: float (V B, channels, s, s), all frames once, then all again.
            labels: int64 (V B,).

        Returns:
            Means over the batch, each (): "loss", which carries the gradient, its parts "moe", "supcon",
            "selfcon" and "second", alpha's mean and spread, and "train_accuracy".
        """
        details = self.network.details(inputs)
        # Half precision loses what tells one key from another, and small parts of a sum.
        with torch.autocast(inputs.device.type, enabled=False):
            details = _in_full(details)
            parts = self.loss(details, labels)
            second = torch.zeros_like(parts.total)
            if self.second is not None:
                second = self.second(details.fused_pooled, self._views)
            total = parts.total.mean() + self._second_weight * second.mean()
        return {
            "loss": total,
            "moe": parts.moe.detach().mean(),
            "supcon": parts.supcon.detach().mean(),
            "selfcon": parts.selfcon.detach().mean(),
            "second": second.detach().mean(),
            "alpha_mean": parts.alpha.detach().mean(),
            "alpha_std": parts.alpha.detach().std(correction=0),
            "train_accuracy": (details.logits.detach().argmax(1) == labels).float().mean(),
        }


def _in_full(details: Any) -> Any:
    """The same details with no number in half precision."""
    values = {each.name: getattr(details, each.name) for each in fields(details)}
    halves = {
        name: value.float()
        for name, value in values.items()
        if isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    }
    return replace(details, **halves) if halves else details
