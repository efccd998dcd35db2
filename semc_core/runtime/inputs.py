"""What every runtime checks before it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.model.spec import ModelSpec


def checked_inputs(inputs: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    """`inputs` as a contiguous float32 (N, C, H, W).

    Raises:
        RuntimeFault: They were not prepared for this model.
    """
    expected = (spec.architecture.in_channels, spec.preprocessing.height, spec.preprocessing.width)
    if inputs.ndim != 4 or inputs.shape[1:] != expected or not len(inputs) or inputs.dtype != np.float32:
        raise RuntimeFault(
            f"The frames are {inputs.dtype} {inputs.shape} and the model wants float32 (N, "
            f"{', '.join(map(str, expected))}); prepare them with the model's own preprocessing."
        )
    return np.ascontiguousarray(inputs)
