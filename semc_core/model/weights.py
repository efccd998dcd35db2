"""Between model files and PyTorch networks.

What lets a model file be checked later: a few inputs, and the logits that the network gave for them.

The pictures are made up, so that no file carries anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.errors import ModelFileError
from semc_core.imaging.preprocess import prepare, whole
from semc_core.model.architecture import tensor_shapes
from semc_core.model.file import VERIFY, Arrays
from semc_core.model.network import SemcNetwork
from semc_core.model.sononet import SonoNet
from semc_core.model.spec import Architecture, ModelSpec

_COUNTER = "num_batches_tracked"

AnyNetwork = SemcNetwork | SonoNet
"""What a runtime can run: both have `details`."""


def network_arrays(network: AnyNetwork) -> Arrays:
    """The network's tensors for `file.write_model`: float32 copies, without BatchNorm's step counters.

    In C order: safetensors writes the memory as it lies, and the channels of a network that trains lie last.
    """
    return {
        name: np.array(tensor.detach().float().cpu().numpy(), copy=True, order="C")
        for name, tensor in network.state_dict().items()
        if not name.endswith(_COUNTER)
    }


def empty_network(architecture: Architecture, num_classes: int) -> AnyNetwork:
    """An untrained network of the architecture's kind, in training mode."""
    if architecture.kind == "sononet":
        return SonoNet(architecture, num_classes)
    return SemcNetwork(architecture, num_classes)


def build_network(
    architecture: Architecture, num_classes: int, arrays: Mapping[str, NDArray[Any]]
) -> AnyNetwork:
    """A network with the given weights, in evaluation mode, on the CPU.

    Args:
        architecture: How it is built.
        num_classes: K.
        arrays: By state-dict name, as from `file.read_model`; other names are ignored.

    Raises:
        ModelFileError: A tensor is missing or has another shape.
    """
    # On "meta" nothing is drawn that the weights would replace: that took longer than all the rest.
    with torch.device("meta"):
        network = empty_network(architecture, num_classes)
    state = {
        name: torch.zeros((), dtype=torch.int64) for name in network.state_dict() if name.endswith(_COUNTER)
    }
    for name, shape in tensor_shapes(architecture, num_classes).items():
        if name not in arrays or arrays[name].shape != shape:
            raise ModelFileError(
                f"The weights do not fit the architecture at {name}; retrain or choose another."
            )
        state[name] = torch.from_numpy(np.array(arrays[name], dtype=np.float32))
    network.load_state_dict(state, assign=True)
    return network.eval()


def start_from_resnet(network: SemcNetwork, state: Mapping[str, Tensor]) -> None:
    """Copy a torchvision ResNet's weights: stem, stages 1-3, and its stage 4 into every expert.

    A three-channel stem is summed over its channels for a gray network.

    Raises:
        ModelFileError: The ResNet is of another depth or width.
    """
    own = network.state_dict()
    for name in own:
        parts = name.split(".")
        source = ".".join(["layer4", *parts[2:]]) if parts[0] == "experts" else name
        if parts[0] not in ("conv1", "bn1", "layer1", "layer2", "layer3", "experts"):
            continue
        if name.endswith(_COUNTER) and source not in state:
            continue  # older files of torchvision have none
        if source not in state:
            raise ModelFileError(f"The ResNet has no {source}; take one of the same depth.")
        value = state[source]
        if name == "conv1.weight" and own[name].shape[1] == 1:
            value = value.sum(dim=1, keepdim=True)
        if value.shape != own[name].shape:
            raise ModelFileError(f"The ResNet's {source} has another shape; take one of the same width.")
        own[name] = value.clone()
    network.load_state_dict(own)


_PICTURES: Final = 2
_BLOBS: Final = 9  # bright areas along each side of a picture


def made_up_pictures(height: int, width: int, count: int = _PICTURES) -> list[NDArray[np.uint8]]:
    """uint8 (height, width) gray pictures of bright areas with speckle in them."""
    pictures = []
    for seed in range(count):
        rng = np.random.default_rng([2711, seed])
        coarse = cv2.resize(
            rng.random((_BLOBS, _BLOBS), np.float32), (width, height), interpolation=cv2.INTER_LINEAR
        )
        speckle = rng.rayleigh(0.8, (height, width))
        pictures.append(np.clip(255 * coarse**2 * speckle, 0, 255).astype(np.uint8))
    return pictures


def verification_tensors(network: AnyNetwork, spec: ModelSpec) -> Arrays:
    """The tensors `verify.inputs` and `verify.logits` of a model file.

    Args:
        network: In evaluation mode, float32, on any device.
        spec: Of the model file; its preprocessing makes the inputs.
    """
    p = spec.preprocessing
    pictures = made_up_pictures(p.height + p.height // 4, p.width + p.width // 4)
    inputs = np.stack([prepare(picture, whole(picture), p) for picture in pictures])
    device = next(network.parameters()).device
    # One by one, as the runtimes do.
    with torch.inference_mode():
        logits = torch.cat([network(torch.from_numpy(one[None]).to(device)) for one in inputs])
    return dict(zip(VERIFY, (inputs, logits.float().cpu().numpy()), strict=True))
