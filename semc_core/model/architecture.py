"""Names and shapes of the network's tensors, without PyTorch.

`model.file` holds a model file against this before anything is built from it, and the OpenVINO graph is built
by these names. `tests/model/test_network.py` holds it equal to `SemcNetwork.state_dict()`.

Named architectures with the preprocessing that goes with them. No PyTorch here.

How large a network is and how much it does for one frame, counted from its layout: no PyTorch.

`tests/model/test_architecture.py` holds both against PyTorch's own counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.language import _
from semc_core.model.presets import TOP1
from semc_core.model.spec import EXPANSION, Architecture, ModelSpec

FIELDS: Final = (1, 3, 5)
"""Kernel sizes of SAMC's receptive fields (eq. 10)."""

SPATIAL_KERNEL: Final = 7
PROJECTION_HIDDEN: Final = 512
PROJECTION_OUT: Final = 128

SONONET_GROUPS: Final = (2, 2, 3, 3, 3)
"""Convolutions before each halving of SonoNet, and after the last."""

SONONET_EPSILON: Final = 1e-4
"""Of BatchNorm in SonoNet's five groups; its adaption layers have PyTorch's own 1e-5."""

Shapes = dict[str, tuple[int, ...]]


def stage_channels(architecture: Architecture) -> tuple[int, int, int, int]:
    """Output channels of stages 1-4; the last is C, the channels of D_i, M_i and O_i."""
    first = architecture.width * EXPANSION[architecture.block]
    return first, 2 * first, 4 * first, 8 * first


def sononet_channels(architecture: Architecture) -> tuple[int, ...]:
    """Channels of SonoNet's five groups of convolutions; 16, 32, 64, 128, 128 in SonoNet-16."""
    return tuple(architecture.width * min(8, 2**group) for group in range(len(SONONET_GROUPS)))


def feature_channels(architecture: Architecture) -> int:
    """F, the pooled features that the classifier and the novelty see."""
    if architecture.kind == "sononet":
        return sononet_channels(architecture)[-1] // 2
    return stage_channels(architecture)[3]


def gate_channels(architecture: Architecture) -> int:
    """What the gate sees: the channels of O_i and D_i, or of F3 where it chooses before the experts."""
    return stage_channels(architecture)[2 if architecture.routing == TOP1 else 3]


def attention_channels(channels: int) -> int:
    """Hidden channels of the channel attention: a sixteenth."""
    return max(1, channels // 16)


def ace_source(expert: int) -> tuple[int, int]:
    """Which shallow map an expert is given, 0 for F1, and in how many halvings it reaches stage 4's size.

    Expert 1 gets F1, 2 gets F2, 3 gets F3 (eq. 7); a fourth would begin again with F1.
    """
    level = expert % 3
    return level, 3 - level


def samc_count(architecture: Architecture) -> int:
    """How many SAMC the network holds: none, one for all experts, or one each."""
    if not architecture.samc:
        return 0
    return 1 if architecture.samc_shared else architecture.experts


def tensor_shapes(architecture: Architecture, num_classes: int) -> Shapes:
    """Shape of every tensor of the network, by its state-dict name (BatchNorm's step counters left out)."""
    if architecture.kind == "sononet":
        return _sononet(architecture, num_classes)
    a = architecture
    channels = stage_channels(a)
    deep = channels[3]
    shapes: Shapes = {"conv1.weight": (a.width, a.in_channels, 7, 7), **_norm("bn1", a.width)}
    before = a.width
    for stage in range(3):
        shapes |= _stage(f"layer{stage + 1}", a, before, stage)
        before = channels[stage]
    for expert in range(a.experts):
        shapes |= _stage(f"experts.{expert}", a, before, 3)
        if a.ace:
            level, halvings = ace_source(expert)
            shapes |= _ace(f"ace.{expert}", channels[level], halvings, deep)
        shapes |= {
            f"classifiers.{expert}.weight": (num_classes, deep),
            f"classifiers.{expert}.bias": (num_classes,),
        }
    for index in range(samc_count(a)):
        shapes |= _samc(f"samc.{index}", a, deep)
    shapes |= {"gate.score.weight": (a.experts, gate_channels(a)), "gate.score.bias": (a.experts,)}
    shapes |= {
        "projection.0.weight": (PROJECTION_HIDDEN, deep, 1, 1),
        **_norm("projection.1", PROJECTION_HIDDEN),
    }
    shapes |= {
        "projection.5.weight": (PROJECTION_OUT, PROJECTION_HIDDEN),
        "projection.5.bias": (PROJECTION_OUT,),
        **_norm("projection.6", PROJECTION_OUT),
    }
    return shapes


def random_weights(
    architecture: Architecture, num_classes: int, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Untrained weights, different for every tensor, with lively BatchNorm statistics.

    For tests and for timing: with equal weights in the experts, OpenVINO runs them as one and looks faster
    than it is.
    """
    weights = {}
    for name, shape in tensor_shapes(architecture, num_classes).items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if name.endswith("running_var"):
            values = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            values = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith("weight"):
            values = rng.uniform(0.6, 1.0, shape)
        else:
            values = 0.02 * rng.standard_normal(shape)
        weights[name] = values.astype(np.float32)
    return weights


def _norm(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}


def _stage(name: str, a: Architecture, in_channels: int, stage: int) -> Shapes:
    planes = a.width * 2**stage
    out = planes * EXPANSION[a.block]
    shapes: Shapes = {}
    for block in range(a.layers[stage]):
        prefix = f"{name}.{block}"
        if a.block == "basic":
            convolutions = [(planes, in_channels, 3, 3), (planes, planes, 3, 3)]
        else:
            convolutions = [(planes, in_channels, 1, 1), (planes, planes, 3, 3), (out, planes, 1, 1)]
        for number, shape in enumerate(convolutions, start=1):
            shapes[f"{prefix}.conv{number}.weight"] = shape
            shapes |= _norm(f"{prefix}.bn{number}", shape[0])
        if block == 0 and (stage > 0 or in_channels != out):
            shapes[f"{prefix}.downsample.0.weight"] = (out, in_channels, 1, 1)
            shapes |= _norm(f"{prefix}.downsample.1", out)
        in_channels = out
    return shapes


def _ace(name: str, channels: int, halvings: int, deep: int) -> Shapes:
    shapes: Shapes = {}
    for index in range(halvings):
        prefix = f"{name}.blocks.{index}"
        shapes[f"{prefix}.0.weight"] = (channels, 1, 3, 3)
        shapes |= _norm(f"{prefix}.1", channels)
        shapes[f"{prefix}.3.weight"] = (2 * channels, channels, 1, 1)
        channels *= 2
        shapes |= _norm(f"{prefix}.4", channels)
    shapes[f"{name}.out_proj.0.weight"] = (deep, channels, 1, 1)
    return shapes | _norm(f"{name}.out_proj.1", deep)


def _samc(name: str, a: Architecture, deep: int) -> Shapes:
    hidden = attention_channels(deep)
    wide = a.samc_expansion * deep
    merged = wide * len(FIELDS) if a.samc_merge == "concat" else wide
    shapes: Shapes = {
        f"{name}.channel.fc1.weight": (hidden, deep, 1, 1),
        f"{name}.channel.fc2.weight": (deep, hidden, 1, 1),
        f"{name}.spatial.conv.weight": (1, 2, SPATIAL_KERNEL, SPATIAL_KERNEL),
    }
    if a.samc_expansion > 1:
        shapes[f"{name}.context.expand.0.weight"] = (wide, deep, 1, 1)
        shapes |= _norm(f"{name}.context.expand.1", wide)
    for index, size in enumerate(FIELDS):
        shapes[f"{name}.context.fields.{index}.0.weight"] = (wide, 1, size, size)
        shapes |= _norm(f"{name}.context.fields.{index}.1", wide)
    shapes[f"{name}.context.mix.0.weight"] = (deep, merged, 1, 1)
    return shapes | _norm(f"{name}.context.mix.1", deep)


def _sononet(a: Architecture, num_classes: int) -> Shapes:
    """The names of R. Droste's port: `features.GROUP.LAYER.{0,1}`, `adaption.{0,1,3,4}`."""
    shapes: Shapes = {}
    before = a.in_channels
    for group, (layers, channels) in enumerate(zip(SONONET_GROUPS, sononet_channels(a), strict=True)):
        for layer in range(layers):
            prefix = f"features.{group}.{layer}"
            shapes[f"{prefix}.0.weight"] = (channels, before, 3, 3)
            shapes |= _norm(f"{prefix}.1", channels)
            before = channels
    hidden = feature_channels(a)
    shapes |= {"adaption.0.weight": (hidden, before, 1, 1), **_norm("adaption.1", hidden)}
    return shapes | {"adaption.3.weight": (num_classes, hidden, 1, 1), **_norm("adaption.4", num_classes)}


_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preset:
    """A network and its input."""

    architecture: Architecture
    preprocessing: Preprocessing


PRESETS: Final[dict[str, Preset]] = {
    # Shipped: small enough for live video on half of two CPU cores. One block in stage 4, since there are
    # three of these stages and they hold most of the weights.
    "semc_live": Preset(
        Architecture("semc_live", layers=(2, 2, 2, 1), width=32, in_channels=1, samc_expansion=2),
        Preprocessing(160, 160, mean=(0.2,), std=(0.2,)),
    ),
    "semc_r18": Preset(
        Architecture("semc_r18", samc_expansion=2),
        Preprocessing(256, 256, mean=_IMAGENET_MEAN, std=_IMAGENET_STD),
    ),
    # As released, with the gate that the released code meant to have.
    "semc_r50": Preset(
        Architecture("semc_r50", block="bottleneck", layers=(3, 4, 6, 3), gate_input="deep"),
        Preprocessing(512, 512, fit="stretch", mean=(0.0,) * 3, std=(1.0,) * 3, clahe=True),
    ),
    # The equations to the letter; eq. 10 knows no expansion.
    "semc_r50_paper": Preset(
        Architecture(
            "semc_r50_paper",
            block="bottleneck",
            layers=(3, 4, 6, 3),
            ace_activation="paper",
            samc_expansion=1,
            samc_merge="concat",
            samc_residual=False,
            samc_shared=False,
        ),
        Preprocessing(512, 512, fit="stretch", mean=_IMAGENET_MEAN, std=_IMAGENET_STD),
    ),
    # For comparisons of many trainings on a CPU. At 96 pixels stage 4 has 3 x 3 cells, which SAMC needs.
    "semc_small": Preset(
        Architecture("semc_small", layers=(1, 1, 1, 1), width=16, in_channels=1, samc_expansion=2),
        Preprocessing(96, 96, mean=(0.2,), std=(0.2,)),
    ),
    # For tests.
    "semc_tiny": Preset(
        Architecture("semc_tiny", layers=(1, 1, 1, 1), width=8, in_channels=1, samc_expansion=2),
        Preprocessing(64, 64, mean=(0.2,), std=(0.2,)),
    ),
}

SONONET16: Final = Preset(
    Architecture("sononet16", width=16, in_channels=1, experts=1, gate_input="mean", kind="sononet"),
    Preprocessing(224, 288, mean=(0.0,), std=(1 / 255,), per_image=True),
)
"""The published fetal plane network (Baumgartner et al. 2017), to be imported, not trained.

Its inputs are 255 * (x - mean) / std, of each picture by itself.
"""


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UsageError: There is none.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise UsageError(
            _(
                "There is no preset {preset}; choose one of {presets}.",
                preset=repr(name[:40]),
                presets=", ".join(PRESETS),
            )
        ) from None


def new_spec(preset: str, classes: Sequence[str]) -> ModelSpec:
    """The description of an untrained model.

    Raises:
        UsageError: There is no such preset.
    """
    found = find_preset(preset)
    return ModelSpec(found.architecture, tuple(classes), found.preprocessing)


_STATISTICS: Final = ("running_mean", "running_var")


def parameter_count(architecture: Architecture, num_classes: int) -> int:
    """Number of learned values; BatchNorm's running statistics are not learned."""
    shapes = tensor_shapes(architecture, num_classes)
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(_STATISTICS))


def gflop(architecture: Architecture, num_classes: int, height: int, width: int) -> float:
    """Work for one frame in evaluation, 10^9 floating-point operations: 2 per multiply-add.

    Convolutions and matrix products that lead to the logits, as is the custom; not the projection, which only
    training needs, nor the class activation maps. Of a network that chooses one expert for each frame, with
    the dearest of them.
    """
    shapes = tensor_shapes(architecture, num_classes)
    if architecture.kind == "sononet":
        work = _sononet_work(shapes, height, width)
    else:
        work = _semc(architecture, num_classes, shapes, (height, width))
    return 2 * work / 1e9


def _semc(a: Architecture, num_classes: int, shapes: Shapes, size: tuple[int, int]) -> int:
    """Multiply-adds."""
    stem = _halved(size)
    sizes = [_halved(stem)]
    for _number in range(3):
        sizes.append(_halved(sizes[-1]))
    deep = sizes[3]
    work, of_expert = 0, [0] * a.experts
    for name, shape in shapes.items():
        if len(shape) < 2 or name.startswith("projection"):
            continue
        part, _dot, rest = name.partition(".")
        if part == "conv1":
            work += prod(shape) * prod(stem)
        elif part.startswith("layer"):
            stage = int(part.removeprefix("layer")) - 1
            work += prod(shape) * _cells_of_block(a, rest, sizes, stage)
        elif part == "experts":
            of_expert[_expert_of(rest)] += prod(shape) * _cells_of_block(a, rest.partition(".")[2], sizes, 3)
        elif part == "ace":
            of_expert[_expert_of(rest)] += prod(shape) * _cells_of_ace(rest, sizes)
        elif part == "samc":
            # The channel attention sees the mean and the maximum over space, one cell each.
            cells = 2 if ".channel." in name else prod(deep)
            for expert in range(a.experts) if a.samc_shared else (_expert_of(rest),):
                of_expert[expert] += prod(shape) * cells
        elif part == "classifiers":
            of_expert[_expert_of(rest)] += prod(shape)
        elif a.gate_input != "mean" or a.routing == TOP1:
            work += prod(shape)
    if a.routing == TOP1:
        return work + max(of_expert)
    return work + sum(of_expert) + a.experts * num_classes  # and the gated sum of the experts' logits


def _expert_of(name: str) -> int:
    """Whose tensor it is; `name` is EXPERT...."""
    return int(name.partition(".")[0])


def _cells_of_block(a: Architecture, name: str, sizes: list[tuple[int, int]], stage: int) -> int:
    """Output cells of a convolution in a residual stage; `name` is BLOCK.CONVOLUTION...."""
    block, _dot, convolution = name.partition(".")
    before_the_halving = a.block == "bottleneck" and convolution.startswith("conv1")
    if stage > 0 and block == "0" and before_the_halving:
        return prod(sizes[stage - 1])
    return prod(sizes[stage])


def _cells_of_ace(name: str, sizes: list[tuple[int, int]]) -> int:
    """Output cells of a convolution in ACE; `name` is EXPERT.blocks.STAGE.... or EXPERT.out_proj...."""
    expert, part, index = name.split(".")[:3]
    level, _mark = ace_source(int(expert))
    return prod(sizes[level + int(index) + 1] if part == "blocks" else sizes[3])


def _sononet_work(shapes: Shapes, height: int, width: int) -> int:
    """Multiply-adds."""
    work = 0
    for name, shape in shapes.items():
        if len(shape) == 4:
            part, group = name.split(".")[:2]
            halvings = int(group) if part == "features" else len(SONONET_GROUPS) - 1
            work += prod(shape) * (height >> halvings) * (width >> halvings)
    return work


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2
