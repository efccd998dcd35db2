"""An average of the network over its last steps; steadier than any one of them."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of all parameters and running statistics.

    Args:
        network: Copied at the start.
        decay: Share kept per step, once enough steps have passed; fewer at first, so that the start is forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the network after step `step`, from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        source = network.state_dict()
        for name, kept in self.network.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(source[name], 1 - decay)
            else:
                kept.copy_(source[name])
