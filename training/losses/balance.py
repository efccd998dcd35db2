"""Even use of the experts: importance and load (Shazeer et al. 2017, eq. 6-11).

Shapes: B frames, E experts.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST: float = 1e-10


def uneven_use(weights: Tensor) -> Tensor:
    """How unevenly the experts are used in a batch, (): 0 for an even use, up to 2 (E - 1).

    The squared coefficient of variation of the experts' importance, the sum of their shares, and of their
    load, the number of frames in which they have the greatest share. A count has no gradient; it is given
    that of the shares, straight through.

    Args:
        weights: float (B, E), the gate's shares of eq. 16; each row sums to 1.
    """
    chosen = torch.zeros_like(weights).scatter(1, weights.argmax(dim=1, keepdim=True), 1.0)
    load = (chosen - weights).detach() + weights
    return _squared_variation(weights.sum(dim=0)) + _squared_variation(load.sum(dim=0))


def use_entropy(weights: Tensor) -> Tensor:
    """Entropy of the experts' mean shares, in parts of the greatest, (): 1 if used evenly, 0 if one is."""
    shares = weights.mean(dim=0).clamp(min=_LEAST)
    if len(shares) == 1:
        return torch.zeros(())
    return -(shares * shares.log()).sum() / torch.log(torch.tensor(float(len(shares))))


def _squared_variation(use: Tensor) -> Tensor:
    return use.var(correction=0) / (use.mean().square() + _LEAST)
