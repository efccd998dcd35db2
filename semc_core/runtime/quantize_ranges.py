"""The simplest quantisation, without NNCF: from the least and the greatest that each convolution is given.

To time int8 on any network, trained or not. A model for use is made with `runtime.quantise`, which chooses
the ranges better, corrects the biases and measures what is lost.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from semc_core.model.file import INT8_PREFIX, Arrays
from semc_core.model.spec import ModelSpec
from semc_core.runtime.openvino.graph import build_graph
from semc_core.runtime.openvino.int8 import integer_convolutions

_LARGEST: Final = 63
"""Of the integer weights; see `runtime.openvino_int8`."""


def ranged_arrays(spec: ModelSpec, arrays: Arrays, frames: NDArray[np.float32]) -> Arrays:
    """The `int8.` tensors of a model.

    Args:
        spec: Its description.
        arrays: Its tensors.
        frames: float32 (N, C, H, W), as prepared.
    """
    graph = build_graph(spec, arrays, batch=1)
    found: Arrays = {}
    names, seen = [], []
    for node in integer_convolutions(graph):
        name = f"{INT8_PREFIX}{node.get_friendly_name()}"
        weights = node.input(1).get_source_output().get_node().get_data()
        largest = np.maximum(np.abs(weights).max(axis=(1, 2, 3)), np.finfo(np.float32).tiny * 2**10)
        found[f"{name}.step"] = (largest / _LARGEST).astype(np.float32)
        names.append(name)
        given, axes = node.input(0).get_source_output(), ops.constant(np.array([0, 1, 2, 3], np.int64))
        seen.append(ops.result(ops.reduce_min(given, axes, False)))
        seen.append(ops.result(ops.reduce_max(given, axes, False)))
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = ov.Core().compile_model(ov.Model(seen, graph.get_parameters(), "ranges"), "CPU", options)
    limits = np.array([[float(value) for value in compiled(frame[None]).values()] for frame in frames])
    for index, name in enumerate(names):
        low = min(0.0, limits[:, 2 * index].min())
        high = max(limits[:, 2 * index + 1].max(), low + 1e-6, 1e-6)
        found[f"{name}.input"] = np.array([low, high], np.float32)
    return found
