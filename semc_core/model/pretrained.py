"""Where a network's encoder starts from: a torchvision ResNet trained on ImageNet."""

from __future__ import annotations

import urllib.error
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torchvision.models import ResNet18_Weights, ResNet34_Weights, ResNet50_Weights, WeightsEnum

from semc_core.errors import ModelFileError, UsageError
from semc_core.model.file import write_model
from semc_core.model.importers import read_checkpoint
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import new_spec
from semc_core.model.spec import Architecture
from semc_core.model.weights import empty_network, network_arrays, start_from_resnet

DOWNLOAD: Final = "download"
"""Said in place of a file: torchvision's own weights, from its address, kept in PyTorch's cache folder."""

_WEIGHTS: Final[dict[tuple[str, tuple[int, ...]], WeightsEnum]] = {
    ("basic", (2, 2, 2, 2)): ResNet18_Weights.IMAGENET1K_V1,
    ("basic", (3, 4, 6, 3)): ResNet34_Weights.IMAGENET1K_V1,
    ("bottleneck", (3, 4, 6, 3)): ResNet50_Weights.IMAGENET1K_V2,
}
_WIDTH: Final = 64
_NOTICE: Final = "Not trained: it knows photographs and no ultrasound. Train it with semc train --encoder."


def start_pretrained(network: SemcNetwork, source: str) -> None:
    """Copy a ResNet's weights into the encoder; every expert starts from its stage 4.

    Args:
        network: Of the same depth and width as the ResNet.
        source: A file (a state dict, as torchvision's own, or a mapping with one under "state_dict"), or
            `DOWNLOAD`.

    Raises:
        ModelFileError: The file is missing, damaged, holds more than weights, or is another ResNet; or the
            download failed.
        UsageError: torchvision has no weights for this architecture.
    """
    state = _downloaded(network.architecture) if source == DOWNLOAD else read_checkpoint(Path(source))
    start_from_resnet(network, state)


def write_started(preset: str, classes: Sequence[str], source: str, out: Path) -> None:
    """Write a model file that has learned nothing but what its ResNet knew, for a training to start from.

    Args:
        preset: Of a network whose encoder is a torchvision ResNet.
        classes: In the order of the outputs, NSP among them.
        source: As for `start_pretrained`.
        out: The model file to write.

    Raises:
        ModelFileError: As in `start_pretrained`, or the classes or the file to write are no good.
        UsageError: There is no such preset, or torchvision has no weights for it.
    """
    spec = new_spec(preset, classes)
    network = empty_network(spec.architecture, len(spec.classes))
    assert isinstance(network, SemcNetwork)  # there are no others among the presets
    start_pretrained(network, source)
    provenance = {"encoder": f"ResNet, {DOWNLOAD if source == DOWNLOAD else Path(source).name}"}
    write_model(out, replace(spec, notice=_NOTICE, provenance=provenance), network_arrays(network))


def _downloaded(architecture: Architecture) -> dict[str, Tensor]:
    known = _WEIGHTS.get((architecture.block, architecture.layers))
    if known is None or architecture.width != _WIDTH:
        raise UsageError(
            f"torchvision has no ResNet of the form of {architecture.preset}; give a file with weights, or "
            "train without."
        )
    try:
        state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            known.url, map_location="cpu", check_hash=True, weights_only=True, progress=False
        )
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        # OSError: no network, no room; RuntimeError: what came is not what was sent.
        raise ModelFileError(
            f"The ResNet's weights could not be downloaded from {known.url} ({error}); download that address "
            "elsewhere and give the file."
        ) from error
    return state
