"""Mixing of the experts' outputs (paper eq. 16-17).

Shapes: B batch, C channels, E experts, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ExpertGate(nn.Module):
    """Weigh the experts by what the pooled features show.

    Training draws Gumbel noise so that every expert is tried; evaluation draws none, so one frame always
    gets one answer.

    Args:
        channels: C.
        experts: E.
        temperature: tau of eq. 16 in evaluation.
        chooses: One expert for each frame, the one with the greatest score, gets all. In training that is the
            choice under the noise, and its gradient is that of the shares (straight through).

    Attributes:
        temperature: tau of eq. 16 in evaluation; part of the model file.
        training_temperature: tau while training, the same unless a schedule sets it: high, the shares are
            even; low, one expert gets nearly all.
    """

    def __init__(self, channels: int, experts: int, temperature: float, chooses: bool = False) -> None:
        super().__init__()
        self.chooses = chooses
        self.score = nn.Linear(channels, experts)
        self.temperature = temperature
        self.training_temperature = temperature

    def forward(self, pooled: Tensor) -> Tensor:
        """The experts' shares.

        Args:
            pooled: float (B, C), features averaged over space.

        Returns:
            float (B, E), each row sums to 1.
        """
        scores: Tensor = self.score(pooled)
        if self.training:
            return F.gumbel_softmax(scores, tau=self.training_temperature, hard=self.chooses)
        if self.chooses:
            return F.one_hot(scores.argmax(dim=1), scores.shape[1]).to(scores.dtype)
        return torch.softmax(scores / self.temperature, dim=1)
