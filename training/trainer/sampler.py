"""Which frames a step learns from, and where its chance comes from.

Everything random in a step is decided by the seed, the step's number, the process and the purpose. So a
training that goes on after a stop draws what it would have drawn, and no generator needs to be remembered.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

FRAMES: Final = 0
PICTURES: Final = 1
NOISE: Final = 2
PARTNERS: Final = 3
"""Purposes; see `seed_of`."""


def seed_of(seed: int, step: int, purpose: int, rank: int = 0) -> int:
    """A seed for one purpose of one step in one process, well mixed."""
    words = np.random.SeedSequence([abs(seed), step, purpose, rank]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def generator_of(seed: int, step: int, purpose: int, rank: int = 0) -> torch.Generator:
    """A generator of the CPU that starts from `seed_of`."""
    return torch.Generator().manual_seed(seed_of(seed, step, purpose, rank))


class StepSampler:
    """Draws the frames of each step; the same in all processes, each of which takes its own part.

    Args:
        count: N, frames to draw from.
        batch: B, frames per step of all processes together.
        seed: See the module's text.
        weights: float (N,), how often each frame is drawn; None: all once, then all again in another order.
    """

    def __init__(self, count: int, batch: int, seed: int, weights: Tensor | None = None) -> None:
        self._count, self._batch, self._seed, self._weights = count, batch, seed, weights
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def of_step(self, step: int) -> Tensor:
        """int64 (B,), places of frames, for step `step`, from 0."""
        if self._weights is not None:
            generator = generator_of(self._seed, step, FRAMES)
            return torch.multinomial(self._weights, self._batch, replacement=True, generator=generator)
        first = step * self._batch
        places = range(first, first + self._batch)
        return torch.stack([self._shuffled(place // self._count)[place % self._count] for place in places])

    def _shuffled(self, epoch: int) -> Tensor:
        """int64 (N,), the order of one round through all frames."""
        if epoch != self._epoch:
            generator = generator_of(self._seed, epoch, FRAMES)
            self._epoch, self._order = epoch, torch.randperm(self._count, generator=generator)
        return self._order


def shard(chosen: Tensor, rank: int, world: int) -> Tensor:
    """The part of process `rank` of `world`: (B,) -> (B / world,)."""
    own = len(chosen) // world
    return chosen[rank * own : (rank + 1) * own]
