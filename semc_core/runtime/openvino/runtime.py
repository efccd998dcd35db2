"""Runs a model on the CPU through OpenVINO in float32, bfloat16 or int8. PyTorch is not imported.

Every frame is run by itself, also in a batch: it was measured that batches of 8 gain 7 % at most, while
frames that run side by side on several cores gain much more, and one frame has one answer whatever its batch.

Run a graph's convolutions in 8-bit integers, from the ranges that a quantised model file holds.

For each such convolution NODE, named as in the graph, the file has, beside the network's float32 weights:
`int8.NODE.input` (2,), the least and the greatest input that 8 bits have to tell apart; `int8.NODE.step`
(O,), what one step of an output channel's integer weights is worth; and, where it was corrected,
`int8.NODE.bias` (O,). `runtime.quantise` makes them. Here they become OpenVINO's FakeQuantize operations,
from which it makes integer convolutions. No NNCF here.

The weights' integers are within -63 to 64: two products of an 8-bit input with one of them fit in 16 bits, so
that processors without the instructions for more (VNNI) give the same sums as those with them.

Shapes: O output channels.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.errors import ModelFileError, RuntimeFault
from semc_core.io.process import usable_cores
from semc_core.language import _
from semc_core.model.file import INT8_PREFIX, read_model
from semc_core.model.spec import ModelSpec
from semc_core.paths import cache_folder
from semc_core.runtime.base import checked_inputs
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.graph import OUTPUTS, Node, build_graph
from semc_core.types import Prediction

_log = logging.getLogger(__name__)

_HINTS: Final = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What the operations compute in that are not in integers."""


class OpenVinoRuntime:
    """`Runtime` on the CPU. Ready, that is warmed up, when constructed."""

    def __init__(
        self, path: Path, threads: int | None = None, cache: Path | None = None, precision: str = "auto"
    ) -> None:
        """Load and compile.

        Args:
            path: The model file.
            threads: Most threads that may be used. By default half of the cores for a single frame, so that
                the rest of the program keeps the others, and all of them for a batch.
            cache: Folder for the compiled model; the user's cache folder by default.
            precision: "float32", "bfloat16", "int8", or "auto", which is int8 if the file was quantised,
                else float32 (docs/decisions/0005).

        Raises:
            ModelFileError: The file is missing, damaged, or not one of ours.
            RuntimeFault: OpenVINO cannot run it, or not in this precision on this processor.
        """
        cores = usable_cores()
        self._spec, self._arrays = read_model(path)
        self._precision = _possible(precision, is_quantized(self._arrays))
        self._calibrator = Calibrator(self._spec, self._arrays)
        self._threads = max(1, threads if threads is not None else cores // 2)
        self._batch_threads = max(1, threads if threads is not None else cores)
        self._cache = _writable(cache_folder() / "openvino" if cache is None else cache)
        self._single: list[_Request] = self._compile(self._threads, streams=1)
        self._several: list[_Request] = []
        p = self._spec.preprocessing
        self.classify(np.zeros((1, self._spec.architecture.in_channels, p.height, p.width), np.float32))

    @property
    def spec(self) -> ModelSpec:
        """From the model file."""
        return self._spec

    @property
    def device_name(self) -> str:
        """For the user."""
        return f"CPU, OpenVINO {self._precision}"

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        """See `Runtime.classify`."""
        return self._calibrator.predictions(self.raw(inputs))

    def raw(self, inputs: NDArray[np.float32]) -> RawOutput:
        """The network's numbers before calibration, for inputs as `classify` takes them.

        Raises:
            RuntimeFault: The model could not be run.
        """
        frames = checked_inputs(inputs, self._spec)
        if not self._single:
            raise RuntimeFault(_("The model was closed; load it again."))
        requests = self._single if len(frames) == 1 else self._requests_for_several()
        try:
            return _run(requests, frames)
        except (RuntimeError, MemoryError) as error:
            raise _fault("run", error) from error

    def close(self) -> None:
        """Release the compiled models. May be called twice."""
        self._single, self._several = [], []

    def _requests_for_several(self) -> list[_Request]:
        """One request per core, compiled when first needed: live video never needs it."""
        if not self._several:
            one_is_enough = self._batch_threads == 1 and self._threads == 1
            self._several = (
                self._single if one_is_enough else self._compile(self._batch_threads, self._batch_threads)
            )
        return self._several

    def _compile(self, threads: int, streams: int) -> list[_Request]:
        """Inference requests, one per stream, that share `threads` threads."""
        options: dict[str, Any] = {
            # Always said: on CPUs with bfloat16 OpenVINO would otherwise choose that.
            "INFERENCE_PRECISION_HINT": _HINTS[self._precision],
            "PERFORMANCE_HINT": "LATENCY",
            # Else it keeps its threads on the first cores, where those of every other process are, too.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
        }
        if self._cache is not None:
            options["CACHE_DIR"] = str(self._cache)
        try:
            graph = build_graph(self._spec, self._arrays, batch=1)
            if self._precision == "int8":
                make_integer(graph, self._arrays)
            compiled = ov.Core().compile_model(graph, "CPU", options)
            return [_Request(compiled.create_infer_request()) for _number in range(streams)]
        except (RuntimeError, MemoryError) as error:
            raise _fault("compile", error) from error


_OF_MEMORY: Final = (
    "bad_alloc", "bad alloc", "cannot allocate", "failed to map segment", "out of memory",
    "resource temporarily unavailable",
)  # fmt: skip
"""What OpenVINO's messages hold where memory is short; they are lines of its own source files."""


def _fault(what: Literal["run", "compile"], error: Exception) -> RuntimeFault:
    """The sentence about what OpenVINO could not do."""
    text = str(error)
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _OF_MEMORY):
        if what == "run":
            memory = _(
                "There is too little memory to run the model; close other programs, or choose a smaller one."
            )
        else:
            memory = _(
                "There is too little memory to compile the model; close other programs, or choose a smaller "
                "one."
            )
        return RuntimeFault(memory)
    lines = [line.strip() for line in text.splitlines() if line.strip() and "Exception from" not in line]
    why = lines[-1].rstrip(".") if lines else type(error).__name__
    if what == "run":
        return RuntimeFault(_("OpenVINO could not run the model ({reason}); load it again.", reason=why))
    return RuntimeFault(_("OpenVINO could not compile the model ({reason}); load it again.", reason=why))


def _possible(precision: str, quantised: bool) -> str:
    """The precision that is meant, if this model and this processor have it.

    Raises:
        RuntimeFault: They have not.
    """
    if precision == "auto":
        return "int8" if quantised else "float32"
    if precision not in _HINTS:
        raise RuntimeFault(
            _("The CPU does not run a model in {precision}; choose the precision auto.", precision=precision)
        )
    if precision == "int8" and not quantised:
        raise RuntimeFault(
            _(
                "This model file was not quantised; make one that is with semc model quantise, or "
                "choose float32."
            )
        )
    if precision == "bfloat16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeFault(_("This processor has no bfloat16; choose the precision auto or float32."))
    return precision


class _Request:
    """An inference request of one frame. What goes in and out lies in memory that stays the same."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._input = request.get_input_tensor(0).data
        self._outputs = [request.get_tensor(name).data for name in OUTPUTS]

    def start(self, frame: NDArray[np.float32]) -> None:
        """Begin with (1, C, h, w)."""
        self._input[:] = frame
        self._request.start_async()

    def answer(self) -> list[NDArray[np.float32]]:
        """Of `OUTPUTS`, each with a first axis of 1; to be copied before the next `start`."""
        self._request.wait()
        return self._outputs


def _run(requests: list[_Request], frames: NDArray[np.float32]) -> RawOutput:
    """Run frame i on request i mod S; results in the order of the frames."""
    columns: list[NDArray[np.float32]] = []
    count = len(requests)
    for index in range(len(frames) + count):
        request = requests[index % count]
        if index >= count and index - count < len(frames):
            answer = request.answer()
            columns = columns or [np.empty((len(frames), *each.shape[1:]), np.float32) for each in answer]
            for column, each in zip(columns, answer, strict=True):
                column[index - count] = each[0]
        if index < len(frames):
            request.start(frames[index : index + 1])
    return RawOutput(*columns)


def _writable(folder: Path) -> Path | None:
    """The folder, made if need be; None, with a line in the log, if it cannot be: it only saves time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("Compiled models are not kept, %s cannot be written: %s", folder, error.strerror)
        return None
    return folder if os.access(folder, os.W_OK) else None


_LEVELS: Final = 256
_STEPS_BELOW: Final = 128
"""Integer weights are -128 to 127 for OpenVINO; they use half of that, see above."""

_FLOAT: Final = ("classifiers.", ".channel.", ".spatial.", "adaption.3")
"""In names of convolutions that stay in float32: they cost nothing, and give the numbers or weigh others."""


def is_quantized(arrays: Arrays) -> bool:
    """Whether a model file holds what int8 needs."""
    return any(name.startswith(INT8_PREFIX) for name in arrays)


def integer_convolutions(graph: ov.Model) -> Iterator[Node]:
    """The convolutions that gain from int8, in order.

    Depth-wise ones do not (they wait for memory), nor does a stem that sees one channel.
    """
    for node in graph.get_ordered_ops():
        name = node.get_friendly_name()
        kept = node.get_type_name() != "Convolution" or any(part in name for part in _FLOAT)
        if not kept and node.input(1).get_shape()[1] > 1:
            yield node


def bias_of(convolution: Node) -> Node | None:
    """The input (a port) through which a convolution's bias is added; None if it has none of its own."""
    readers = list(convolution.output(0).get_target_inputs())
    if len(readers) != 1 or readers[0].get_node().get_type_name() != "Add":
        return None
    port = readers[0].get_node().input(1 - readers[0].get_index())
    return port if port.get_source_output().get_node().get_type_name() == "Constant" else None


def make_integer(graph: ov.Model, arrays: Arrays) -> None:
    """Put the quantisation of a model file into its float32 graph.

    Raises:
        ModelFileError: It does not fit the graph.
    """
    nodes = {node.get_friendly_name(): node for node in integer_convolutions(graph)}
    made: dict[tuple[str, int, bytes], Node] = {}
    for key in (name for name in arrays if name.startswith(INT8_PREFIX)):
        name, _dot, what = key.removeprefix(INT8_PREFIX).rpartition(".")
        if name not in nodes or what not in ("input", "step", "bias"):
            raise _unfit(key)
        if f"{INT8_PREFIX}{name}.input" not in arrays or f"{INT8_PREFIX}{name}.step" not in arrays:
            raise _unfit(key)
        if what == "input":
            _quantise_input(nodes[name], arrays[key], key, made)
        elif what == "step":
            _quantise_weights(nodes[name], arrays[key], key)
        else:
            _replace_bias(nodes[name], arrays[key], key)


def _quantise_input(
    node: Node, limits: NDArray[np.float32], key: str, made: dict[tuple[str, int, bytes], Node]
) -> None:
    """Convolutions that see the same share one operation."""
    if limits.shape != (2,) or not limits[0] <= 0 < limits[1]:
        raise _unfit(key)
    port = node.input(0)
    above = port.get_source_output().get_node()
    if above.get_type_name() == "MaxPool":  # the largest of the integers is the integer of the largest
        port = above.input(0)
    source = port.get_source_output()
    if source.get_node().get_type_name() == "FakeQuantize":
        return
    known = (source.get_node().get_name(), source.get_index(), limits.tobytes())
    if known not in made:
        low, high = ops.constant(limits[0]), ops.constant(limits[1])
        made[known] = ops.fake_quantize(source, low, high, low, high, _LEVELS)
    port.replace_source_output(made[known].output(0))


def _quantise_weights(node: Node, steps: NDArray[np.float32], key: str) -> None:
    port = node.input(1)
    if steps.shape != (port.get_shape()[0],) or not (steps > 0).all():
        raise _unfit(key)
    column = steps.reshape(-1, 1, 1, 1)
    low = ops.constant(-_STEPS_BELOW * column)
    high = ops.constant((_STEPS_BELOW - 1) * column)
    port.replace_source_output(
        ops.fake_quantize(port.get_source_output(), low, high, low, high, _LEVELS).output(0)
    )


def _replace_bias(node: Node, bias: NDArray[np.float32], key: str) -> None:
    port = bias_of(node)
    if port is None or bias.shape != (port.get_shape()[1],):
        raise _unfit(key)
    port.replace_source_output(ops.constant(bias.reshape(1, -1, 1, 1)).output(0))


def _unfit(key: str) -> ModelFileError:
    return ModelFileError(
        _(
            "The model file's int8 quantisation does not fit this program at {key}; quantise the "
            "model again.",
            key=key,
        )
    )
