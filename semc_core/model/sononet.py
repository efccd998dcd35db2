"""SonoNet (Baumgartner et al., IEEE TMI 2017) in PyTorch, with the names of R. Droste's port.

VGG-like: five groups of 3x3 convolutions, a halving after each of the first four, then two 1x1 convolutions
that give one map per class. A class's logit is the mean of its map, so the class activation maps are exact.

Shapes: B batch, F hidden features, H x W input pixels, h x w cells (a sixteenth of the input), K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semc_core.model.architecture import SONONET_EPSILON, SONONET_GROUPS, feature_channels, sononet_channels
from semc_core.model.spec import Architecture


@dataclass(frozen=True, slots=True, eq=False)
class SonoNetDetails:
    """What a runtime and the losses want of a batch, with the names of `network.Details`.

    Attributes:
        logits: float (B, K).
        expert_weights: float (B, 1), all one: there is one expert.
        fused_pooled: float (B, F), what the last convolution sees, averaged over space.
        maps: float (B, K, h, w). Their spatial mean plus the class's bias (see `SonoNet.head`) is the logit;
            in training, where the last BatchNorm goes by the batch, only nearly.
        embeddings: None: there is no projection for contrastive losses.
    """

    logits: Tensor
    expert_weights: Tensor
    fused_pooled: Tensor
    maps: Tensor
    embeddings: None = None

    @property
    def expert_logits(self) -> Tensor:
        """float (B, 1, K), those of the only expert."""
        return self.logits[:, None]


class SonoNet(nn.Module):
    """Classifies frames; see the module's text."""

    def __init__(self, architecture: Architecture, num_classes: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.features = nn.Sequential(*_groups(architecture))
        hidden = feature_channels(architecture)
        self.adaption = nn.Sequential(
            nn.Conv2d(sononet_channels(architecture)[-1], hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, num_classes, 1, bias=False),
            nn.BatchNorm2d(num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Classify frames.

        Args:
            x: float (B, in_channels, H, W), prepared by `preprocess.prepare`.

        Returns:
            float (B, K), not normalised. The published network ends in a softmax; calibration does that here.
        """
        logits: Tensor = self.adaption(self._seen(x)).mean(dim=(2, 3))
        return logits

    def details(self, x: Tensor) -> SonoNetDetails:
        """As `forward`, with the maps and the features."""
        hidden = self.adaption[:3](self._seen(x))
        kernel, bias = self.head()
        maps = torch.einsum("kc,bchw->bkhw", kernel, hidden)
        folded = maps.mean(dim=(2, 3)) + bias
        logits = self.adaption[3:](hidden).mean(dim=(2, 3)) if self.training else folded
        return SonoNetDetails(
            logits=logits,
            expert_weights=torch.ones((len(x), 1), device=maps.device, dtype=maps.dtype),
            fused_pooled=hidden.mean(dim=(2, 3)),
            maps=maps,
        )

    def head(self) -> tuple[Tensor, Tensor]:
        """Kernel (K, F) and bias (K,) of the last convolution with its BatchNorm folded into it."""
        convolution, norm = self.adaption[3], self.adaption[4]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return convolution.weight[:, :, 0, 0] * scale[:, None], norm.bias - norm.running_mean * scale

    def _seen(self, x: Tensor) -> Tensor:
        """The features, in the precision of the adaption layers: those stay in float32."""
        seen: Tensor = self.features(x)
        first = self.adaption[0]
        assert isinstance(first, nn.Conv2d)
        return seen.to(first.weight.dtype)


def _groups(architecture: Architecture) -> Iterator[nn.Sequential]:
    before = architecture.in_channels
    last = len(SONONET_GROUPS) - 1
    for group, (count, channels) in enumerate(
        zip(SONONET_GROUPS, sononet_channels(architecture), strict=True)
    ):
        layers: list[nn.Module] = []
        for _ in range(count):
            layers.append(
                nn.Sequential(
                    nn.Conv2d(before, channels, 3, padding=1, bias=False),
                    nn.BatchNorm2d(channels, eps=SONONET_EPSILON),
                    nn.ReLU(),
                )
            )
            before = channels
        if group < last:
            layers.append(nn.MaxPool2d(2))
        yield nn.Sequential(*layers)
