"""The memory of past keys, Q in eq. 11-12."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MemoryBank(nn.Module):
    """The newest `size` keys with their labels, first in first out. Any batch size.

    The buffers are part of the state dict, so a resumed training goes on with the same queue.

    Args:
        size: Q, number of keys kept; 0 remembers nothing.
        features: D, length of a key.
        waits: Nothing is in it until it is full.
    """

    keys: Tensor
    labels: Tensor
    guesses: Tensor
    written: Tensor

    def __init__(self, size: int, features: int, waits: bool = False) -> None:
        super().__init__()
        self._waits = waits
        self.register_buffer("keys", torch.zeros(size, features))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.long))
        self.register_buffer("guesses", torch.zeros(size, dtype=torch.long))
        self.register_buffer("written", torch.zeros((), dtype=torch.long))

    def contents(self) -> tuple[Tensor, Tensor]:
        """Keys (n, D) and labels (n,), n at most `size`; what was never written is left out."""
        count = min(int(self.written), len(self.keys))
        if self._waits and count < len(self.keys):
            count = 0
        return self.keys[:count], self.labels[:count]

    def guessed(self) -> tuple[Tensor, Tensor]:
        """As `contents`, with the classes (n,) that the network named when the keys were stored."""
        keys, _ = self.contents()
        return keys, self.guesses[: len(keys)]

    @torch.no_grad()
    def add(self, keys: Tensor, labels: Tensor, guesses: Tensor | None = None) -> None:
        """Store keys, replacing the oldest.

        Args:
            keys: float (n, D). Of more than `size`, the last ones are kept.
            labels: int64 (n,).
            guesses: int64 (n,), what the network takes them for; the labels if not given.
        """
        size = len(self.keys)
        if size == 0:
            return
        guesses = labels if guesses is None else guesses
        skipped = max(0, len(keys) - size)
        keys, labels, guesses = keys[skipped:], labels[skipped:], guesses[skipped:]
        start = int(self.written) + skipped
        places = torch.arange(start, start + len(keys), device=self.keys.device) % size
        self.keys[places] = keys.detach().to(self.keys.dtype)
        self.labels[places] = labels
        self.guesses[places] = guesses
        self.written.add_(skipped + len(keys))
