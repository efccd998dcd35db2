"""What lets a model file be checked later: a few inputs, and the logits that the network gave for them.

The pictures are made up, so that no file carries anybody's.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.imaging.preprocess import prepare, whole
from semc_core.model.file import VERIFY, Arrays
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import AnyNetwork

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
