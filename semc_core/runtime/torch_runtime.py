"""Runs a model through PyTorch: CUDA in half precision, or the CPU in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from semc_core.errors import RuntimeFault
from semc_core.frames import Prediction
from semc_core.model.file import read_model
from semc_core.model.network import Details
from semc_core.model.sononet import SonoNetDetails
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import AnyNetwork, build_network
from semc_core.runtime.calibrate import Calibrator, RawOutput
from semc_core.runtime.inputs import checked_inputs


class TorchRuntime:
    """`Runtime` on "cuda" or "cpu". Ready, that is warmed up, when constructed."""

    def __init__(self, path: Path, device: str, threads: int | None = None) -> None:
        """Load.

        Args:
            path: The model file.
            device: "cuda" or "cpu".
            threads: Threads on the CPU, for the whole process; None leaves PyTorch's own choice.

        Raises:
            ModelFileError: The file is missing, damaged, or not one of ours.
            RuntimeFault: There is no such device, or it cannot run the model.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeFault("PyTorch finds no NVIDIA GPU here; choose the device cpu.")
        if threads is not None:
            torch.set_num_threads(max(1, threads))
        self._spec, arrays = read_model(path)
        self._calibrator = Calibrator(self._spec, arrays)
        self._device = torch.device(device)
        network = build_network(self._spec.architecture, len(self._spec.classes), arrays)
        self._network: AnyNetwork | None = network.to(self._device)
        if device == "cuda":
            make_half(network)
        p = self._spec.preprocessing
        self.classify(np.zeros((1, self._spec.architecture.in_channels, p.height, p.width), np.float32))

    @property
    def spec(self) -> ModelSpec:
        """From the model file."""
        return self._spec

    @property
    def device_name(self) -> str:
        """For the user."""
        if self._device.type == "cuda":
            return f"{torch.cuda.get_device_name(self._device)}, half precision"
        return "CPU, PyTorch float32"

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime.classify`."""
        return self._calibrator.predictions(self.raw(inputs))

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """The network's numbers before calibration, for inputs as `classify` takes them.

        Raises:
            RuntimeFault: The model could not be run.
        """
        frames = checked_inputs(inputs, self._spec)
        if self._network is None:
            raise RuntimeFault("The model was closed; load it again.")
        try:
            with torch.inference_mode():
                x = torch.from_numpy(frames).to(self._device)
                if self._device.type == "cuda":
                    x = x.to(torch.float16, memory_format=torch.channels_last)
                return _to_arrays(self._network.details(x))
        except RuntimeError as error:  # among them torch.cuda.OutOfMemoryError
            raise RuntimeFault(
                f"PyTorch could not run the model ({error}); choose the device cpu."
            ) from error

    def close(self) -> None:
        """Release the device's memory. May be called twice."""
        self._network = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def make_half(network: AnyNetwork) -> None:
    """Half precision where the work is; what gives the numbers, the gate and classifiers, stays float32.

    So does BatchNorm: its variances do not fit in half precision where a model's inputs are large, as
    SonoNet's are.
    """
    network.to(memory_format=torch.channels_last)
    for name, part in network.named_children():
        if name not in ("gate", "classifiers", "adaption"):
            for layer in part.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    layer.half()


def _to_arrays(details: Details | SonoNetDetails) -> RawOutput:
    tensors = (details.logits, details.expert_weights, details.maps, details.fused_pooled)
    logits, weights, maps, pooled = (tensor.float().cpu().numpy() for tensor in tensors)
    return RawOutput(logits, weights, maps, pooled)
