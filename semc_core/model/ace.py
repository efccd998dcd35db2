"""Adaptive compression-expansion: brings a shallow feature map to the size of the deep one (paper eq. 5-6).

Shapes: B batch, C channels, H x W feature-map cells.
"""

from __future__ import annotations

from torch import Tensor, nn

from semc_core.model.depthwise import DepthWise

LEAK = 0.2
"""Slope of the released code's LeakyReLU below zero."""


class CompressionExpansion(nn.Module):
    """L stages that halve the map and double the channels, then a point-wise convolution.

    A stage is DW 3x3 stride 2, BN, activation, 1x1, BN. The "paper" form ends with 1x1, BN, ReLU (eq. 6);
    the "released" form uses LeakyReLU(0.2), also after each stage, and none at the end.
    """

    def __init__(self, in_channels: int, stages: int, out_channels: int, activation: str) -> None:
        super().__init__()
        released = activation == "released"
        channels = in_channels
        blocks = []
        for _ in range(stages):
            blocks.append(_stage(channels, released))
            channels *= 2
        self.blocks = nn.Sequential(*blocks)
        self.out_proj = nn.Sequential(
            nn.Conv2d(channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.last = nn.Identity() if released else nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """float (B, C_in, H, W) -> float (B, C_out, H / 2^L, W / 2^L), rounded up at each stage."""
        aligned: Tensor = self.last(self.out_proj(self.blocks(features)))
        return aligned


def _stage(channels: int, released: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        DepthWise(channels, 3, stride=2),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(LEAK) if released else nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 1, bias=False),
        nn.BatchNorm2d(2 * channels),
    ]
    if released:
        layers.append(nn.LeakyReLU(LEAK))
    return nn.Sequential(*layers)
