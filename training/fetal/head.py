"""The last layer: linear in what the published network sees, fitted to labels of different fineness.

Shapes: N versions of pictures, F features, K classes, S answers of the published SonoNet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semc_core.labels import FETAL_CLASSES
from training.fetal.labels import CLASSES, LABELS, SONONET_SAYS, label_log_likelihood
from training.fetal.versions import Version

NONE_SHARE: Final = 0.35
"""Weight of pictures without a fetus, beside those with one, which have 1."""

_SHARES: Final = {
    "Trans-thalamic": 0.12, "Trans-ventricular": 0.10, "Trans-cerebellum": 0.10, "brain": 0.12,
    "abdomen": 0.17, "thorax": 0.15, "femur": 0.15, "cervix": 0.04, "other": 0.05,
}  # fmt: skip
"""How much each label with a fetus weighs."""
_SOFTENED: Final = 1.5
"""Temperature at which SonoNet's answers are honest (ECE 0.145 -> 0.080)."""
_SMOOTHING: Final = 0.03
_DECAY: Final = 3e-2
EPSILON: Final = 1e-5
"""Of PyTorch's BatchNorm."""
_ROUNDS: Final = 150
_OTHERS: Final = [CLASSES.index(name) for name in LABELS["other"]]
_ANSWERED: Final = [FETAL_CLASSES.index(SONONET_SAYS[name]) for name in LABELS["other"]]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """float32 (K, F) and (K,): logits are `weight @ features + bias`."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, seen: NDArray[np.float32]) -> Tensor:
        """float (N, K) of features (N, F)."""
        return torch.from_numpy(seen @ self.weight.T + self.bias)


def published_head(arrays: Mapping[str, NDArray[np.float32]]) -> Head:
    """What the published SonoNet says, for our classes: those that share one of its answers share it evenly.

    Args:
        arrays: Tensors of its model file.
    """
    scale = arrays["adaption.4.weight"] / np.sqrt(arrays["adaption.4.running_var"] + EPSILON)
    weight = arrays["adaption.3.weight"][:, :, 0, 0] * scale[:, None] / _SOFTENED
    bias = (arrays["adaption.4.bias"] - arrays["adaption.4.running_mean"] * scale) / _SOFTENED
    own_weight = np.zeros((len(CLASSES), weight.shape[1]), np.float32)
    own_bias = np.full(len(CLASSES), bias.min(), np.float32)
    for place, name in enumerate(CLASSES):
        if name in SONONET_SAYS:
            said = FETAL_CLASSES.index(SONONET_SAYS[name])
            sharing = list(SONONET_SAYS.values()).count(SONONET_SAYS[name])
            own_weight[place], own_bias[place] = weight[said], bias[said] - np.log(sharing)
    return Head(own_weight, own_bias)


def fit_head(
    seen: NDArray[np.float32], answers: NDArray[np.float32], rows: list[Version], start: Head
) -> Head:
    """The layer under which the labels are most probable, by L-BFGS: the same from the same data.

    It stays as near to `start` as the labels let it, so that planes of which there are no pictures are still
    known. What a label leaves open (`other`) is kept as the published network says it.

    Args:
        seen: float32 (N, F).
        answers: float32 (N, S), logits of the published network.
        rows: N.
        start: See `published_head`.
    """
    weights = torch.from_numpy(weights_of(rows)).float()
    names = list(LABELS)
    labels = torch.tensor([names.index(row.label) for row in rows])
    other = (labels == names.index("other")).float()
    features = torch.from_numpy(seen)
    centre = (features * weights[:, None]).sum(dim=0)
    spread = ((features - centre).square() * weights[:, None]).sum(dim=0).sqrt() + 1e-6
    scaled = (features - centre) / spread
    teacher = torch.log_softmax(torch.from_numpy(answers)[:, _ANSWERED] / _SOFTENED, dim=1)
    layer = nn.Linear(seen.shape[1], len(CLASSES))
    near = torch.from_numpy(start.weight) * spread
    with torch.no_grad():
        layer.weight.copy_(near)
        layer.bias.copy_(torch.from_numpy(start.bias) + torch.from_numpy(start.weight) @ centre)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = layer(scaled)
        named = -label_log_likelihood(logits, labels)
        even = -torch.log_softmax(logits, dim=1).mean(dim=1)
        own = torch.log_softmax(logits[:, _OTHERS], dim=1)
        kept = (teacher.exp() * (teacher - own)).sum(dim=1) * other
        each = (1 - _SMOOTHING) * named + _SMOOTHING * even + kept
        total: Tensor = (weights * each).sum() + _DECAY * (layer.weight - near).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        weight = layer.weight / spread
        bias = layer.bias - weight @ centre
    return Head(weight.numpy(), bias.numpy())


def weights_of(rows: list[Version]) -> NDArray[np.float64]:
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
