"""An average of the network over its last steps; steadier than any one of them."""

from __future__ import annotations

import copy

import torch

from semc_core.model.weights import AnyNetwork


class WeightAverage:
    """Exponential moving average of all parameters and running statistics.

    Args:
        network: Copied at the start.
        decay: Share kept per step, once enough steps have passed; less at first, so that the start is
            forgotten. With 0 it is the network itself.
    """

    def __init__(self, network: AnyNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self.network.eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: AnyNetwork, step: int) -> None:
        """Take in the network after step `step`, from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        source = network.state_dict()
        for name, kept in self.network.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(source[name], 1 - decay)
            else:
                kept.copy_(source[name])
