"""What a folded network gets on a GPU beside its weights: side streams, and kernels that do more at once."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Any, Final

import torch
from torch import Tensor

from semc_core.runtime.torch.layers import FoldedConvolution, new_stream
from semc_core.runtime.torch.network import FoldedNetwork, FoldedSemc

_FUSED_TOLERANCE: Final = 5e-2
"""Largest difference between fused and plain kernels, in standard deviations of the logits."""

_log = logging.getLogger(__name__)


def exact_kernels() -> AbstractContextManager[Any]:
    """In here cuDNN takes the same kernel every time, whatever else runs, and no shortened float32 (TF32).

    Choosing kernels by trying them out would be faster at times, but two processes could then differ.
    """
    flags: AbstractContextManager[Any] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags


def move_to_gpu(network: FoldedNetwork, device: torch.device, frame: Tensor) -> None:
    """Move the network and fit it to the GPU.

    Args:
        network: On the CPU, in its precision.
        device: The GPU.
        frame: float32 (1, C, H, W) on the GPU, something like a picture, to try the kernels on.
    """
    network.to(device)
    if isinstance(network, FoldedSemc):
        count = 2 * network.architecture.experts
        network.side_streams = [new_stream(device) for _ in range(count)]
    with torch.inference_mode():
        plain = network(frame).logits
        fuse(network, True)
        if not _same(network, frame, plain):
            fuse(network, False)
    torch.cuda.synchronize(device)


def fuse(network: FoldedNetwork, wanted: bool) -> None:
    """Give ReLU and shortcut to cuDNN together with the convolution, or not; not to depth-wise ones."""
    for layer in network.modules():
        if isinstance(layer, FoldedConvolution):
            layer.fused = wanted and layer.kernel.shape[1] > 1


def _same(network: FoldedNetwork, frame: Tensor, plain: Tensor) -> bool:
    """Whether the network with fused kernels runs, and gives what it gives with plain ones."""
    try:
        fused = network(frame).logits
    except RuntimeError as error:
        _log.warning("This GPU's cuDNN has no fused convolutions (%s); plain ones are used.", error)
        return False
    limit = _FUSED_TOLERANCE * float(plain.std())
    if not torch.allclose(fused, plain, rtol=0.0, atol=limit, equal_nan=True):
        _log.warning("Fused convolutions give other numbers on this GPU; plain ones are used.")
        return False
    return True
