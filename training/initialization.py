"""Encoder files: the pretrained part of a network, as safetensors, and how a training starts from one.

The metadata has the key `semc_encoder` with JSON: the network's name, its preset, and how it was made. A
training may also start from a model file, the one in use for example: of another data set its encoder is
taken, of the same classes everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import PlainObject
from semc_core.model.file import METADATA_KEY, read_model
from semc_core.model.weights import AnyNetwork, network_arrays

KEY: Final = "semc_encoder"
FACTS: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)
"""What an encoder's file says of itself under `KEY`."""

_HEADS: Final = ("classifiers.", "gate.", "projection.", "adaption.3.", "adaption.4.")
_MAY_BE_NEW: Final = ("ace.", "samc.", "gate.")
_AUTHORS_DEVIATION: Final = 0.02

Arrays = Mapping[str, NDArray[np.float32]]


def is_head(name: str) -> bool:
    """Whether a tensor belongs to what is learned for one task: classifier, gate, projection."""
    return name.startswith(_HEADS)


def write_encoder(
    path: Path, network: AnyNetwork, facts: dict[str, Any], learned: Arrays | None = None
) -> None:
    """Write a network without its heads, whole or not at all.

    Args:
        path: Of the file.
        network: Pretrained.
        facts: Plain JSON values: name, preset, how it was made.
        learned: The tensors that say which patients it learned from; see `training.held_out.learned_from`.

    Raises:
        SaveError: The file cannot be written.
    """
    arrays = {name: value for name, value in network_arrays(network).items() if not is_head(name)}
    arrays |= learned or {}
    write_atomically(path, safetensors.numpy.save(arrays, metadata={KEY: json.dumps(facts)}))


def read_encoder(path: Path) -> tuple[Arrays, dict[str, Any], tuple[str, ...]]:
    """An encoder or model file: its tensors, what it says of itself, and the classes its heads know, if any.

    Raises:
        UsageError: It is no such file, or damaged.
        ModelFileError: It is a damaged model file.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            if KEY in metadata:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return arrays, FACTS.parse(metadata[KEY]), ()
    except DocumentFault as fault:
        raise UsageError(
            f"{path.name} cannot be read as an encoder because of what it says under {KEY} ({fault}); choose "
            "another file."
        ) from fault
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise UsageError(f"{path.name} cannot be read as an encoder; choose another file.") from error
    if METADATA_KEY not in metadata:
        raise UsageError(
            f"{path.name} is neither an encoder nor a model of this program; choose another file."
        )
    spec, arrays = read_model(path)
    return arrays, {"model_sha256": spec.sha256}, spec.classes


def start_from(network: AnyNetwork, path: Path, classes: Sequence[str]) -> dict[str, Any]:
    """Give an untrained network the weights of a pretrained one.

    The stage 4 of a plain ResNet goes to every expert; a stem for three channels is summed for a gray
    network, and one for gray is spread over three. ACE, SAMC and a gate
    stay untrained if the file has none that fits.

    Returns:
        What the file says of itself, for the provenance.

    Raises:
        UsageError: The file is of another depth or width.
    """
    arrays, facts, known = read_encoder(path)
    state = network.state_dict()
    with_heads = tuple(known) == tuple(classes)
    for name, own in state.items():
        if name.endswith("num_batches_tracked") or (is_head(name) and not with_heads):
            continue
        value = _fitting(name, own, arrays)
        if value is not None:
            state[name] = value
        elif not name.startswith(_MAY_BE_NEW):
            raise UsageError(
                f"{path.name} is of another network (see {name}); choose the same --preset and a --method "
                "that fits."
            )
    network.load_state_dict(state)
    return facts


def begin(network: AnyNetwork, start: str) -> None:
    """Give the convolutions of ACE and SAMC of an untrained network the start of `TrainOptions.start`."""
    if start != "authors":
        return
    for name, module in network.named_modules():
        if name.startswith(_MAY_BE_NEW) and isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, _AUTHORS_DEVIATION)


def make_experts_differ(network: AnyNetwork, noise: float) -> None:
    """Add noise to every expert's convolutions, in parts of each weight's own deviation.

    Experts that start from one pretrained stage are the same network, and only the gate's noise and ACE tell
    them apart.
    """
    if noise == 0:
        return
    with torch.no_grad():
        for name, module in network.named_modules():
            if name.startswith("experts.") and isinstance(module, nn.Conv2d):
                weight = module.weight
                weight.add_(torch.randn_like(weight) * (noise * weight.std()))


def _fitting(name: str, own: Tensor, arrays: Arrays) -> Tensor | None:
    """The file's tensor for `name`, in the network's shape; None if it has none."""
    parts = name.split(".")
    first = ".".join(["experts", "0", *parts[2:]]) if parts[0] == "experts" else name
    found = arrays.get(name, arrays.get(first))
    if found is None:
        return None
    value = torch.from_numpy(np.array(found, np.float32))
    if value.dim() == 4 and value.shape[2:] == own.shape[2:] and value.shape[0] == own.shape[0]:
        if own.shape[1] == 1 and value.shape[1] == 3:
            value = value.sum(dim=1, keepdim=True)
        elif own.shape[1] == 3 and value.shape[1] == 1:
            value = value.expand_as(own) / 3
    return value if value.shape == own.shape else None
