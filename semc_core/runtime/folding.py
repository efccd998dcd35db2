"""Weights as a runtime wants them: BatchNorm and the channel shuffle folded in. NumPy alone.

Shapes: O and I output and input channels, k kernel size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float32]]


def folded(
    arrays: Arrays, conv: str, norm: str, epsilon: float = 1e-5
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel (O, I, k, k) and bias (O,) of a convolution without bias and its BatchNorm, folded in float64.

    Args:
        arrays: By state-dict name.
        conv: Name of the convolution.
        norm: Name of the BatchNorm that follows it.
        epsilon: Of the BatchNorm; PyTorch's own by default.
    """
    kernel = arrays[f"{conv}.weight"].astype(np.float64)
    gain, shift, mean, variance = (
        arrays[f"{norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + epsilon)
    return (
        (kernel * scale[:, None, None, None]).astype(np.float32),
        (shift - mean * scale).astype(np.float32),
    )


def unshuffled(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights (O, I, 1, 1) that give on the unshuffled input what `kernel` gives on the shuffled one.

    With g = gcd(I, O) groups, channel j * g + i of the shuffled input is channel i * (I / g) + j.
    """
    outputs, inputs = kernel.shape[:2]
    groups = math.gcd(inputs, outputs)
    order = np.arange(inputs).reshape(groups, inputs // groups).T.reshape(-1)
    moved = np.empty_like(kernel)
    moved[:, order] = kernel
    return moved
