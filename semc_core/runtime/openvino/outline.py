"""Runs the network that finds outlines on the CPU through OpenVINO, in float32. PyTorch is not imported.

`model.outline` has its shapes, `training.measure.network` is the same in PyTorch.

Shapes: B batch, H x W input pixels, h x w cells of the mask (half of the input).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.errors import RuntimeFault
from semc_core.io.process import usable_cores
from semc_core.language import _
from semc_core.model.outline import CONVOLUTIONS, OutlineSpec, read_outline
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.graph import Node, convolution, folded, ints


class OutlineRuntime:
    """An outline model, ready to run."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Load and compile.

        Args:
            path: The model file.
            threads: Most threads that may be used; all cores by default. A single picture has all of them,
                of several each has its own.

        Raises:
            ModelFileError: The file is missing, damaged, or no outline model.
            RuntimeFault: OpenVINO cannot run it.
        """
        self.spec, self._arrays = read_outline(path)
        self._threads = usable_cores() if threads is None else max(1, threads)
        self._single: list[Any] = self._compiled(streams=1)
        self._several: list[Any] = self._single if self._threads == 1 else []

    def run(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where heads are, and whether there is one.

        Args:
            inputs: float32 (B, 1, H, W), from `preprocess.prepare`.

        Returns:
            Logits of the masks (B, h, w), and of presence (B,).

        Raises:
            RuntimeFault: It could not be run, or was closed.
        """
        if not self._single:
            raise RuntimeFault(_("The outline model was closed; load it again."))
        if len(inputs) > 1 and not self._several:
            self._several = self._compiled(streams=self._threads)
        try:
            masks, presences = zip(*self._each(inputs), strict=True)
        except RuntimeError as error:
            raise RuntimeFault(
                _("OpenVINO could not run the outline model ({reason}).", reason=error)
            ) from error
        return np.concatenate(masks), np.concatenate(presences)

    def close(self) -> None:
        """Release the compiled model. May be called twice."""
        self._single, self._several = [], []

    def _compiled(self, streams: int) -> list[Any]:
        """Inference requests, one per stream, that share the threads."""
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            # Else it keeps its threads on the first cores, where those of every other process are, too.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": streams,
        }
        try:
            compiled = ov.Core().compile_model(outline_graph(self.spec, self._arrays), "CPU", options)
            return [compiled.create_infer_request() for _number in range(streams)]
        except RuntimeError as error:
            raise RuntimeFault(
                _("OpenVINO could not compile the outline model ({reason}).", reason=error)
            ) from error

    def _each(self, inputs: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Picture i on request i mod S; results in the order of the pictures."""
        found = []
        requests = self._single if len(inputs) == 1 else self._several
        count = len(requests)
        for index in range(len(inputs) + count):
            request = requests[index % count]
            if 0 <= index - count < len(inputs):
                request.wait()
                cells, presence = (np.array(request.get_output_tensor(port).data) for port in (0, 1))
                found.append((cells, presence))
            if index < len(inputs):
                request.start_async({0: inputs[index : index + 1]})
        return found


def outline_graph(spec: OutlineSpec, arrays: Arrays) -> ov.Model:
    """The graph for one picture; outputs as of `OutlineRuntime.run`."""
    picture = ops.parameter([1, 1, spec.height, spec.width], np.float32, name="picture")
    x, seen = picture, []
    levels = range(len(spec.channels))
    for level in levels:
        for index in range(CONVOLUTIONS):
            x = _block(x, arrays, f"down.{level}.{index}", 2 if index == 0 else 1)
        seen.append(x)
    presence = _presence(x, arrays)
    for level in reversed(levels[:-1]):
        x = ops.concat([_doubled(x), seen[level]], 1)
        for index in range(CONVOLUTIONS):
            x = _block(x, arrays, f"up.{level}.{index}")
    cells = convolution(x, arrays["mask.weight"], 1, 0, name="mask")
    cells = ops.add(cells, ops.constant(arrays["mask.bias"].reshape(1, 1, 1, 1)))
    cells = ops.reshape(cells, ints([1, spec.height // 2, spec.width // 2]), False)
    return ov.Model([ops.result(cells), ops.result(presence)], [picture], "outline")


def _block(x: Node, arrays: Arrays, name: str, stride: int = 1) -> Node:
    kernel, bias = folded(arrays, f"{name}.0", f"{name}.1")
    return ops.relu(ops.add(convolution(x, kernel, stride, 1, name=name), ops.constant(bias)))


def _presence(x: Node, arrays: Arrays) -> Node:
    space = ints([2, 3])
    pooled = ops.concat([ops.reduce_mean(x, space, False), ops.reduce_max(x, space, False)], 1)
    weighed = ops.matmul(pooled, ops.constant(arrays["presence.weight"]), False, True)
    return ops.reshape(ops.add(weighed, ops.constant(arrays["presence.bias"])), ints([1]), False)


def _doubled(x: Node) -> Node:
    """Every cell as 2 x 2, as PyTorch's nearest interpolation."""
    return ops.interpolate(
        x,
        ops.constant(np.array([2.0, 2.0], np.float32)),
        mode="nearest",
        shape_calculation_mode="scales",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=ints([2, 3]),
    )
