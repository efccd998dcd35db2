"""Class weights by effective area, after AREA (Chen et al., ICCV 2023).

Samples of a class whose features say the same count as few: n samples span the area 1 / (aᵀ R a), with R the
correlation of their features and every a_i = 1 / n, which is n where they have nothing in common and 1 where
they are alike. A class weighs in inverse proportion to its area.

aᵀ R a is the mean of all correlations, and so the squared length of the mean of the standardised features: no
matrix of all pairs is needed, and how the samples come in batches changes nothing. (The released code adds
the areas of batches, so that the batch's size decides the weights.)

Shapes: N samples, C features, K classes.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

BEGINS: Final = 0.8
"""Progress of the training from which classes are weighed; the features mean something then."""
_EVERY: Final = 0.05
_LEAST: Final = 1e-6


def effective_areas(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The area that each class spans, float64 (K,); 0 for a class without samples.

    Args:
        features: float (N, C).
        labels: int64 (N,), from 0.
        classes: K.
    """
    wide = features.double()
    standard = F.normalize(wide - wide.mean(dim=1, keepdim=True), dim=1)
    counts = torch.bincount(labels, minlength=classes).double()
    sums = torch.zeros(classes, wide.shape[1], dtype=torch.float64, device=wide.device)
    sums.index_add_(0, labels, standard)
    means = sums / counts.clamp(min=1)[:, None]
    return (1 / means.square().sum(dim=1).clamp(min=_LEAST)).where(counts > 0, 0.0)


def area_weights(areas: Tensor) -> Tensor:
    """Weights in inverse proportion to the areas, float (K,), with a mean of 1 over classes with samples.

    Args:
        areas: float (K,), from `effective_areas`. A class of area 0 weighs 1: no sample will ask.
    """
    present = areas > 0
    inverse = (1 / areas.where(present, 1.0)) * present
    weights = inverse * present.sum() / inverse.sum()
    return weights.where(present, 1.0).float()


def measurement(progress: float) -> int:
    """How often the areas have been measured at this progress (0-1) of the training: anew each twentieth."""
    late = progress - BEGINS
    return 0 if late < 0 else 1 + int(late / _EVERY)
