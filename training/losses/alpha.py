"""alpha, the share of the classification loss in the total (paper eq. 19)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AlphaNetwork(nn.Module):
    """alpha = g(O) per sample, from the pooled fused features.

    Learned freely, alpha would move all weight to whichever loss is smaller. It is bounded, and the loop logs
    its mean and spread.

    Args:
        features: C, length of the pooled features.
        bounds: Least and greatest alpha, within 0-1.
        hidden: Width of the hidden layer.
    """

    def __init__(self, features: int, bounds: tuple[float, float] = (0.05, 0.95), hidden: int = 64) -> None:
        super().__init__()
        self.bounds = bounds
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, pooled: Tensor) -> Tensor:
        """alpha of each sample.

        Args:
            pooled: float (B, C), the mean of O over experts and space.

        Returns:
            float (B,) within the bounds.
        """
        low, high = self.bounds
        return low + (high - low) * torch.sigmoid(self.layers(pooled)).squeeze(1)


class Uncertainties(nn.Module):
    """Weighs two losses by learned uncertainties (Kendall et al. 2018, eq. 10, without its halves).

    exp(-s1) L1 + s1 + exp(-s2) L2 + s2: a loss that stays large is weighed less, at the cost of its s. At the
    best s each weighted loss is 1, so the scale of neither matters, and there is no bound to run to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scales = nn.Parameter(torch.zeros(2))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The weighed sum of two losses, float (B,) each, and the first one's share of the weights, (B,)."""
        weights = torch.exp(-self.scales)
        total = weights[0] * first + weights[1] * second + self.scales.sum()
        return total, (weights[0] / weights.sum()).expand(len(first))


class FixedAlpha(nn.Module):
    """The same alpha for every sample, as in the sweep of the paper's figure 3."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, pooled: Tensor) -> Tensor:
        """float (B,): `value`, for pooled features (B, C)."""
        return pooled.new_full((len(pooled),), self.value)
