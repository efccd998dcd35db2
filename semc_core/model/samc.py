"""Structure-aware multi-context block: attention over channels and space, then three receptive fields
(paper eq. 8-10).

Shapes: B batch, C channels, H x W feature-map cells, X channel expansion.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.model.ace import LEAK
from semc_core.model.architecture import FIELDS, SPATIAL_KERNEL, attention_channels
from semc_core.model.depthwise import DepthWise


class ChannelAttention(nn.Module):
    """Eq. 8: sigmoid(FC2(act(FC1(average))) + FC2(act(FC1(maximum))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = attention_channels(channels)
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, fused: Tensor) -> Tensor:
        """float (B, C, H, W) -> weights in (0, 1), float (B, C, 1, 1)."""
        average = fused.mean(dim=(2, 3), keepdim=True)
        maximum = fused.amax(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self._squeeze(average) + self._squeeze(maximum))

    def _squeeze(self, pooled: Tensor) -> Tensor:
        squeezed: Tensor = self.fc2(F.leaky_relu(self.fc1(pooled), LEAK))
        return squeezed


class SpatialAttention(nn.Module):
    """Eq. 9: sigmoid(conv 7x7 of the mean and the maximum over channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, SPATIAL_KERNEL, padding=SPATIAL_KERNEL // 2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """float (B, C, H, W) -> weights in (0, 1), float (B, 1, H, W)."""
        seen = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        return torch.sigmoid(self.conv(seen))


class MultiContext(nn.Module):
    """Eq. 10: depth-wise convolutions of three sizes, merged, shuffled, and mixed point-wise.

    With `expansion` 1 there is no expanding convolution. "sum" adds the receptive fields (released code),
    "concat" puts them one after the other (paper).
    """

    def __init__(self, channels: int, expansion: int, merge: str, residual: bool) -> None:
        super().__init__()
        wide = expansion * channels
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = nn.Sequential(
                nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6()
            )
        self.fields = nn.ModuleList(
            nn.Sequential(
                DepthWise(wide, size),
                nn.BatchNorm2d(wide),
                nn.ReLU6(),
            )
            for size in FIELDS
        )
        self.concat = merge == "concat"
        merged = wide * len(FIELDS) if self.concat else wide
        self.groups = math.gcd(merged, channels)
        self.mix = nn.Sequential(nn.Conv2d(merged, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.residual = residual

    def forward(self, features: Tensor) -> Tensor:
        """float (B, C, H, W) -> float (B, C, H, W)."""
        wide = self.expand(features)
        seen = [field(wide) for field in self.fields]
        merged = torch.cat(seen, dim=1) if self.concat else reduce(torch.add, seen)
        mixed: Tensor = self.mix(F.channel_shuffle(merged, self.groups))
        return features + mixed if self.residual else mixed


class StructureAwareMultiContext(nn.Module):
    """M_i -> O_i: channel attention C_i, spatial attention S_i, receptive fields of S_i * C_i * M_i."""

    def __init__(self, channels: int, expansion: int, merge: str, residual: bool) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels)
        self.spatial = SpatialAttention()
        self.context = MultiContext(channels, expansion, merge, residual)

    def forward(self, fused: Tensor) -> Tensor:
        """float (B, C, H, W) -> float (B, C, H, W)."""
        attended = self.channel(fused) * fused
        attended = self.spatial(attended) * attended
        enhanced: Tensor = self.context(attended)
        return enhanced
