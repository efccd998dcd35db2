"""The SEMC network (arXiv 2511.12559) in PyTorch.

Shared ResNet stages 1-3 give F1..F3 (eq. 1), E stage-4 experts give D_i (eq. 2-4), ACE brings F_i to their
size (eq. 5-6), M_i = F'_i + D_i (eq. 7), SAMC makes O_i of it (eq. 8-10), one classifier per expert, and the
gate mixes their logits (eq. 16-17), or chooses one expert before they are run. ACE and SAMC can be left out,
to see what each is worth. The losses, the queue and alpha (eq. 11-15, 18-19) live in `training`. Evaluation
is a pure function of the frame: no labels, no queue, no noise.

Shapes: B batch, C channels of stage 4, H x W input pixels, h x w cells of stage 4, E experts, K classes.

Residual stages of the encoder, made of torchvision's blocks with its weight names (paper eq. 1-4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

from semc_core.model.ace import CompressionExpansion
from semc_core.model.architecture import (
    PROJECTION_HIDDEN,
    PROJECTION_OUT,
    ace_source,
    gate_channels,
    samc_count,
    stage_channels,
)
from semc_core.model.gate import ExpertGate
from semc_core.model.presets import TOP1
from semc_core.model.samc import StructureAwareMultiContext
from semc_core.model.spec import EXPANSION, PRODUCT, Architecture


@dataclass(frozen=True, slots=True, eq=False)
class Details:
    """Everything the network knows of a batch; what the losses and the maps are made from.

    Attributes:
        logits: float (B, K), gated (eq. 17).
        expert_logits: float (B, E, K), one classifier each.
        expert_weights: float (B, E), the gate's shares (eq. 16); with Gumbel noise in training only. Of a
            gate that chooses, 1 for its choice and 0 for the others.
        embeddings: float (B, E, 128), L2-normalised projections of O_i, for the contrastive losses.
        deep_pooled: float (B, C), mean over experts of D_i, averaged over space.
        fused_pooled: float (B, C), mean over experts of O_i, averaged over space; of a gate that chooses, O_i
            of its choice.
        maps: float (B, K, h, w), gated class activation maps. Their spatial mean plus the gated bias,
            sum_e w_e b_e, is the logit.
    """

    logits: Tensor
    expert_logits: Tensor
    expert_weights: Tensor
    embeddings: Tensor
    deep_pooled: Tensor
    fused_pooled: Tensor
    maps: Tensor


class SemcNetwork(nn.Module):
    """Classifies frames; see the module's text.

    SAMC, if shared, and the projection run once on a batch of B*E. In training their BatchNorm therefore
    normalises over all experts together, and its running statistics are of the very mixture that they
    normalise in evaluation. (Called once per expert, as released, each expert would be normalised by its own
    statistics in training but by one running mixture in evaluation. Evaluation is the same either way.)
    """

    def __init__(self, architecture: Architecture, num_classes: int) -> None:
        super().__init__()
        a = architecture
        self.architecture = a
        channels = stage_channels(a)
        deep = channels[3]
        self.conv1 = nn.Conv2d(a.in_channels, a.width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(a.width)
        self.layer1 = make_stage(a.block, a.width, a.width, a.layers[0], stride=1)
        self.layer2 = make_stage(a.block, channels[0], 2 * a.width, a.layers[1], stride=2)
        self.layer3 = make_stage(a.block, channels[1], 4 * a.width, a.layers[2], stride=2)
        experts = range(a.experts)
        self.experts = nn.ModuleList(
            make_stage(a.block, channels[2], 8 * a.width, a.layers[3], stride=2) for _ in experts
        )
        self.ace = nn.ModuleList(
            CompressionExpansion(channels[level], halvings, deep, a.ace_activation)
            for level, halvings in map(ace_source, experts if a.ace else ())
        )
        self.samc = nn.ModuleList(
            StructureAwareMultiContext(deep, a.samc_expansion, a.samc_merge, a.samc_residual)
            for _ in range(samc_count(a))
        )
        self.classifiers = nn.ModuleList(nn.Linear(deep, num_classes) for _ in experts)
        self.gate = ExpertGate(gate_channels(a), a.experts, a.gate_temperature, a.routing == TOP1)
        self.projection = _projection(deep)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Classify frames. In evaluation, a gate that chooses lets only the chosen expert run.

        Args:
            x: float (B, in_channels, H, W), prepared by `preprocess.prepare`.

        Returns:
            float (B, K), gated logits, not normalised.
        """
        shallow = self._shallow(x)
        if self.architecture.routing == TOP1 and not self.training:
            return self._by_the_chosen(shallow)
        deep, fused = self._features(shallow)
        expert_logits, weights, _, _ = self._classify(shallow[2], deep, fused)
        return torch.einsum("be,bek->bk", weights, expert_logits)

    def details(self, x: Tensor) -> Details:
        """As `forward`, with everything the losses, the maps and the novelty need: every expert is run."""
        shallow = self._shallow(x)
        deep, fused = self._features(shallow)
        expert_logits, weights, deep_pooled, fused_pooled = self._classify(shallow[2], deep, fused)
        embeddings = F.normalize(self.projection(fused.flatten(0, 1)), dim=1)
        classifiers = torch.stack([self._classifier(e).weight for e in range(len(self.classifiers))])
        return Details(
            logits=torch.einsum("be,bek->bk", weights, expert_logits),
            expert_logits=expert_logits,
            expert_weights=weights,
            embeddings=embeddings.reshape(*fused.shape[:2], -1),
            deep_pooled=deep_pooled,
            fused_pooled=fused_pooled,
            maps=torch.einsum("be,ekc,bechw->bkhw", weights, classifiers, fused.to(classifiers.dtype)),
        )

    def _shallow(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """F1, F2 and F3."""
        stem = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        first = self.layer1(stem)
        second = self.layer2(first)
        return first, second, self.layer3(second)

    def _features(self, shallow: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """D_i and O_i, each float (B, E, C, h, w)."""
        deep = torch.stack([expert(shallow[2]) for expert in self.experts], dim=1)
        merged = deep
        if self.architecture.ace:
            aligned = [ace(shallow[ace_source(e)[0]]) for e, ace in enumerate(self.ace)]
            merged = self._fused(torch.stack(aligned, dim=1), deep)
        return deep, self._enhanced(merged)

    def _fused(self, aligned: Tensor, deep: Tensor) -> Tensor:
        """M_i of F'_i and D_i (eq. 7)."""
        return aligned * deep if self.architecture.fusion == PRODUCT else aligned + deep

    def _by_the_chosen(self, shallow: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Logits (B, K), each frame's by the expert that the gate chose for it; no other is run."""
        chosen = self._gated(shallow[2]).argmax(dim=1)
        size = len(chosen), self._classifier(0).out_features
        logits = chosen.new_zeros(size, dtype=self.gate.score.weight.dtype)
        for number, expert in enumerate(self.experts):
            rows = (chosen == number).nonzero()[:, 0]
            if not len(rows):
                continue
            fused = expert(shallow[2][rows])
            if self.architecture.ace:
                fused = self._fused(self.ace[number](shallow[ace_source(number)[0]][rows]), fused)
            if self.architecture.samc:
                fused = self.samc[0 if self.architecture.samc_shared else number](fused)
            logits[rows] = self._classifier(number)(fused.to(logits.dtype).mean(dim=(2, 3)))
        return logits

    def _gated(self, third: Tensor) -> Tensor:
        """The shares (B, E) of a gate that chooses, from F3."""
        shares: Tensor = self.gate(third.to(self.gate.score.weight.dtype).mean(dim=(2, 3)))
        return shares

    def _enhanced(self, merged: Tensor) -> Tensor:
        """O_i from M_i, both float (B, E, C, h, w)."""
        if not self.architecture.samc:
            return merged
        if self.architecture.samc_shared:
            mixed: Tensor = self.samc[0](merged.flatten(0, 1))
            return mixed.reshape(merged.shape)
        return torch.stack([samc(merged[:, e]) for e, samc in enumerate(self.samc)], dim=1)

    def _classify(self, third: Tensor, deep: Tensor, fused: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Expert logits (B, E, K), gate shares (B, E), and D and O pooled over space and experts (B, C)."""
        # The head keeps its own precision where the rest runs in half.
        precision = self.gate.score.weight.dtype
        pooled = fused.to(precision).mean(dim=(3, 4))
        logits = torch.stack([self._classifier(e)(pooled[:, e]) for e in range(pooled.shape[1])], dim=1)
        deep_pooled, fused_pooled = deep.to(precision).mean(dim=(1, 3, 4)), pooled.mean(dim=1)
        if self.architecture.routing == TOP1:
            weights = self._gated(third)
            fused_pooled = torch.einsum("be,bec->bc", weights, pooled)
        elif self.architecture.gate_input == "mean":
            weights = torch.full_like(logits[:, :, 0], 1 / logits.shape[1])
        else:
            weights = self.gate(fused_pooled if self.architecture.gate_input == "fused" else deep_pooled)
        return logits, weights, deep_pooled, fused_pooled

    def _classifier(self, expert: int) -> nn.Linear:
        classifier = self.classifiers[expert]
        assert isinstance(classifier, nn.Linear)
        return classifier


def _projection(channels: int) -> nn.Sequential:
    """O_i -> 128 values for the contrastive losses. The indices are those of the released code."""
    return nn.Sequential(
        nn.Conv2d(channels, PROJECTION_HIDDEN, 1, bias=False),
        nn.BatchNorm2d(PROJECTION_HIDDEN),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(PROJECTION_HIDDEN, PROJECTION_OUT),
        nn.BatchNorm1d(PROJECTION_OUT),
    )


def _initialise(network: nn.Module) -> None:
    """Convolutions as in torchvision's ResNets; the rest keeps PyTorch's own start."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


_BLOCKS: dict[str, Any] = {"basic": BasicBlock, "bottleneck": Bottleneck}


def make_stage(block: str, in_channels: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    """One ResNet stage, as torchvision's `layer1`-`layer4` for any number of channels.

    Args:
        block: "basic" or "bottleneck".
        in_channels: Channels of the input.
        planes: Inner channels; the output has `planes * EXPANSION[block]`.
        blocks: Number of residual blocks.
        stride: Of the first block.
    """
    make = _BLOCKS[block]
    out_channels = planes * EXPANSION[block]
    downsample = None
    if stride != 1 or in_channels != out_channels:
        downsample = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
        )
    first = make(in_channels, planes, stride, downsample)
    return nn.Sequential(first, *(make(out_channels, planes) for _ in range(blocks - 1)))
