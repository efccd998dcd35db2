"""The network that finds outlines, in PyTorch; `semc_core.model.outline` has its shapes and names.

Shapes: B batch, H x W input pixels, C channels of the coarsest level.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.model.outline import CONVOLUTIONS, OutlineSpec, down_channels, up_channels


class OutlineNetwork(nn.Module):
    """A small U-Net with a second answer: whether there is a head at all."""

    def __init__(self, spec: OutlineSpec) -> None:
        super().__init__()
        levels = range(len(spec.channels))
        self.down = nn.ModuleList(
            nn.ModuleList(
                _block(*down_channels(spec, level, index), stride=2 if index == 0 else 1)
                for index in range(CONVOLUTIONS)
            )
            for level in levels
        )
        self.up = nn.ModuleList(
            nn.ModuleList(_block(*up_channels(spec, level, index)) for index in range(CONVOLUTIONS))
            for level in levels[:-1]
        )
        self.mask = nn.Conv2d(spec.channels[0], 1, 1)
        self.presence = nn.Linear(2 * spec.channels[-1], 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Where the head is, and whether there is one.

        Args:
            pictures: float (B, 1, H, W), 0-1.

        Returns:
            Logits of the mask (B, H/2, W/2), and of presence (B,).
        """
        x, seen = pictures, []
        for level in self.down:
            assert isinstance(level, nn.ModuleList)
            for block in level:
                x = block(x)
            seen.append(x)
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
        for number in range(len(self.up) - 1, -1, -1):
            level = self.up[number]
            assert isinstance(level, nn.ModuleList)
            x = torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), seen[number]], dim=1)
            for block in level:
                x = block(x)
        return self.mask(x)[:, 0], self.presence(pooled)[:, 0]


def _block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )
