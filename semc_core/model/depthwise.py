"""Depth-wise convolutions, each channel by a kernel of its own (paper eq. 6 and 10)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DepthWise(nn.Conv2d):
    """A convolution of each channel alone, without a bias; its weight is named and shaped as `nn.Conv2d`'s.

    Where a processor trains in bfloat16 it is carried out in float32: PyTorch's gradient of it in bfloat16
    takes up to thirty times as long (docs/benchmarks.md), and there is next to nothing to multiply in it.
    """

    def __init__(self, channels: int, size: int, stride: int = 1) -> None:
        super().__init__(
            channels, channels, size, stride=stride, padding=size // 2, groups=channels, bias=False
        )

    def forward(self, features: Tensor) -> Tensor:
        """float (B, C, H, W) -> float (B, C, H / stride, W / stride), rounded up, of the same kind."""
        if features.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(features)
        with torch.autocast("cpu", enabled=False):
            return super().forward(features.float()).to(features.dtype)
