"""What every runtime promises. `tests/runtime/test_runtime_contract.py` holds each of them to it.

What every runtime checks before it runs.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.runtime.calibration import RawOutput
from semc_core.types import Prediction


class Runtime(Protocol):
    """A loaded, warmed-up model that classifies prepared frames. One caller at a time."""

    @property
    def spec(self) -> ModelSpec:
        """Classes, preprocessing, thresholds and provenance, from the model file."""
        ...

    @property
    def device_name(self) -> str:
        """For the user: "CPU, OpenVINO float32", "NVIDIA ..., half precision"."""
        ...

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """Classify a batch.

        Args:
            inputs: float32 (N, C, H, W) from `preprocess.prepare`, N at least 1, any N.

        Raises:
            RuntimeFault: The model could not be run or its output is not finite.
        """
        ...

    def close(self) -> None:
        """Release the device. May be called twice.

        `classify` and `raw` then raise a RuntimeFault whose sentence says "closed".
        """
        ...


class RawRuntime(Runtime, Protocol):
    """A runtime that also gives the numbers before calibration. Those of model files do."""

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """What the network gives for a batch, as `Runtime.classify` takes it; raises the same."""
        ...


def checked_inputs(inputs: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    """`inputs` as a contiguous float32 (N, C, H, W).

    Raises:
        RuntimeFault: They were not prepared for this model.
    """
    expected = (spec.architecture.in_channels, spec.preprocessing.height, spec.preprocessing.width)
    if inputs.ndim != 4 or inputs.shape[1:] != expected or not len(inputs) or inputs.dtype != np.float32:
        raise RuntimeFault(
            _(
                "The frames are {kind} {shape} and the model wants float32 (N, {wanted}); prepare them with "
                "the model's own preprocessing.",
                kind=inputs.dtype,
                shape=inputs.shape,
                wanted=", ".join(map(str, expected)),
            )
        )
    return np.ascontiguousarray(inputs)
