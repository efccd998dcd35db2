"""SonoNet as an OpenVINO graph; `model.sononet` is the same in PyTorch.

Shapes: B batch, F hidden features, K classes, h x w cells.
"""

from __future__ import annotations

import numpy as np
from openvino import opset13 as ops

from semc_core.model.architecture import SONONET_EPSILON, SONONET_GROUPS
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.nodes import Node, convolution, folded, space_mean


def sononet_outputs(frames: Node, arrays: Arrays, batch: int) -> tuple[Node, Node, Node, Node]:
    """Logits (B, K), experts' shares (B, 1), maps (B, K, h, w) and pooled features (B, F)."""
    x = frames
    last = len(SONONET_GROUPS) - 1
    for group, layers in enumerate(SONONET_GROUPS):
        for layer in range(layers):
            name = f"features.{group}.{layer}"
            kernel, bias = folded(arrays, f"{name}.0", f"{name}.1", SONONET_EPSILON)
            x = ops.relu(ops.add(convolution(x, kernel, 1, 1, name=name), ops.constant(bias)))
        if group < last:
            x = ops.max_pool(
                x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], rounding_type="floor", auto_pad="explicit"
            ).output(0)
    kernel, bias = folded(arrays, "adaption.0", "adaption.1")
    hidden = ops.relu(ops.add(convolution(x, kernel, 1, 0, name="adaption.0"), ops.constant(bias)))
    kernel, bias = folded(arrays, "adaption.3", "adaption.4")
    maps = convolution(hidden, kernel, 1, 0, name="adaption.3")
    logits = ops.add(space_mean(maps), ops.constant(bias[:, :, 0, 0]))
    return logits, ops.constant(np.ones((batch, 1), np.float32)), maps, space_mean(hidden)
