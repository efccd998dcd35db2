"""Names and shapes of the network's tensors, without PyTorch.

`model.file` holds a model file against this before anything is built from it, and the OpenVINO graph is built
by these names. `tests/model/test_network.py` holds it equal to `SemcNetwork.state_dict()`.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.model.spec import Architecture

EXPANSION: Final = {"basic": 1, "bottleneck": 4}
"""Output channels of a residual block per inner channel, as in torchvision."""

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
    shapes |= {"gate.score.weight": (a.experts, deep), "gate.score.bias": (a.experts,)}
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
