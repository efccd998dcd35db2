"""Where the last layer starts, and how much each picture weighs.

Shapes: N pictures, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.labels import FETAL_CLASSES
from training.fetal.labels import CLASSES, SONONET_SAYS
from training.fetal.versions import Row

NONE_SHARE: Final = 0.35
"""Weight of pictures without a fetus, beside those with one, which have 1."""

_SHARES: Final = {
    "Trans-thalamic": 0.12, "Trans-ventricular": 0.10, "Trans-cerebellum": 0.10, "brain": 0.12,
    "abdomen": 0.17, "thorax": 0.15, "femur": 0.15, "cervix": 0.04, "other": 0.05,
}  # fmt: skip
"""How much each label with a fetus weighs."""
SOFTENED: Final = 1.5
"""Temperature at which SonoNet's answers are honest (ECE 0.145 -> 0.080)."""
EPSILON: Final = 1e-5
"""Of PyTorch's BatchNorm."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """float32 (K, F) and (K,): logits are `weight @ features + bias`."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def published_head(arrays: Mapping[str, NDArray[np.float32]]) -> Head:
    """What the published SonoNet says, for our classes: those that share one of its answers share it evenly.

    Args:
        arrays: Tensors of its model file.
    """
    scale = arrays["adaption.4.weight"] / np.sqrt(arrays["adaption.4.running_var"] + EPSILON)
    weight = arrays["adaption.3.weight"][:, :, 0, 0] * scale[:, None] / SOFTENED
    bias = (arrays["adaption.4.bias"] - arrays["adaption.4.running_mean"] * scale) / SOFTENED
    own_weight = np.zeros((len(CLASSES), weight.shape[1]), np.float32)
    own_bias = np.full(len(CLASSES), bias.min(), np.float32)
    for place, name in enumerate(CLASSES):
        if name in SONONET_SAYS:
            said = FETAL_CLASSES.index(SONONET_SAYS[name])
            sharing = list(SONONET_SAYS.values()).count(SONONET_SAYS[name])
            own_weight[place], own_bias[place] = weight[said], bias[said] - np.log(sharing)
    return Head(own_weight, own_bias)


def with_head(head: Head) -> dict[str, NDArray[np.float32]]:
    """The last layer as SonoNet's file has it: a convolution of 1 x 1, and a BatchNorm that only adds."""
    count = len(head.bias)
    return {
        "adaption.3.weight": head.weight[:, :, None, None],
        "adaption.4.weight": np.full(count, np.sqrt(1 + EPSILON), np.float32),
        "adaption.4.bias": head.bias,
        "adaption.4.running_mean": np.zeros(count, np.float32),
        "adaption.4.running_var": np.ones(count, np.float32),
    }


def weights_of(rows: list[Row]) -> NDArray[np.float64]:
    """float64 (N,), of sum 1: labels by their shares.

    Within a label countries and collections count by the square root of how many pictures they have, so that
    the large ones do not drown the others.
    """
    labels = np.array([row.label for row in rows])
    sources = np.array([row.country or row.source for row in rows])
    weights = np.zeros(len(rows), np.float64)
    for label, share in {**_SHARES, "NSP": NONE_SHARE}.items():
        own = labels == label
        names, counts = np.unique(sources[own], return_counts=True)
        for name, count in zip(names, counts, strict=True):
            part = count**0.5 / (counts**0.5).sum()
            weights[own & (sources == name)] = share * part / count
    return np.asarray(weights / weights.sum(), np.float64)
