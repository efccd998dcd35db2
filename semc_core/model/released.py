"""The authors' released checkpoints (YanGuihao/SEMC) in our network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from semc_core.errors import ModelFileError
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import PRESETS

_PARALLEL: Final = "module."
"""Before every name in what `torch.nn.DataParallel` saved."""
_RENAMED: Final = (
    ("edbc.", "ace."),
    ("mscb.0.pconv1.", "samc.0.context.expand."),
    ("mscb.0.msdc.dwconvs.", "samc.0.context.fields."),
    ("mscb.0.pconv2.", "samc.0.context.mix."),
    ("cab.", "samc.0.channel."),
    ("sab.", "samc.0.spatial."),
    ("conv_proj_heads.net.", "projection."),
)
_UNUSED: Final = ("queue", "fusion_convs.", "gate.")
"""Training state, and parts that the released network holds but never runs. Its real gate was never saved."""


def plain_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` without the prefix that training on several GPUs leaves in the names."""
    return {name.removeprefix(_PARALLEL): value for name, value in state.items()}


def unused_parts(state: Mapping[str, Tensor]) -> dict[str, int]:
    """Which parts of a released checkpoint are not used, and how many tensors each has."""
    counts: dict[str, int] = {}
    for name in plain_names(state):
        if name.startswith(_UNUSED):
            part = name.partition(".")[0]
            counts[part] = counts.get(part, 0) + 1
    return counts


def load_released(state: Mapping[str, Any]) -> SemcNetwork:
    """The released network, in evaluation mode.

    Its gate was neither trained nor saved with the checkpoint, so `architecture.gate_input` is "mean": every
    expert counts the same until a gate is fitted.

    Args:
        state: The checkpoint's state dict, as from `torch.load(..., weights_only=True)`, or a mapping with
            one under "state_dict"; numbers of any precision, with or without the unused parts. It is copied:
            nothing that is done to the network changes it.

    Raises:
        ModelFileError: The names or shapes are not those of the released network.
    """
    renamed = {
        _our_name(name): value.detach().to("cpu", _own_type(value), copy=True)
        for name, value in plain_names(_weights(state)).items()
        if not name.startswith(_UNUSED)
    }
    classifier = renamed.get("classifiers.0.weight")
    if classifier is None or classifier.ndim != 2:
        raise ModelFileError("This is not a checkpoint of the released SEMC network; choose another file.")
    architecture = replace(PRESETS["semc_r50"].architecture, gate_input="mean")
    with torch.device("meta"):
        network = SemcNetwork(architecture, classifier.shape[0])
    expected = network.state_dict()
    gate = {name: torch.zeros(value.shape) for name, value in expected.items() if name.startswith("gate.")}
    # BatchNorm's step counters say nothing in evaluation; not every copy of a checkpoint keeps them.
    counters = {n: torch.zeros((), dtype=torch.int64) for n in expected if n.endswith("num_batches_tracked")}
    loaded = {**counters, **renamed, **gate}
    for name, value in expected.items():
        given = loaded.get(name)
        if (
            given is None
            or given.shape != value.shape
            or given.is_floating_point() != value.is_floating_point()
        ):
            raise ModelFileError(
                f"The checkpoint does not fit the released SEMC network at {name}; choose another file."
            )
    unknown = sorted(set(renamed) - set(expected))
    if unknown:
        raise ModelFileError(
            f"The checkpoint holds {unknown[0]}, which the released SEMC network does not have."
        )
    network.load_state_dict(loaded, assign=True)
    return network.eval()


def _own_type(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype


def _weights(state: Mapping[str, Any]) -> Mapping[str, Tensor]:
    inner = state.get("state_dict", state) if isinstance(state, Mapping) else None
    plain = isinstance(inner, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in inner.items()
    )
    if not plain:
        raise ModelFileError("This is not a state dict of the released SEMC network; choose another file.")
    weights: Mapping[str, Tensor] = inner
    return weights


def _our_name(name: str) -> str:
    for theirs, ours in _RENAMED:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
