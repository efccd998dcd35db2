"""What `semc bench network` compares: one network in every runtime and precision, on the same frames.

Untrained networks get weights of their own in every expert (OpenVINO computes experts of equal weights only
once), and classifiers and a gate that are spread over the frames: otherwise every picture would be given the
same class, and every runtime would agree.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.imaging.preprocess import prepare, whole
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import VERIFY, Arrays, read_model, write_model
from semc_core.model.network import Details, SemcNetwork
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import AnyNetwork, build_network
from semc_core.paths import DEFAULT_MODEL
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.openvino.runtime import OpenVinoRuntime, is_quantized
from semc_core.runtime.quantize import ranged_arrays
from semc_core.runtime.torch.network import EXPERT_FORMS
from semc_core.runtime.torch.runtime import TorchRuntime, exact_kernels

EAGER: Final = "PyTorch eager"
RUNTIMES: Final = {"cpu": ("pytorch", "openvino"), "cuda": ("pytorch", "graph")}
PRECISIONS: Final = {"cpu": ("float32", "bfloat16", "int8"), "cuda": ("float32", "bfloat16", "float16")}

_PATIENTS: Final = 8
_FIRST_PATIENT: Final = 2100
_FRAMES_FOR_RANGES: Final = 4
_SPREAD: Final = 2.0
"""Standard deviation of an untrained expert's logits over the frames."""

Classify = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""One frame, float32 (1, C, H, W), through a network -> its logits, float32 (K,)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network that is ready, and what there is to remark on it once it has run."""

    classify: Classify
    remark: Callable[[], str] = lambda: ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to run a network.

    Attributes:
        runtime: For the table.
        precision: The same.
        load: Makes it ready; raises RuntimeFault if this machine cannot.
    """

    runtime: str
    precision: str
    load: Callable[[], Loaded]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked to compare.

    Attributes:
        device: "cpu" or "cuda".
        threads: Of the CPU, for every candidate alike.
        runtimes: Of `RUNTIMES`; eager PyTorch in float32 is always there, to compare with.
        precisions: Of `PRECISIONS`.
    """

    device: str
    threads: int
    runtimes: Sequence[str]
    precisions: Sequence[str]


def simulated_frames(spec: ModelSpec, count: int, begin: int = 37) -> NDArray[np.float32]:
    """Prepared frames of simulated patients that no model was trained on, float32 (count, C, H, W).

    Args:
        spec: Says how they are prepared.
        count: How many; a second and more lies between two of a patient.
        begin: Number of each patient's first frame.
    """
    prepared = []
    for index in range(count):
        picture = _scan(index % _PATIENTS).frame(begin + 37 * (index // _PATIENTS))
        prepared.append(prepare(picture, whole(picture), spec.preprocessing))
    return np.stack(prepared)


@functools.cache
def _scan(patient: int) -> SimulatedScan:
    return SimulatedScan(_FIRST_PATIENT + patient, furniture=False)


def model_to_measure(preset: str, size: tuple[int, int] | None) -> tuple[ModelSpec, Arrays]:
    """The shipped model, or an untrained one of another preset; at another input size, if one is given.

    Raises:
        UsageError: There is no such preset.
        ModelFileError: The shipped model is not there.
    """
    spec = new_spec(preset, LIVER_CLASSES)
    if preset == "semc_live":
        spec, arrays = read_model(DEFAULT_MODEL)
    else:
        arrays = random_weights(spec.architecture, len(spec.classes))
    if size is not None:
        spec = replace(spec, preprocessing=replace(spec.preprocessing, height=size[0], width=size[1]))
    return spec, {name: values for name, values in arrays.items() if name not in VERIFY}


def spread_untrained(spec: ModelSpec, arrays: Arrays, frames: NDArray[np.float32], device: str) -> None:
    """Change classifiers and gate, in place, so that the frames are given all the classes by all experts."""
    network = build_network(spec.architecture, len(spec.classes), arrays).to(device)
    assert isinstance(network, SemcNetwork)
    with torch.inference_mode(), exact_kernels():
        seen = [network.details(torch.from_numpy(frame[None]).to(device)) for frame in frames]
    logits = torch.cat([one.expert_logits for one in seen]).cpu().numpy()  # (N, E, K)
    for expert in range(spec.architecture.experts):
        _spread(arrays, f"classifiers.{expert}", logits[:, expert], _SPREAD)
    pooled = torch.cat([_gate_input(spec, one) for one in seen]).cpu().numpy()
    scores = pooled @ arrays["gate.score.weight"].T + arrays["gate.score.bias"]
    _spread(arrays, "gate.score", scores, 1.0)


def _gate_input(spec: ModelSpec, details: Details) -> torch.Tensor:
    return details.deep_pooled if spec.architecture.gate_input == "deep" else details.fused_pooled


def _spread(arrays: Arrays, name: str, outputs: NDArray[np.float32], spread: float) -> None:
    """Give each output of a linear layer the mean 0 and the standard deviation `spread`."""
    scale = spread / np.maximum(outputs.std(axis=0), 1e-6)
    arrays[f"{name}.weight"] = arrays[f"{name}.weight"] * scale[:, None]
    arrays[f"{name}.bias"] = (arrays[f"{name}.bias"] - outputs.mean(axis=0)) * scale


def candidates(spec: ModelSpec, arrays: Arrays, folder: Path, wanted: Wanted) -> list[Candidate]:
    """Everything to compare; the first is eager PyTorch in float32.

    Args:
        spec: Of the model.
        arrays: Its weights.
        folder: For its file and what is compiled of it.
        wanted: What the user asked for.
    """
    path = folder / "model.safetensors"
    write_model(path, spec, arrays)
    found = [Candidate(EAGER, "float32", lambda: eager(spec, arrays, wanted.device, exact=True))]
    if wanted.device == "cuda":
        found.append(Candidate(EAGER, "float32 (TF32)", lambda: eager(spec, arrays, "cuda", exact=False)))
        if "graph" in wanted.runtimes:
            found += _on_gpu(path, wanted)
        return found
    if "openvino" in wanted.runtimes:
        quantised = path
        if "int8" in wanted.precisions and not is_quantized(arrays):
            quantised = folder / "int8.safetensors"
            ranges = ranged_arrays(spec, arrays, simulated_frames(spec, _FRAMES_FOR_RANGES, begin=19))
            write_model(quantised, spec, arrays | ranges)
        found += [
            _openvino(quantised if precision == "int8" else path, folder, wanted, precision)
            for precision in wanted.precisions
        ]
    if "pytorch" in wanted.runtimes and "bfloat16" in wanted.precisions:
        found.append(Candidate("PyTorch folded", "bfloat16", lambda: _torch_bfloat16(path, wanted)))
    return found


def eager(spec: ModelSpec, arrays: Arrays, device: str, exact: bool) -> Loaded:
    """The network as it was trained, in float32; on a GPU, `exact` keeps it from using TF32."""
    network: AnyNetwork = build_network(spec.architecture, len(spec.classes), arrays).to(device)

    def classify(frame: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = network(torch.from_numpy(frame).to(device)).cpu().numpy()[0]
        return logits

    def classify_exactly(frame: NDArray[np.float32]) -> NDArray[np.float32]:
        with exact_kernels():
            return classify(frame)

    return Loaded(classify_exactly if exact else classify)


def _openvino(path: Path, folder: Path, wanted: Wanted, precision: str) -> Candidate:
    def load() -> Loaded:
        runtime = OpenVinoRuntime(path, wanted.threads, folder / "compiled", precision)
        return Loaded(lambda frame: runtime.raw(frame).logits[0])

    return Candidate("OpenVINO", precision, load)


def _torch(path: Path, wanted: Wanted, precision: str, experts: str = "separate") -> Loaded:
    runtime = TorchRuntime(path, wanted.device, wanted.threads, precision, experts)
    return Loaded(
        lambda frame: runtime.raw(frame).logits[0],
        lambda: "overflowed: ran in float32" if "overflowed" in runtime.device_name else "",
    )


def _torch_bfloat16(path: Path, wanted: Wanted) -> Loaded:
    if "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeFault("This processor has no bfloat16; PyTorch would only emulate it.")
    return _torch(path, wanted, "bfloat16")


def _on_gpu(path: Path, wanted: Wanted) -> list[Candidate]:
    def load(precision: str, experts: str) -> Callable[[], Loaded]:
        return lambda: _torch(path, wanted, precision, experts)

    return [
        Candidate(f"CUDA graph, experts {experts}", precision, load(precision, experts))
        for precision in wanted.precisions
        for experts in EXPERT_FORMS
        if precision != "int8"
    ]
