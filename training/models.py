"""The networks that can be trained, by name: SEMC, SEMC without its parts, and what it is compared with.

All have `details` with what the losses want (`losses.semc.SemcOutputs`), and all are written to model files
that every runtime runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F

from semc_core.errors import UsageError
from semc_core.model.architecture import PROJECTION_OUT, Preset, find_preset, gflop
from semc_core.model.network import Details, SemcNetwork
from semc_core.model.presets import MIXTURE
from semc_core.model.sononet import SonoNet
from semc_core.model.spec import PRODUCT, Architecture, ModelSpec
from semc_core.model.weights import AnyNetwork
from training.config import TrainOptions
from training.losses.config import LossOptions

NETWORKS: Final = {
    "semc": "the preset's network, with ACE and SAMC",
    "semc-ace": "with ACE, without SAMC",
    "semc-plain": "the experts and their gate alone, without ACE and SAMC",
    "semc-one": "with one expert, so without a gate",
    "semc-two": "with two experts",
    "semc-four": "with four experts",
    "semc-mean": "with every expert counting the same, without a gate that learns",
    "resnet": "a plain ResNet of the preset's depth and width, with cross-entropy",
    "resnet-equal": "a plain ResNet of the preset's depth, as wide as costs what the preset's network does",
    "resnet18": "a plain ResNet-18, with cross-entropy",
    "resnet50": "a plain ResNet-50, with cross-entropy",
    "sononet16": "SonoNet-16 (Baumgartner et al. 2017), with cross-entropy",
    "sononet32": "SonoNet-32",
    "sononet64": "SonoNet-64",
    "area": "a plain ResNet, whose classes weigh by the area of their features late in training (AREA)",
    "shike": "experts of different depth that teach each other the hardest wrong class (SHIKE)",
    "supcon": "a plain ResNet trained by the supervised contrastive loss alone, a linear classifier on it",
    "supmin": "the same with the loss for data of which one class is most",
}
"""What each is."""

_RESNETS: Final[dict[str, tuple[str, tuple[int, int, int, int]]]] = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
}
_CONTRASTIVE: Final = ("supcon", "supmin")
_EXPERTS: Final = {"semc-one": 1, "semc-two": 2, "semc-four": 4}
_COUNTED: Final = 2
"""Classes that the work of two networks is compared with; more add next to nothing to either."""


class ContrastiveNetwork(SemcNetwork):
    """A network whose encoder the classifier does not teach: in training no gradient of its logits goes back.

    So the encoder learns by the contrastive loss alone, and the classifier is the linear probe on it. In
    evaluation, and in a model file, it is a network like any other.
    """

    def details(self, x: Tensor) -> Details:
        """As `SemcNetwork.details`."""
        found = super().details(x)
        if not self.training:
            return found
        logits = self._classifier(0)(found.fused_pooled.detach())
        return replace(found, logits=logits, expert_logits=logits[:, None])


class ShikeNetwork(SemcNetwork):
    """SHIKE's network (Jin et al., CVPR 2023), after the description.

    Each expert's deep map is multiplied by a shallow one of another depth, brought to its size by what does
    it in SEMC; its linear classifier answers, and the answers' mean counts. (Published: strided convolutions,
    classifiers that see directions alone, and others, begun anew, for the last part.)

    Attributes:
        classifiers_only: In training no gradient goes past the classifiers.
    """

    classifiers_only = False

    def _classify(self, third: Tensor, deep: Tensor, fused: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.training and self.classifiers_only:
            deep, fused = deep.detach(), fused.detach()
        return super()._classify(third, deep, fused)


def described(name: str, preset: str) -> Preset:
    """The architecture of the network of that name, and the preset's preprocessing.

    Args:
        name: One of `NETWORKS`.
        preset: One of `architecture.PRESETS`: its input, and the depth and width where the name
            says nothing of them.

    Raises:
        UsageError: There is no such network or preset.
    """
    found = find_preset(preset)
    a = found.architecture
    if name == "semc":
        return found
    if name == "semc-ace":
        return replace(found, architecture=replace(a, preset=f"{name} {preset}", samc=False))
    if name == "semc-plain":
        return replace(found, architecture=replace(a, preset=f"{name} {preset}", ace=False, samc=False))
    if name in _EXPERTS:
        count = _EXPERTS[name]
        gate = "mean" if count == 1 else a.gate_input
        return replace(
            found, architecture=replace(a, preset=f"{name} {preset}", experts=count, gate_input=gate)
        )
    if name == "shike":
        shike = replace(a, preset=f"{name} {preset}", samc=False, gate_input="mean", fusion=PRODUCT)
        return replace(found, architecture=shike)
    if name == "semc-mean":
        return replace(found, architecture=replace(a, preset=f"{name} {preset}", gate_input="mean"))
    if name == "resnet-equal":
        return replace(found, architecture=_as_dear(found, f"{name} {preset}"))
    if name in ("resnet", "area", *_CONTRASTIVE):
        return replace(found, architecture=_plain(replace(a, preset=f"{name} {preset}")))
    if name in _RESNETS:
        block, layers = _RESNETS[name]
        resnet = Architecture(name, block=block, layers=layers, in_channels=a.in_channels)
        return replace(found, architecture=_plain(resnet))
    if name in NETWORKS:
        width = int(name.removeprefix("sononet"))
        sononet = Architecture(
            name, width=width, in_channels=a.in_channels, experts=1, gate_input="mean", kind="sononet"
        )
        return replace(found, architecture=sononet)
    raise UsageError(f"There is no network {name!r}; choose one of {', '.join(NETWORKS)}.")


def build(name: str, preset: str, classes: Sequence[str]) -> AnyNetwork:
    """An untrained network, in training mode; PyTorch's generator decides its weights.

    Args:
        name: One of `NETWORKS`.
        preset: See `described`.
        classes: Names of the classes, K of them.

    Raises:
        UsageError: There is no such network or preset.
    """
    return _untrained(name, described(name, preset).architecture, classes)


def preset_of(options: TrainOptions) -> Preset:
    """Architecture and preprocessing of what is trained so.

    Raises:
        UsageError: There is no such network or preset, or it has no experts to choose one from.
    """
    found = described(options.method, options.preset)
    if options.size is not None:
        rows, columns = options.size
        found = replace(found, preprocessing=replace(found.preprocessing, height=rows, width=columns))
    if options.routing == MIXTURE:
        return found
    a = found.architecture
    if options.method == "shike":
        raise UsageError("SHIKE asks all its experts; leave routing out, or choose the method semc.")
    if a.experts < 2:
        raise UsageError(
            f"The network {options.method} has no experts to choose one from; leave routing out, or choose "
            "the method semc."
        )
    return replace(
        found, architecture=replace(a, preset=f"{a.preset} {options.routing}", routing=options.routing)
    )


def build_as(options: TrainOptions, classes: Sequence[str]) -> AnyNetwork:
    """The untrained network that is trained so; see `build`.

    Raises:
        UsageError: See `preset_of`.
    """
    return _untrained(options.method, preset_of(options).architecture, classes)


def _untrained(name: str, architecture: Architecture, classes: Sequence[str]) -> AnyNetwork:
    if architecture.kind == "sononet":
        return SonoNet(architecture, len(classes))
    if name == "shike":
        return ShikeNetwork(architecture, len(classes))
    make = ContrastiveNetwork if name in _CONTRASTIVE else SemcNetwork
    return make(architecture, len(classes))


def new_spec_of(name: str, preset: str, classes: Sequence[str]) -> ModelSpec:
    """The description of an untrained model with this network.

    Raises:
        UsageError: There is no such network or preset.
    """
    found = described(name, preset)
    return ModelSpec(found.architecture, tuple(classes), found.preprocessing)


def new_spec_as(options: TrainOptions, classes: Sequence[str]) -> ModelSpec:
    """The description of an untrained model that is trained so.

    Raises:
        UsageError: See `preset_of`.
    """
    found = preset_of(options)
    return ModelSpec(found.architecture, tuple(classes), found.preprocessing)


def fitting_losses(name: str, losses: LossOptions) -> LossOptions:
    """`losses` as the network of that name can use them.

    The plain networks are trained by cross-entropy alone. The contrastive ones see each frame in two views,
    each a query, without L_self and without a queue, as published; alpha then only divides the learning rate
    between encoder and classifier.
    """
    if name in _CONTRASTIVE:
        return replace(
            losses, contrast=name, views=2, every_view=True, self_weight=0.0, queue_size=0, alpha=0.5
        )
    if name == "area":
        return replace(losses, contrast="none", class_weights="area")
    if name == "shike":
        return replace(losses, contrast="none", experts="shike", class_weights="none", smoothing=0.0)
    if name == "semc-one" and losses.contrast != "none":
        return replace(losses, views=max(2, losses.views))  # of one expert there is nothing to compare
    if name.startswith("semc"):
        return losses
    return replace(losses, contrast="none")


def freeze_unused(network: AnyNetwork, losses: LossOptions) -> None:
    """Keep from training what these losses give no gradient to, which several processes would wait for."""
    if isinstance(network, SonoNet):
        return
    if losses.contrast == "none":
        network.projection.requires_grad_(False)
    if network.architecture.gate_input == "mean" or isinstance(network, ContrastiveNetwork):
        network.gate.requires_grad_(False)


def set_gate_temperature(network: AnyNetwork, losses: LossOptions, progress: float) -> None:
    """Set the Gumbel temperature for the next step; evaluation keeps the architecture's.

    Args:
        network: In training.
        losses: Their `gate_start` is where it begins; None leaves it.
        progress: Of the training, 0-1. At 0.5 the temperature has fallen to the architecture's.
    """
    if losses.gate_start is None or isinstance(network, SonoNet):
        return
    last = network.architecture.gate_temperature
    left = max(0.0, 1 - 2 * progress)
    network.gate.training_temperature = last * (losses.gate_start / last) ** left


def _plain(architecture: Architecture) -> Architecture:
    """A plain ResNet: one expert, no gate, no ACE, no SAMC."""
    return replace(architecture, experts=1, ace=False, samc=False, gate_input="mean")


def _as_dear(found: Preset, name: str) -> Architecture:
    """A plain ResNet of that preset's depth, of the width whose work is nearest to its network's."""
    plain, rows, columns = _plain(found.architecture), found.preprocessing.height, found.preprocessing.width
    aim = gflop(found.architecture, _COUNTED, rows, columns)
    widths = range(plain.width, 4 * plain.width + 1)
    off = {width: abs(gflop(replace(plain, width=width), _COUNTED, rows, columns) - aim) for width in widths}
    return replace(plain, preset=name, width=min(off, key=lambda width: off[width]))


class ProjectionHead(nn.Module):
    """g of SimCLR: pooled features -> an L2-normalised projection, by one hidden layer. Training only."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, features), nn.ReLU(), nn.Linear(features, PROJECTION_OUT)
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """float (N, C) -> (N, D)."""
        return F.normalize(self.layers(pooled), dim=1)
