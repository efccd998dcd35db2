"""Runs a model through PyTorch: CUDA in half precision, or the CPU in float32.

On a GPU it runs the folded network (`runtime.torch_folded`); where half precision gives a number that is not
finite, the same frame is answered in float32, and every frame after it. On the CPU in float32 it runs the
network as it was trained, to compare others with. The CPU in half precision is for tests: the same steps as
on a GPU, slowly.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.model.file import read_model
from semc_core.model.network import Details
from semc_core.model.sononet import SonoNetDetails
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import AnyNetwork, build_network
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.inputs import checked_inputs
from semc_core.runtime.torch.cuda_network import exact_kernels, move_to_gpu
from semc_core.runtime.torch.network import FoldedNetwork, folded_network
from semc_core.runtime.torch.slots import Slot, run_frames
from semc_core.types import Prediction

IN_FLIGHT: Final = 4
"""Frames of a batch that are under way on a GPU at a time."""

_PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_IN_WORDS: Final = {"float32": "float32", "bfloat16": "bfloat16", "float16": "half precision"}

_log = logging.getLogger(__name__)


class TorchRuntime:
    """`Runtime` on "cuda" or "cpu". Ready, that is warmed up, when constructed."""

    def __init__(
        self,
        path: Path,
        device: str,
        threads: int | None = None,
        precision: str = "auto",
        experts: str = "separate",
    ) -> None:
        """Load.

        Args:
            path: The model file.
            device: "cuda" or "cpu".
            threads: Threads on the CPU, for the whole process; None leaves PyTorch's own choice.
            precision: "auto" is half precision on a GPU and float32 on the CPU; "float32", "bfloat16" and
                "float16" are themselves.
            experts: Form of the folded network's experts (`torch_folded.EXPERT_FORMS`).

        Raises:
            ModelFileError: The file is missing, damaged, or not one of ours.
            RuntimeFault: There is no such device, or it cannot run the model in this precision.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeFault("PyTorch finds no NVIDIA GPU here; choose the device cpu.")
        self._precision = ("float16" if device == "cuda" else "float32") if precision == "auto" else precision
        if self._precision not in _PRECISIONS:
            raise RuntimeFault(
                f"PyTorch runs in {', '.join(_PRECISIONS)}, not in {precision}; choose the precision auto."
            )
        if threads is not None:
            torch.set_num_threads(max(1, threads))
        self._spec, self._arrays = read_model(path)
        self._calibrator = Calibrator(self._spec, self._arrays)
        self._device = torch.device(device)
        self._machine = f"{torch.cuda.get_device_name(device)}," if device == "cuda" else "CPU, PyTorch"
        self._experts = experts
        self._fell_back = False
        self._plain: AnyNetwork | None = None
        self._folded: FoldedNetwork | None = None
        self._slots: list[Slot] = []
        self._closed = False
        if device == "cpu" and self._precision == "float32":
            self._plain = build_network(self._spec.architecture, len(self._spec.classes), self._arrays)
        else:
            self._load_folded()
        self.classify(np.zeros((1, *self._shape), np.float32))

    @property
    def spec(self) -> ModelSpec:
        """From the model file."""
        return self._spec

    @property
    def device_name(self) -> str:
        """For the user; changes where half precision was not enough."""
        words = _IN_WORDS[self._precision]
        if self._fell_back:
            words += " (half precision overflowed)"
        return f"{self._machine} {words}"

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime.classify`."""
        predictions = self._calibrator.predictions(self.raw(inputs))
        if not self._fell_back:
            return predictions
        return [replace(prediction, device=self.device_name) for prediction in predictions]

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """The network's numbers before calibration, for inputs as `classify` takes them.

        Raises:
            RuntimeFault: The model could not be run.
        """
        frames = checked_inputs(inputs, self._spec)
        if self._closed:
            raise RuntimeFault("The model was closed; load it again.")
        raw = self._computed(frames)
        if self._precision != "float32" and not _finite(raw):
            self._fall_back()
            raw = self._computed(frames)
        return raw

    def close(self) -> None:
        """Release the device's memory. May be called twice."""
        self._closed = True
        self._plain, self._folded, self._slots = None, None, []
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _computed(self, frames: NDArray[np.float32]) -> RawOutput:
        try:
            if self._plain is not None:
                with torch.inference_mode():
                    return _to_arrays(self._plain.details(torch.from_numpy(frames)))
            return run_frames(self._slots_for(len(frames)), frames)
        except RuntimeError as error:  # among them torch.cuda.OutOfMemoryError
            raise RuntimeFault(
                f"PyTorch could not run the model ({error}); choose the device cpu."
            ) from error

    def _fall_back(self) -> None:
        """From here on in float32: a model that overflows once will do it again."""
        _log.warning(
            "Half precision gave a number that is not finite; the model runs in float32 from now on."
        )
        self._precision, self._fell_back = "float32", True
        self._load_folded()

    def _load_folded(self) -> None:
        """Make the folded network in the precision that is wanted, and the slot for single frames."""
        self._slots, self._folded = [], None
        try:
            network = folded_network(self._spec, self._arrays, _PRECISIONS[self._precision], self._experts)
            if self._device.type == "cuda":
                noise = torch.randn((1, *self._shape), generator=torch.Generator().manual_seed(0))
                with exact_kernels():
                    move_to_gpu(network, self._device, noise.to(self._device))
            self._folded = network
            self._slots_for(1)
        except RuntimeError as error:
            raise RuntimeFault(
                f"PyTorch could not load the model ({error}); choose the device cpu."
            ) from error

    def _slots_for(self, count: int) -> list[Slot]:
        """As many slots as `count` frames can use; live video never needs more than one."""
        wanted = min(count, IN_FLIGHT) if self._device.type == "cuda" else 1
        assert self._folded is not None
        with exact_kernels():
            while len(self._slots) < wanted:
                self._slots.append(Slot(self._folded, self._shape, self._device))
        return self._slots[:wanted]

    @property
    def _shape(self) -> tuple[int, int, int]:
        p = self._spec.preprocessing
        return self._spec.architecture.in_channels, p.height, p.width


def _finite(raw: RawOutput) -> bool:
    return all(np.isfinite(values).all() for values in (raw.logits, raw.expert_weights, raw.maps, raw.pooled))


def _to_arrays(details: Details | SonoNetDetails) -> RawOutput:
    tensors = (details.logits, details.expert_weights, details.maps, details.fused_pooled)
    logits, weights, maps, pooled = (tensor.numpy() for tensor in tensors)
    return RawOutput(logits, weights, maps, pooled)
