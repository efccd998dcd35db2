"""Runs a model through PyTorch: CUDA in half precision, or the CPU in float32.

On a GPU it runs the folded network (`runtime.torch_folded`); where half precision gives a number that is not
finite, the same frame is answered in float32, and every frame after it. On the CPU in float32 it runs the
network as it was trained, to compare others with. The CPU in half precision is for tests: the same steps as
on a GPU, slowly.

One frame after another through a folded network: upload, run, download, several frames in flight.

Every frame is run by itself, also in a batch, as on the CPU: one frame has one answer whatever came with it.
What a batch would gain on a GPU comes from the frames in flight, each with a stream of its own, so that one
is copied while another is computed.

What a folded network gets on a GPU beside its weights: side streams, and kernels that do more at once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.errors import RuntimeFault
from semc_core.language import _
from semc_core.model.file import read_model
from semc_core.model.network import Details
from semc_core.model.sononet import SonoNetDetails
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import AnyNetwork, build_network
from semc_core.runtime.base import checked_inputs
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.torch.layers import FoldedConvolution, new_event, new_stream
from semc_core.runtime.torch.network import FoldedNetwork, FoldedSemc, Outputs, folded_network
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
            experts: Form of the folded network's experts (`torch.network.EXPERT_FORMS`).

        Raises:
            ModelFileError: The file is missing, damaged, or not one of ours.
            RuntimeFault: There is no such device, or it cannot run the model in this precision.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeFault(_("PyTorch finds no NVIDIA GPU here; choose the device cpu."))
        self._precision = ("float16" if device == "cuda" else "float32") if precision == "auto" else precision
        if self._precision not in _PRECISIONS:
            raise RuntimeFault(
                _(
                    "PyTorch runs in {precisions}, not in {precision}; choose the precision auto.",
                    precisions=", ".join(_PRECISIONS),
                    precision=precision,
                )
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
            raise RuntimeFault(_("The model was closed; load it again."))
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
                _("PyTorch could not run the model ({reason}); choose the device cpu.", reason=error)
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
                _("PyTorch could not load the model ({reason}); choose the device cpu.", reason=error)
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


Network = Callable[[Tensor], Outputs]


class Slot:
    """What one frame in flight needs: buffers on both sides and, on a GPU, a stream and a CUDA graph.

    On the CPU the steps are the same and each is done when its call returns.
    """

    def __init__(self, network: Network, shape: tuple[int, int, int], device: torch.device) -> None:
        """Warm up; on a GPU, record the graph.

        Args:
            network: Takes float32 (1, C, H, W) on `device`.
            shape: C, H, W of a frame.
            device: "cpu" or "cuda".
        """
        self._network = network
        gpu = device.type == "cuda"
        # Pinned memory is what a copy needs to run beside the computation.
        self._frame = torch.empty((1, *shape), pin_memory=gpu)
        self._input = torch.zeros((1, *shape), device=device)
        self._stream = new_stream(device) if gpu else None
        self._done = new_event() if gpu else None
        self._graph: torch.cuda.CUDAGraph | None = None
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(device))
        with torch.inference_mode(), self._on_stream():
            self._outputs = network(self._input)
            self._answer = Outputs(*(torch.empty(o.shape, pin_memory=gpu) for o in self._outputs))
        if gpu:
            self._record()

    def start(self, frame: NDArray[np.float32]) -> None:
        """Queue the three steps for a frame, float32 (1, C, H, W). The array may be changed afterwards."""
        with torch.inference_mode(), self._on_stream():
            self._upload(frame)
            self._run()
            self._download()

    def finish(self) -> tuple[NDArray[np.float32], ...]:
        """Wait for the frame that was started; what the network says of it, in the order of `Outputs`."""
        if self._done is not None:
            self._done.synchronize()
        return tuple(np.array(values.numpy()) for values in self._answer)

    def _upload(self, frame: NDArray[np.float32]) -> None:
        self._frame.copy_(torch.from_numpy(frame))
        self._input.copy_(self._frame, non_blocking=True)

    def _run(self) -> None:
        if self._graph is None:
            self._outputs = self._network(self._input)
        else:
            self._graph.replay()

    def _download(self) -> None:
        for kept, computed in zip(self._answer, self._outputs, strict=True):
            kept.copy_(computed, non_blocking=True)
        if self._done is not None:
            self._done.record()

    def _record(self) -> None:
        """Record the network as a CUDA graph, so that a frame costs one launch and not hundreds."""
        assert self._stream is not None
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode():
            # A second run before the recording: libraries choose and load their kernels in the first ones.
            with self._on_stream():
                self._network(self._input)
            self._stream.synchronize()
            with torch.cuda.graph(graph, stream=self._stream):
                self._outputs = self._network(self._input)
        self._graph = graph

    def _on_stream(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext() if self._stream is None else torch.cuda.stream(self._stream)


def run_frames(slots: Sequence[Slot], frames: NDArray[np.float32]) -> RawOutput:
    """Run frame i, float32 (N, C, H, W), in slot i mod S; results in the order of the frames."""
    rows: list[tuple[NDArray[np.float32], ...]] = []
    count = len(slots)
    for index in range(len(frames) + count):
        slot = slots[index % count]
        if 0 <= index - count < len(frames):
            rows.append(slot.finish())
        if index < len(frames):
            slot.start(frames[index : index + 1])
    return RawOutput(*(np.concatenate(column) for column in zip(*rows, strict=True)))


_FUSED_TOLERANCE: Final = 5e-2
"""Largest difference between fused and plain kernels, in standard deviations of the logits."""


def exact_kernels() -> AbstractContextManager[Any]:
    """In here cuDNN takes the same kernel every time, whatever else runs, and no shortened float32 (TF32).

    Choosing kernels by trying them out would be faster at times, but two processes could then differ.
    """
    flags: AbstractContextManager[Any] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags


def move_to_gpu(network: FoldedNetwork, device: torch.device, frame: Tensor) -> None:
    """Move the network and fit it to the GPU.

    Args:
        network: On the CPU, in its precision.
        device: The GPU.
        frame: float32 (1, C, H, W) on the GPU, something like a picture, to try the kernels on.
    """
    network.to(device)
    if isinstance(network, FoldedSemc):
        count = 2 * network.architecture.experts
        network.side_streams = [new_stream(device) for _number in range(count)]
    with torch.inference_mode():
        plain = network(frame).logits
        fuse(network, True)
        if not _same(network, frame, plain):
            fuse(network, False)
    torch.cuda.synchronize(device)


def fuse(network: FoldedNetwork, wanted: bool) -> None:
    """Give ReLU and shortcut to cuDNN together with the convolution, or not; not to depth-wise ones."""
    for layer in network.modules():
        if isinstance(layer, FoldedConvolution):
            layer.fused = wanted and layer.kernel.shape[1] > 1


def _same(network: FoldedNetwork, frame: Tensor, plain: Tensor) -> bool:
    """Whether the network with fused kernels runs, and gives what it gives with plain ones."""
    try:
        fused = network(frame).logits
    except RuntimeError as error:
        _log.warning("This GPU's cuDNN has no fused convolutions (%s); plain ones are used.", error)
        return False
    limit = _FUSED_TOLERANCE * float(plain.std())
    if not torch.allclose(fused, plain, rtol=0.0, atol=limit, equal_nan=True):
        _log.warning("Fused convolutions give other numbers on this GPU; plain ones are used.")
        return False
    return True
