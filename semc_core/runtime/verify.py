"""Does a runtime give here what the network gave when the model file was made?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.extras import installed
from semc_core.language import _
from semc_core.model.file import VERIFY, VERIFY_INT8, Arrays, read_model
from semc_core.runtime.calibration import RawOutput
from semc_core.runtime.load import nvidia_gpu_present

LIMIT: Final = 1e-3
"""Largest difference of a logit that passes in float32, in standard deviations of the stored logits."""
LIMIT_HALF: Final = 5e-2
"""The same in half precision, and in int8 against what int8 gave when the file was quantised."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How one runtime did.

    Attributes:
        runtime: Its name, for the user.
        difference: Largest difference from the stored logits, in standard deviations of those.
        limit: What passes.
        same_classes: Whether the most probable class is the stored one in every picture.
    """

    runtime: str
    difference: float
    limit: float
    same_classes: bool

    @property
    def passed(self) -> bool:
        """Whether the runtime may be trusted with this file."""
        return self.same_classes and self.difference <= self.limit


class _Raw(Protocol):
    @property
    def device_name(self) -> str: ...

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput: ...

    def close(self) -> None: ...


def verify(path: Path, threads: int | None = None) -> list[Verified]:
    """Run a model file's stored inputs through every runtime that there is.

    Raises:
        ModelFileError: There is no such model file, or it has no stored inputs.
        RuntimeFault: A runtime cannot run it.
    """
    arrays = _stored(path)
    inputs, logits = (arrays[name] for name in VERIFY)
    verified = _on_openvino(path, arrays, threads)
    if not installed("torch"):
        # Nothing runs on it here, so there is nothing to compare.
        return verified
    from semc_core.runtime.torch.runtime import TorchRuntime

    verified.insert(1, _compared(TorchRuntime(path, "cpu", threads), inputs, logits, LIMIT))
    if nvidia_gpu_present():
        verified.append(_compared(TorchRuntime(path, "cuda"), inputs, logits, LIMIT_HALF))
    return verified


def check_usable(path: Path, threads: int | None = None) -> None:
    """Whether a file may be offered as a model: it loads, runs, and gives here what it gave when it was made.

    On the CPU, which is there everywhere, and without PyTorch.

    Raises:
        ModelFileError: It may not; the message says why.
        RuntimeFault: The runtime cannot run it.
    """
    for one in _on_openvino(path, _stored(path), threads):
        if not one.passed:
            raise ModelFileError(
                _(
                    "{name} does not give here what it gave when it was made (on {runtime}); export "
                    "it again.",
                    name=path.name,
                    runtime=one.runtime,
                )
            )


def _stored(path: Path) -> Arrays:
    """The tensors of a model file that has its own check among them."""
    _spec, arrays = read_model(path)
    if VERIFY[0] not in arrays:
        raise ModelFileError(
            _(
                "{name} holds no inputs and outputs to verify it with; import or train it again.",
                name=path.name,
            )
        )
    return arrays


def _on_openvino(path: Path, arrays: Arrays, threads: int | None) -> list[Verified]:
    from semc_core.runtime.openvino.runtime import OpenVinoRuntime

    inputs, logits = (arrays[name] for name in VERIFY)
    verified = [_compared(OpenVinoRuntime(path, threads, precision="float32"), inputs, logits, LIMIT)]
    if VERIFY_INT8 in arrays:
        integer = OpenVinoRuntime(path, threads, precision="int8")
        verified.append(_compared(integer, inputs, arrays[VERIFY_INT8], LIMIT_HALF))
    return verified


def _compared(
    runtime: _Raw, inputs: NDArray[np.float32], stored: NDArray[np.float32], limit: float
) -> Verified:
    try:
        given = np.concatenate([runtime.raw(one[None]).logits for one in inputs])
    finally:
        runtime.close()
    spread = max(float(stored.std()), float(np.finfo(np.float32).tiny))
    difference = float(np.abs(given - stored).max()) / spread
    same = bool((given.argmax(axis=1) == stored.argmax(axis=1)).all())
    # A number that is not finite must not pass for a small difference.
    return Verified(runtime.device_name, difference if np.isfinite(difference) else np.inf, limit, same)
