"""The region finder's network while it is trained; `imaging.region.network` runs it without PyTorch.

An encoder with strides, at its bottom wide receptive fields and the mean of the whole look, a decoder that
adds the finer features. Small enough for a core that does other things too.

Shapes: B batch; input (B, 1, 240, 320), output logits (B, 1, 60, 80).
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.imaging.region.network import LAYERS, Layer


class RegionNetwork(nn.Module):
    """Says of each cell how far it is part of an ultrasound picture's sector."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({layer.name: _block(layer) for layer in LAYERS})

    def forward(self, looks: Tensor) -> Tensor:
        """Logits (B, 1, 60, 80) for looks (B, 1, 240, 320), made by `imaging.region.network.levels`."""
        run = self.layers
        fine = run["fine2"](run["fine1"](run["stem"](looks)))
        middle = run["middle2"](run["middle1"](fine))
        coarse = run["coarse2"](run["coarse1"](middle))
        wide = run["wide1"](coarse)
        wide = F.relu(wide + run["around"](wide.mean(dim=(2, 3), keepdim=True)))
        wide = wide + run["wide3"](run["wide2"](wide))
        up = run["decode1"](F.interpolate(run["up1"](wide), scale_factor=2.0) + middle)
        up = run["decode2"](F.interpolate(run["up2"](up), scale_factor=2.0) + fine)
        return cast(Tensor, run["answer"](up))


def _block(layer: Layer) -> nn.Sequential:
    pad = layer.dilation * (layer.kernel // 2)
    parts: list[nn.Module] = [
        nn.Conv2d(
            layer.inputs, layer.outputs, layer.kernel, layer.stride, pad, layer.dilation, bias=not layer.norm
        )
    ]
    if layer.norm:
        parts.append(nn.BatchNorm2d(layer.outputs))
    if layer.relu:
        parts.append(nn.ReLU())
    return nn.Sequential(*parts)


def save(network: RegionNetwork, path: Path) -> None:
    """Write the weights, BatchNorm folded in, in half precision."""
    arrays: dict[str, np.ndarray] = {}
    for layer in LAYERS:
        block = cast(nn.Sequential, network.layers[layer.name])
        conv = cast(nn.Conv2d, block[0])
        weight = conv.weight.detach().double()
        if layer.norm:
            norm = cast(nn.BatchNorm2d, block[1])
            assert norm.running_var is not None
            assert norm.running_mean is not None
            factor = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
            bias = norm.bias.detach().double() - norm.running_mean.double() * factor
            weight = weight * factor[:, None, None, None]
        else:
            assert conv.bias is not None
            bias = conv.bias.detach().double()
        # Whole rows first: safetensors writes what lies in memory, and in training channels lie last.
        arrays[f"{layer.name}.weight"] = np.ascontiguousarray(weight.numpy().astype(np.float16))
        arrays[f"{layer.name}.bias"] = bias.numpy().astype(np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, str(path))
