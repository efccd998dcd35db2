"""A model that is sure of one plane in every picture, and loops for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import write_model
from semc_core.phantom.scan import SimulatedScan
from tests.serve.objects import loop

PLANE = LIVER_CLASSES[0]
_RATE = 15
_FRAMES = 12


def write_sure_model(path: Path) -> Path:
    """Untrained but for its biases: it names `PLANE` whatever it sees."""
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    weights = random_weights(spec.architecture, len(spec.classes))
    for name, values in weights.items():
        if name.startswith("classifiers.") and name.endswith(".bias"):
            values[0] += 100
    write_model(path, spec, weights)
    return path


def scan(number: int) -> Dataset:
    """A loop of a simulated scan, in which a plane is held for `write_sure_model`'s."""
    simulated = SimulatedScan(number % 10, None, 96, 72, _RATE)
    pixels = np.stack([simulated.frame(index) for index in range(_FRAMES)])
    frames, rows, columns = pixels.shape
    return loop(
        number=number, NumberOfFrames=frames, Rows=rows, Columns=columns, FrameTime=f"{1000 / _RATE:.3f}",
        PixelData=pixels.tobytes(),
    )  # fmt: skip
