"""A network's graph with its calibration behind it, for programs that have no `runtime.calibration`.

Shapes: B batch, K classes, F features, M centres, R whitened axes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from semc_core.model.file import NOVELTY
from semc_core.model.spec import ModelSpec
from semc_core.runtime.folding import Arrays
from semc_core.runtime.openvino.graph import Node, build_graph, floats, ints

PROBABILITIES: Final = "probabilities"
"""float (B, K), as `Prediction.probabilities`."""
NOVELTY_OUTPUT: Final = "novelty"
"""float (B,), as `Prediction.novelty`; only of a model file that measures it."""

_NEARLY_NONE: Final = 1e-12
"""Added to what is divided by, so that nothing stays nothing."""


def calibrated_graph(spec: ModelSpec, arrays: Arrays, batch: int) -> ov.Model:
    """`build_graph` in float32, with the output `PROBABILITIES` before its own and `NOVELTY_OUTPUT` after.

    Of all experts: ONNX gets no choice between them.
    """
    graph = build_graph(spec, arrays, batch, every_expert=True)
    logits, pooled = (_behind(graph, name) for name in ("logits", "pooled"))
    softmax = ops.softmax(ops.divide(logits, floats(spec.calibration.temperature)), 1)
    novelty = None
    if NOVELTY[0] in arrays:
        novelty = _where_measured(_novelty(pooled, spec, arrays), softmax, spec)
    results = [_named(_probabilities(softmax, novelty, spec), PROBABILITIES), *graph.get_results()]
    if novelty is not None:
        results.append(_named(novelty, NOVELTY_OUTPUT))
    return ov.Model(results, graph.get_parameters(), graph.get_friendly_name())


def _named(node: Node, name: str) -> Node:
    node.output(0).set_names({name})
    return ops.result(node)


def _behind(graph: ov.Model, name: str) -> Node:
    """What gives the output of this name."""
    return graph.output(name).get_node().input(0).get_source_output()


def _novelty(pooled: Node, spec: ModelSpec, arrays: Arrays) -> Node:
    """The distance from the nearest centre over the limit, (B, F) -> (B,).

    The centres are subtracted before the whitening, not after it as in `Calibrator`: in float32 the
    difference of two large whitened numbers would lose digits.
    """
    mean, whiten, limit = (arrays[name] for name in NOVELTY)
    if spec.calibration.novelty_direction:
        lengths = ops.sqrt(ops.reduce_sum(ops.multiply(pooled, pooled), ints([1]), True))  # (B, 1)
        pooled = ops.divide(pooled, ops.add(lengths, floats(_NEARLY_NONE)))
    apart = ops.subtract(ops.unsqueeze(pooled, ints([1])), ops.constant(mean[None]))  # (B, M, F)
    whitened = ops.matmul(apart, ops.constant(whiten), False, False)  # (B, M, R)
    squares = ops.reduce_sum(ops.multiply(whitened, whitened), ints([2]), False)
    return ops.divide(ops.sqrt(ops.reduce_min(squares, ints([1]), False)), floats(float(limit)))


def _where_measured(novelty: Node, softmax: Node, spec: ModelSpec) -> Node:
    """0 where the surest plane is none of `novelty_planes`, (B,).

    Without a comparison: the part of a difference above 0 over itself is 1 or 0.
    """
    planes = spec.calibration.novelty_planes
    if not planes:
        return novelty
    surest = [
        ops.reduce_max(ops.multiply(softmax, ops.constant(which)), ints([1]), False)
        for which in (
            np.array([[name in planes for name in spec.classes]], np.float32),
            np.array([[name in spec.planes and name not in planes for name in spec.classes]], np.float32),
        )
    ]
    more = ops.relu(ops.subtract(*surest))
    return ops.multiply(novelty, ops.divide(more, ops.add(more, floats(_NEARLY_NONE))))


def _probabilities(softmax: Node, novelty: Node | None, spec: ModelSpec) -> Node:
    """See `model.spec.Calibration`."""
    slope = spec.calibration.novelty_slope
    if novelty is None or slope == 0:
        return softmax
    strange = ops.sigmoid(ops.multiply(ops.subtract(novelty, floats(1)), floats(slope)))
    share = ops.unsqueeze(strange, ints([1]))  # (B, 1)
    none = np.zeros((1, len(spec.classes)), np.float32)
    none[0, spec.classes.index(spec.none_class)] = 1
    kept = ops.multiply(softmax, ops.multiply(ops.subtract(floats(1), share), ops.constant(1 - none)))
    rest = ops.subtract(floats(1), ops.reduce_sum(kept, ints([1]), True))
    return ops.add(kept, ops.multiply(rest, ops.constant(none)))
