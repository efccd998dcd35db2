"""What every OpenVINO graph here is made of: constants, convolutions, BatchNorm folded into them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.runtime import folding
from semc_core.runtime.folding import Arrays

Node = Any  # openvino has no usable types


def folded(
    arrays: Arrays, conv: str, norm: str, epsilon: float = 1e-5
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `folding.folded`, the bias (1, O, 1, 1) as it is added to feature maps."""
    kernel, bias = folding.folded(arrays, conv, norm, epsilon)
    return kernel, bias.reshape(1, -1, 1, 1)


def convolution(
    x: Node, kernel: NDArray[np.float32], stride: int, pad: int, depthwise: bool = False, *, name: str
) -> Node:
    """A convolution without bias; `kernel` as in PyTorch, `name` unique: a quantisation is stored by it."""
    strides, pads, dilations = [stride, stride], [pad, pad], [1, 1]
    if depthwise:
        grouped = np.ascontiguousarray(kernel[:, None])  # (C, 1, 1, k, k): group, output, input
        return ops.group_convolution(x, ops.constant(grouped), strides, pads, pads, dilations, name=name)
    return ops.convolution(x, ops.constant(kernel), strides, pads, pads, dilations, name=name)


def space_mean(x: Node) -> Node:
    """(B, C, h, w) -> (B, C)."""
    return ops.reduce_mean(x, ints([2, 3]), False)


def ints(values: int | list[int]) -> Node:
    """A constant of int64."""
    return ops.constant(np.array(values, np.int64))


def floats(value: float) -> Node:
    """A constant of float32, a scalar."""
    return ops.constant(np.array(value, np.float32))
