"""A network's answers on stored frames.

Shapes: N frames, h x w stored pixels, K classes, C channels of the pooled features, s rows,
c columns, as many as keep the stored shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from semc_core.imaging.preprocess import Preprocessing
from semc_core.model.weights import AnyNetwork
from training.transforms.augment import to_side


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """float (N, K) gated logits and float (N, C) pooled fused features, on the CPU."""

    logits: Tensor
    features: Tensor


@torch.no_grad()
def classify(
    network: AnyNetwork,
    frames: Tensor,
    preprocessing: Preprocessing,
    side: int | None = None,
    batch: int = 64,
) -> Classified:
    """Classify stored frames with a network in evaluation mode.

    Args:
        network: Is put in evaluation mode, and back.
        frames: uint8 (N, h, w).
        preprocessing: Mean and deviation; its height is the number of rows unless given.
        side: s.
        batch: Frames at a time.
    """
    first = next(network.parameters())
    logits, features = [], []
    with evaluating(network):
        for part in torch.split(frames, batch):
            inputs = normalised(to_side(part, side or preprocessing.height), preprocessing)
            details = network.details(inputs.to(first).contiguous(memory_format=torch.channels_last))
            logits.append(details.logits.float().cpu())
            features.append(details.fused_pooled.float().cpu())
    return Classified(torch.cat(logits), torch.cat(features))


def normalised(pictures: Tensor, preprocessing: Preprocessing) -> Tensor:
    """float (B, 1, s, c) 0-1 -> float (B, channels, s, c) as `preprocess.prepare` gives it."""
    mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)
    return (pictures - mean) / std


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """In here the network is in evaluation mode."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
