"""Residual stages of the encoder, made of torchvision's blocks with its weight names (paper eq. 1-4)."""

from __future__ import annotations

from typing import Any

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from semc_core.model.architecture import EXPANSION

_BLOCKS: dict[str, Any] = {"basic": BasicBlock, "bottleneck": Bottleneck}


def make_stage(block: str, in_channels: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    """One ResNet stage, as torchvision's `layer1`-`layer4` for any number of channels.

    Args:
        block: "basic" or "bottleneck".
        in_channels: Channels of the input.
        planes: Inner channels; the output has `planes * EXPANSION[block]`.
        blocks: Number of residual blocks.
        stride: Of the first block.
    """
    make = _BLOCKS[block]
    out_channels = planes * EXPANSION[block]
    downsample = None
    if stride != 1 or in_channels != out_channels:
        downsample = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
        )
    first = make(in_channels, planes, stride, downsample)
    return nn.Sequential(first, *(make(out_channels, planes) for _ in range(blocks - 1)))
